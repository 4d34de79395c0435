import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import path from 'node:path'
import packageJson from '../package.json'
import { Accounts } from './accounts/accounts'
import { diffConfig, formatDiff, type Config, type ConfigSource } from './config'
import { CodedError, StreamError } from './errors'
import { Bus } from './events/bus'
import { Gate } from './events/gate'
import type { ServerEvents } from './events/server-events'
import { Federation } from './federation/federation'
import { Host } from './hosts/host'
import type { Proxies } from './http/forwarded'
import { HttpServer, type HttpPort } from './http/server'
import { createLogger, type RootLog } from './log'
import { Metrics } from './metrics'
import type { EndingKind } from './modules/ending'
import { ModuleManager } from './modules/manager'
import { Serial } from './modules/serial'
import type { ServerApi } from './modules/server-api'
import { Dns, dial, routeTarget } from './net'
import { Clients } from './routing/clients'
import { Components } from './routing/components/components'
import type { QueueLimits } from './routing/queue'
import { Router } from './routing/router'
import { ServerFace } from './server/api'
import { certificatePlan } from './server/certificate-plan'
import { readConfig, type Loaded } from './server/config'
import { LocalDomains } from './server/domains'
import { Ending } from './server/ending'
import { installationSecret } from './server/secrets'
import { acquireLock, openDatabase, type Database, type Lock } from './storage'
import { Certificates } from './streams/certificates'
import { ClientListeners, type ClientPort } from './streams/listeners'
import { DEFAULT_SETTINGS } from './streams/settings'
import type { Ticket } from './streams/rates/admission'
import { StreamLimits, type BaseLimits } from './streams/rates/limits'
import { Networks } from './streams/rates/source'
import { DEFAULT_LIMITS } from './xml'

export interface ServerOptions {
  /** The config file's path, or its text. */
  config: ConfigSource
  /** The data folder, in place of the config's. */
  data?: string
  env?: NodeJS.ProcessEnv
  /** In place of the log that the config describes. */
  log?: RootLog
  /** Who holds the lock, for those who find it taken. */
  name?: string
  /**
   * Runs the modules of the hosts for what the command line does to their data, and nothing else: no module of the
   * server itself, nothing listens, nobody is told that the server is there.
   */
  headless?: boolean
}

/** What happened at the first start only, for the operator to read once. */
export interface FirstStart {
  certificate?: { file: string; fingerprint: string }
  operator?: { jid: string; password: string }
}

/** What comes of a reload that the end of the server has overtaken. */
const ENDING = { ok: false, lines: ['the server is ending'] }

/** Milliseconds for ending what a start that failed has begun. */
const STOP_TIME = 2000

/** Everything that the parts of a running server share. */
interface Parts {
  options: ServerOptions
  loaded: Loaded
  log: RootLog
  lock: Lock
  db: Database
  certificates: Certificates
}

/** One Balcony: made by `Server.start`, ended by `stop`. */
export class Server {
  readonly log: RootLog
  readonly metrics = new Metrics()
  readonly gate = new Gate()
  readonly bus: Bus<ServerEvents>
  readonly accounts: Accounts
  readonly domains = new LocalDomains()
  readonly router: Router
  readonly limits: StreamLimits
  readonly clients: Clients
  readonly listeners: ClientListeners
  /** External components, ours and as one of others (XEP-0114). */
  readonly components: Components
  /** Streams to and from other servers. */
  readonly federation: Federation
  readonly http: HttpServer
  /** Looks up everything that this server wants to know of others. */
  readonly dns: Dns
  readonly manager: ModuleManager
  readonly api: ServerApi
  /** An end that was asked for and is to come. */
  readonly ending: Ending
  readonly first: FirstStart = {}
  readonly startedAt = Date.now()
  readonly #options: ServerOptions
  /** The config that this server was started with. */
  readonly #initial: Config
  readonly #db: Database
  readonly #lock: Lock
  readonly #certificates: Certificates
  /** Where the modules of the whole server are. */
  readonly scope = new Host('', 'server')
  #loaded: Loaded
  #proxies: Proxies
  /** The queues hold this very object, so that they follow. */
  readonly #queues: QueueLimits
  /** The last reload could not do everything: a port was taken, a module failed. The next tries again. */
  #unfinished = false
  readonly #reloads = new Serial()
  #started = false
  #stopping: Promise<void> | undefined
  #restarting = false

  private constructor(parts: Parts, secret: Buffer, dialbackSecret: Buffer) {
    this.#options = parts.options
    this.#loaded = parts.loaded
    this.#initial = parts.loaded.config
    this.#proxies = proxiesOf(parts.loaded.config)
    this.#queues = queueLimits(parts.loaded.config)
    this.#db = parts.db
    this.#lock = parts.lock
    this.#certificates = parts.certificates
    this.log = parts.log
    this.bus = new Bus(this.log)
    for (const host of this.config.hosts.values()) this.domains.add(host.name, host.type)
    this.accounts = new Accounts(
      this.#db,
      secret,
      { get: name => this.domains.get(name), all: () => this.domains.list() },
      { passwordChanged: (user, host) => this.bus.emit('account/password-changed', user, host) }
    )
    this.router = new Router(this.domains, this.scope, this.log, this.metrics)
    this.limits = new StreamLimits({
      log: this.log,
      metrics: this.metrics,
      base: () => baseLimits(this.config)
    })
    this.clients = new Clients({
      gate: this.gate,
      log: this.log,
      metrics: this.metrics,
      router: this.router,
      host: domain => this.domains.get(domain),
      defaultDomain: () => this.domains.list().find(host => host.type === 'virtual')?.name ?? '',
      secureContext: domain => this.#certificates.secureContext(domain),
      secret,
      limits: () => this.#queues,
      streamLimits: this.limits,
      removedSince: (user, domain, time) => this.accounts.removedSince(user, domain, time),
      disabledSince: (user, domain, time) => this.accounts.disabledSince(user, domain, time),
      authenticated: session => this.bus.emit('session/authenticated', session)
    })
    this.listeners = new ClientListeners(this.clients)
    this.dns = new Dns(this.config.server.dns)
    this.http = new HttpServer({
      gate: this.gate,
      log: this.log,
      items: this.scope.items,
      secureContext: domain =>
        this.#certificates.secureContext(domain) ??
        this.#certificates.secureContext(this.clients.defaultDomain()),
      proxies: () => this.#proxies,
      admit: (socket, transport) => this.#admitHttp(socket, transport)
    })
    this.components = new Components({
      gate: this.gate,
      log: this.log,
      metrics: this.metrics,
      router: this.router,
      headless: parts.options.headless ?? false,
      defaultDomain: () => this.clients.defaultDomain(),
      host: domain => this.domains.find(domain),
      limits: () => this.#queues,
      settings: kind => ({ ...DEFAULT_SETTINGS, ...this.limits.settings(kind) }),
      streamLimits: this.limits,
      dial: async (host, port, signal) => {
        const { socket } = await dial([routeTarget({ host, port })], { dns: this.dns, signal })
        return socket
      }
    })
    this.federation = new Federation({
      gate: this.gate,
      log: this.log,
      metrics: this.metrics,
      bus: this.bus,
      router: this.router,
      dns: this.dns,
      scope: this.scope,
      secret: dialbackSecret,
      host: domain => this.domains.find(domain),
      defaultDomain: () => this.clients.defaultDomain() || (this.domains.list()[0]?.name ?? ''),
      secureContext: domain => this.#certificates.peerContext(domain),
      limits: () => this.#queues,
      base: () => this.limits.settings('s2s'),
      streamLimits: this.limits
    })
    this.limits.changed = () => {
      this.listeners.refresh()
      this.federation.refresh()
    }
    this.ending = new Ending({
      restartedBy: (parts.options.env ?? process.env).BALCONY_RESTARTED_BY || undefined,
      log: this.log,
      end: (kind, reason) => this.#end(kind, reason)
    })
    this.api = new ServerFace({
      version: packageJson.version,
      startedAt: this.startedAt,
      accounts: this.accounts,
      domains: this.domains,
      roles: {
        operators: () => this.config.server.operators,
        admins: host => this.config.hosts.get(host)?.admins ?? []
      },
      router: this.router,
      listening: this.listeners,
      limits: this.limits,
      components: this.components,
      federation: this.federation,
      http: this.http,
      ending: this.ending,
      manager: () => this.manager,
      isStarted: () => this.#started,
      log: this.log,
      reloadConfig: () => this.reloadConfig(),
      checkConfig: () => this.checkConfig(),
      stop: reason => this.stop(reason)
    })
    this.manager = new ModuleManager({
      log: this.log,
      metrics: this.metrics,
      db: this.#db,
      gate: this.gate,
      bus: this.bus,
      outgoing: this.router,
      server: () => this.api,
      catalogue: this.#loaded.catalogue,
      settings: this.config,
      hosts: () => [...this.domains.list(), ...(parts.options.headless ? [] : [this.scope])]
    })
  }

  /** The config in force. */
  get config(): Config {
    return this.#loaded.config
  }

  /** It ends, or has ended, in order to be started again. */
  get restarting(): boolean {
    return this.#restarting
  }

  get dataFolder(): string {
    return dataFolder(this.#initial, this.#options)
  }

  /** Where clients connect. */
  ports(): ClientPort[] {
    return this.listeners.ports()
  }

  /**
   * Starts a server. Throws a CodedError that says what to do: `ERR_CONFIG` with a line for each fault,
   * `ERR_LOCKED`, the errors of the storage, `ERR_MODULES_START`, `ERR_LISTEN`.
   */
  static async start(options: ServerOptions): Promise<Server> {
    const loaded = readConfig(options.config, options.env ?? process.env)
    const { server: settings } = loaded.config
    const log = options.log ?? createLogger(settings.log)
    const data = dataFolder(loaded.config, options)
    const lock = acquireLock(data, options.name ?? 'balcony start')
    const undo: Array<() => unknown> = [() => lock.release()]
    try {
      const db = await openDatabase(storageIn(loaded.config, data), log)
      undo.push(() => db.close())
      await db.migrate('core_accounts', path.join(__dirname, 'accounts', 'migrations'))
      const certificates = new Certificates(data, log)
      await certificates.load(certificatePlan(loaded.config))
      const secret = await installationSecret(db, 'sasl')
      const dialbackSecret = await installationSecret(db, 'dialback')
      const server = new Server({ options, loaded, log, lock, db, certificates }, secret, dialbackSecret)
      undo.push(() => server.listeners.close())
      undo.push(() => server.components.close(new StreamError('system-shutdown'), STOP_TIME))
      undo.push(() => server.federation.stop(new StreamError('system-shutdown'), STOP_TIME))
      undo.push(() => server.http.close())
      undo.push(() => server.router.stop())
      undo.push(() => server.manager.stop())
      await server.manager.start()
      await server.#nameServedDomains()
      await server.#makeOperator()
      server.#tellCertificate()
      if (options.headless) return server
      await server.http.listen('core', httpPorts(server.config))
      server.#started = true
      server.bus.emit('server/started')
      return server
    } catch (error) {
      for (const release of undo.reverse()) await release()
      throw error
    }
  }

  /** A proxy has as many connections as it needs: those behind it are counted where it says who they are. */
  #admitHttp(socket: Socket, transport: 'tcp' | 'tls'): Ticket | undefined {
    const { admission } = this.limits
    const address = socket.remoteAddress ?? ''
    if (this.#proxies.trusted.has(address)) return admission.outgoing('http', transport)
    return admission.enter('http', transport, address)
  }

  /** A server without any account gets an operator, so that somebody can administer it. */
  async #makeOperator(): Promise<void> {
    for (const jid of this.config.server.operators) {
      const [user, domain] = jid.split('@') as [string, string] // the config holds bare JIDs
      const host = this.domains.get(domain)
      if (host?.type !== 'virtual' || (await this.accounts.count(domain)) > 0) continue
      const password = randomBytes(15).toString('base64url')
      await this.accounts.create(user, domain, password)
      this.first.operator = { jid, password }
      return
    }
  }

  /** What a component serves beside its own name is known when its module runs, and needs a certificate too. */
  async #nameServedDomains(): Promise<void> {
    if (this.domains.served().size > 0) await this.#loadCertificates(this.config)
  }

  #loadCertificates(config: Config): Promise<string[]> {
    return this.#certificates.load(certificatePlan(config, this.domains.served()))
  }

  /** The one made just now; also one that a start which failed has left without telling anybody. */
  #tellCertificate(): void {
    const { own } = this.#certificates
    if (!own || !(own.fresh || this.first.operator)) return
    this.first.certificate = { file: own.certificate, fingerprint: own.fingerprint }
  }

  #end(kind: EndingKind, reason: string): void {
    const faults = kind === 'restart' ? this.checkConfig().lines : []
    // It was in order when the restart was asked for; one that does not come back would be worse
    if (faults.length > 0)
      return this.log.error(`no ${reason}, for the config has faults by now:\n${faults.join('\n')}`)
    this.#restarting = kind === 'restart'
    this.stop(reason).catch((err: unknown) => this.log.error({ err }, 'the server did not end well'))
  }

  /** Reads the config without applying it. */
  checkConfig(): { ok: boolean; lines: string[] } {
    try {
      readConfig(this.#options.config, this.#options.env ?? process.env, this.#loaded.catalogue)
      return { ok: true, lines: [] }
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      return { ok: false, lines: error.message.split('\n') }
    }
  }

  /** Reads the config again and applies what changed; changes nothing if it is wrong. One at a time. */
  reloadConfig(): Promise<{ ok: boolean; lines: string[] }> {
    return this.#reloads.run(() => this.#reloadConfig())
  }

  async #reloadConfig(): Promise<{ ok: boolean; lines: string[] }> {
    let next: Loaded
    let certificates: string[]
    try {
      next = readConfig(this.#options.config, this.#options.env ?? process.env, this.#loaded.catalogue)
      certificates = await this.#loadCertificates(next.config)
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      this.log.error(`config reload refused:\n${error.message}`)
      return { ok: false, lines: error.message.split('\n') }
    }
    // What is opened and started from here on, nobody would end any more
    if (this.#stopping) return ENDING
    const diff = diffConfig(this.config, next.config, this.#initial)
    if (diff.empty && !this.#unfinished) {
      const lines = certificates.length > 0 ? certificates : ['nothing has changed']
      this.log.info(`config reloaded: ${lines.join('\n')}`)
      return { ok: true, lines }
    }
    const { added, removed } = diff.hosts
    for (const name of removed) this.#endSessions(name)
    // A host whose type has changed is in both lists: another one takes its place.
    for (const name of removed) if (added.includes(name)) this.domains.remove(name)
    for (const host of next.config.hosts.values())
      if (added.includes(host.name)) this.domains.add(host.name, host.type)
    this.#loaded = next
    this.log.level = next.config.server.log.level
    this.#proxies = proxiesOf(next.config)
    Object.assign(this.#queues, queueLimits(next.config))
    this.limits.refresh()
    this.listeners.refresh()
    this.federation.refresh()
    this.dns.configure(next.config.server.dns)
    const refused = await this.http.listen('core', httpPorts(next.config)).then(
      () => [],
      (error: unknown) => [error instanceof Error ? error.message : String(error)]
    )
    if (this.#stopping) {
      this.http.close()
      return ENDING
    }
    const report = await this.manager.configure(next.config)
    for (const name of removed) if (!added.includes(name)) this.domains.remove(name)
    this.bus.emit('config/reloaded')
    const failed = [...refused, ...report.failed]
    const again = this.#unfinished ? report.applied : []
    this.#unfinished = failed.length > 0
    const kept = removed
      .filter(name => !added.includes(name))
      .map(name => `${name}: its data is kept; balcony host purge ${name} deletes it`)
    const lines = [...formatDiff(diff), ...kept, ...certificates, ...again, ...failed]
    if (lines.length === 0) lines.push('what had failed before is done')
    this.log.info(`config reloaded:\n${lines.join('\n')}`)
    return { ok: failed.length === 0, lines }
  }

  /** While the host's modules run: they hear of the end of each session. */
  #endSessions(name: string): void {
    for (const session of [...(this.domains.get(name)?.sessions.all() ?? [])]) {
      session.close(new StreamError('host-gone', 'this host was taken out of the config'))
    }
  }

  /** What there is of a host that was taken out of the config. Throws `ERR_HOST_IN_USE`. */
  leftOf(host: string): Promise<{ table: string; rows: number }[]> {
    this.#mustBeGone(host)
    return this.#db.rowsOfHost(host)
  }

  /** Deletes that, for good. Throws `ERR_HOST_IN_USE`. */
  purgeHost(host: string): Promise<{ accounts: number; rows: number }> {
    this.#mustBeGone(host)
    return this.accounts.purgeHost(host)
  }

  #mustBeGone(host: string): void {
    if (this.domains.find(host) === undefined) return
    throw new CodedError(
      'ERR_HOST_IN_USE',
      `${host} is in the config: take it out, and reload the config, first`
    )
  }

  /** Stops: accepts nothing more, ends the streams, finishes what is under way, closes the database. */
  stop(reason: string): Promise<void> {
    return (this.#stopping ??= this.#stop(new StreamError('system-shutdown'), reason))
  }

  /** A fault of core: streams end with internal-server-error. */
  crash(): Promise<void> {
    return (this.#stopping ??= this.#stop(new StreamError('internal-server-error'), 'a fault'))
  }

  async #stop(error: StreamError, reason: string): Promise<void> {
    this.log.info(`stopping: ${reason}`)
    this.ending.close()
    this.listeners.stopAccepting()
    this.components.listeners.stopAccepting()
    this.federation.stopAccepting()
    this.http.close()
    if (this.#started) this.bus.emit('server/stopping')
    this.clients.endHibernating('the server stops')
    await this.listeners.close(error, (this.config.server.limits.stopSeconds * 1000) / 2)
    await this.manager.stop()
    const within = (this.config.server.limits.stopSeconds * 1000) / 4
    await Promise.all([this.components.close(error, within), this.federation.stop(error, within)])
    this.router.stop()
    this.dns.close()
    await this.#db.close()
    this.#lock.release()
    this.log.info('stopped')
  }
}

function dataFolder(config: Config, options: ServerOptions): string {
  return path.resolve(options.data ?? config.server.data)
}

/** The storage of the config, in the data folder that is used. */
function storageIn({ server }: Config, data: string): Parameters<typeof openDatabase>[0] {
  const { storage } = server
  if (storage.driver !== 'sqlite') return storage
  return { ...storage, path: path.resolve(data, path.relative(server.data, storage.path)) }
}

function queueLimits({ server: { limits } }: Config): QueueLimits {
  return { count: limits.queueStanzas, bytes: limits.queueBytes }
}

function proxiesOf({ server: { http } }: Config): Proxies {
  return { trusted: new Networks(http.trustedProxies), header: http.proxyHeader }
}

function httpPorts({ server }: Config): HttpPort[] {
  return server.http.listen.map(port => ({ ...port, tls: false }))
}

function baseLimits({ server: { limits } }: Config): BaseLimits {
  const { depth, elements, attributes, stanzaBytes, stanzaBytesBeforeLogin } = limits
  return {
    authTimeout: limits.loginSeconds * 1000,
    maxOutput: limits.unreadBytes,
    maxOutputInAll: limits.unreadBytesInAll,
    xml: { ...DEFAULT_LIMITS, depth, elements, attributes, stanzaBytes },
    xmlBeforeAuth: { ...DEFAULT_SETTINGS.limitsBeforeAuth, stanzaBytes: stanzaBytesBeforeLogin }
  }
}
