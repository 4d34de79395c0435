import { CollapsedLog } from '../collapsed-log'
import { errorReply, isStanzaError, StanzaError, StreamError } from '../errors'
import type { Bus } from '../events/bus'
import type { Gate } from '../events/gate'
import { HANDLED, isPromise, type Handled } from '../events/hooks'
import type { ServerEvents } from '../events/server-events'
import type { Host } from '../hosts/host'
import type { JID } from '../jid'
import type { Log } from '../log'
import type { Metrics } from '../metrics'
import type { Dns } from '../net'
import type { StanzaEvent } from '../routing/event'
import type { FederationEvent } from '../routing/events'
import type { QueueLimits } from '../routing/queue'
import type { Router } from '../routing/router'
import type { Parcel, PeerStream, Question, ServerStreamBackend, Verdict } from '../streams/s2s/backend'
import type { ServerConnection } from '../streams/s2s/connection'
import { DialbackKeys } from '../streams/s2s/keys'
import { ServerListeners, type ServerPort } from '../streams/s2s/listeners'
import { OutgoingStream } from '../streams/s2s/outgoing'
import { DEFAULT_SERVER_SETTINGS, type PeerPolicy, type ServerStreamSettings } from '../streams/s2s/settings'
import type { StreamLimits } from '../streams/rates/limits'
import type { StreamSettings } from '../streams/settings'
import type { Element } from '../xml/element'
import type { SecureContext } from 'node:tls'
import type { FederationApi, FederationQueue, FederationStream } from './api'
import { Connector } from './connector'
import type { Destination } from './destination'
import { Destinations, domainIn } from './destinations'
import { Member } from './members'
import { FederationMetrics } from './metrics'
import { Questions } from './questions'
import { DEFAULT_FEDERATION, policyFor, type FederationSettings } from './settings'

export interface FederationOptions {
  gate: Gate
  log: Log
  metrics: Metrics
  bus: Bus<ServerEvents>
  router: Router
  dns: Dns
  /** The modules of the whole server. */
  scope: Host
  /** Of dialback keys (XEP-0185). */
  secret: Buffer
  /** Whoever answers for a domain. */
  host(domain: string): Host | undefined
  defaultDomain(): string
  secureContext(domain: string): SecureContext | undefined
  /** What one stream may have under way. */
  limits(): QueueLimits
  /** What the server's config says of streams. */
  base(): Partial<StreamSettings>
  streamLimits?: StreamLimits
}

/** Destinations at once, beyond which no stanza to another is taken. */
const MAX_DESTINATIONS = 10_000
/** Milliseconds that a sender may be held up by a server that is slow. */
const PATIENCE = 20_000

/** Streams to and from other servers, and what waits for them. */
export class Federation implements FederationApi, ServerStreamBackend {
  readonly gate: Gate
  readonly log: Log
  readonly streamLimits: StreamLimits | undefined
  readonly keys: DialbackKeys
  readonly #options: FederationOptions
  readonly #metrics: FederationMetrics
  /** For what strangers can cause as often as they like. */
  readonly #collapsed: CollapsedLog
  readonly #listeners: ServerListeners
  readonly #connector: Connector
  readonly #questions = new Questions()
  /** The streams hold this very object, so that they follow. */
  readonly #streamSettings: ServerStreamSettings = { ...DEFAULT_SERVER_SETTINGS }
  #settings: FederationSettings = DEFAULT_FEDERATION
  readonly #streams = new Map<PeerStream, Member>()
  readonly #destinations: Destinations
  #lastKey = 0
  #owner = ''
  #unhook: (() => void) | undefined
  /** While everything is being closed. */
  #changed: (() => void) | undefined
  #stopping = false

  constructor(options: FederationOptions) {
    this.#options = options
    this.gate = options.gate
    this.log = options.log
    this.streamLimits = options.streamLimits
    this.keys = new DialbackKeys(options.secret)
    this.#collapsed = new CollapsedLog(options.log)
    this.#metrics = new FederationMetrics(options.metrics, () => this.#destinations.count)
    this.#listeners = new ServerListeners(this, this.#streamSettings, (stream, connection) =>
      this.#adopt(stream, connection)
    )
    this.#connector = new Connector({
      dns: options.dns,
      secureContext: domain => options.secureContext(domain),
      settings: () => this.#settings,
      limits: () => this.#streamSettings.limitsBeforeAuth
    })
    this.#destinations = new Destinations({
      log: options.log,
      metrics: this.#metrics,
      router: options.router,
      limits: () => this.#settings.waiting,
      host: domain => options.host(domain),
      open: (destination, signal, after) => this.#open(destination, signal, after),
      hasAlternative: stream => this.#connector.hasAlternative(stream),
      changed: () => this.#changed?.()
    })
    options.bus.on('federation/changed', host => this.#policyChanged(host))
    this.refresh()
  }

  // --- settings

  async configure(
    owner: string,
    ports: readonly ServerPort[],
    settings: Partial<FederationSettings>
  ): Promise<ServerPort[]> {
    const bound = await this.#listeners.listen(owner, ports)
    this.#owner = owner
    this.#settings = { ...DEFAULT_FEDERATION, ...settings }
    this.refresh()
    for (const destination of this.#destinations.list()) destination.permit()
    this.#unhook ??= this.#options.scope.hooks.add<StanzaEvent>('route/remote', event => this.#route(event), {
      module: owner,
      host: '',
      begin: () => undefined,
      end: () => undefined
    })
    return bound
  }

  /** The server's config has changed. */
  refresh(): void {
    const { keepalive, idle, ackTimeout, acks, bidi } = this.#settings
    Object.assign(this.#streamSettings, DEFAULT_SERVER_SETTINGS, this.#options.base(), {
      keepalive,
      idle,
      ackTimeout,
      acks,
      bidi
    })
    for (const { stream, users } of [...this.#streams.values()]) {
      for (const { local, remote } of [...stream.receives]) {
        if (!this.isLocal(local)) stream.withdraw(local, remote, `${local} is not served here any more`)
        else if (!stream.satisfies(this.policy(remote), remote))
          stream.withdraw(local, remote, `${local} demands more of ${remote} than this stream has shown`)
      }
      for (const { remote, stream: used } of users)
        if (used === stream && !stream.satisfies(this.policy(remote), remote)) stream.close()
    }
  }

  async withdraw(owner: string): Promise<void> {
    if (owner !== this.#owner) return
    this.#unhook?.()
    this.#unhook = undefined
    await this.#listeners.listen(owner, [])
    for (const destination of this.#destinations.list())
      destination.refuse(new StanzaError('remote-server-not-found', 'this server does not federate'))
    for (const stream of [...this.#streams.keys()]) stream.close()
  }

  ports(): ServerPort[] {
    return this.#listeners.ports()
  }

  // --- from here to there

  #route(event: StanzaEvent): Handled | Promise<Handled> {
    const { from, to, stanza, origin } = event
    const destination = this.#destinations.get(from.domain, to.domain, MAX_DESTINATIONS)
    if (!destination) {
      event.fail(new StanzaError('resource-constraint', { type: 'wait', text: 'too many other servers' }))
      return HANDLED
    }
    this.#metrics.sent.inc()
    destination.send(stanza)
    // Who can wait does: its connection is paused, and nothing is lost
    if (origin.kind !== 'c2s' && origin.kind !== 'component') return HANDLED
    const congestion = destination.congestion
    return congestion ? atMost(congestion, PATIENCE, undefined).then(() => HANDLED) : HANDLED
  }

  async #open(destination: Destination, signal: AbortSignal, after?: PeerStream): Promise<OutgoingStream> {
    const { local, remote } = destination
    if (!this.gate.open) await new Promise<void>(resolve => this.gate.whenOpen(resolve))
    await this.check(local, remote)
    const connected = await this.#connector.connect(local, remote, signal, after)
    const { connection, direct } = connected
    connection.ticket = this.streamLimits?.admission.outgoing('s2s', direct ? 'tls' : 'tcp')
    const policy = this.policy(remote)
    const stream = new OutgoingStream(connection, this, this.#streamSettings, { local, remote, policy })
    this.#connector.remember(stream, connected)
    this.#adopt(stream, connection).users.add(destination)
    return stream
  }

  /** XEP-0478 §4: without `by`, for the policy is the other server's. */
  tooLarge(parcel: Parcel, most: number): void {
    const text = `${parcel.lane.remote} takes stanzas of ${most} bytes at most`
    this.#destinations.bounce(parcel, new StanzaError('policy-violation', text))
  }

  // --- what streams ask

  defaultDomain(): string {
    return this.#options.defaultDomain()
  }

  isLocal(domain: string): boolean {
    return domain !== '' && this.#options.host(domain) !== undefined
  }

  policy(domain: string): PeerPolicy {
    return policyFor(this.#settings, domain)
  }

  secureContext(domain: string): SecureContext | undefined {
    return this.#options.secureContext(domain)
  }

  check(local: string, remote: string): void | Promise<void> {
    const host = this.#options.host(local)
    if (!host) throw new StanzaError('item-not-found')
    const result = host.hooks.run<FederationEvent>('federation/check', { domain: remote })
    if (isPromise(result)) return result.then(() => undefined)
  }

  async verify(question: Question, address: string): Promise<Verdict> {
    const busy: Verdict = { condition: 'resource-constraint', text: 'too many keys from one address' }
    return this.#questions.ask(address, () => this.#verify(question)) ?? busy
  }

  async #verify(question: Question): Promise<Verdict> {
    const { local, remote } = question
    // Whoever sends keys in the name of others must not keep ours from being sent
    const destination = this.#destinations.get(local, remote, MAX_DESTINATIONS / 2)
    if (!destination) return { condition: 'resource-constraint' }
    const late: Verdict = { condition: 'remote-server-timeout', text: 'the authoritative server is too slow' }
    return atMost(destination.verify(question), this.#streamSettings.dialbackTimeout, late)
  }

  stanza(stream: PeerStream, stanza: Element, from: JID, bytes: number, ticket: number): void {
    const member = this.#streams.get(stream)
    if (!member) return
    const { router } = this.#options
    this.#metrics.received.inc()
    if (this.#stopping) {
      if (!router.takesAnswer(stanza, from)) this.#tooLate(stream, stanza)
      return
    }
    member.arrived(this.#options, stanza, from, bytes, ticket)
  }

  /** What is not acknowledged comes again when we are back; where nothing is, the sender may send it again. */
  #tooLate({ managed }: PeerStream, stanza: Element): void {
    const reply = managed ? undefined : errorReply(stanza, new StanzaError('recipient-unavailable'))
    if (!reply) return
    const { from, to } = reply.attrs
    this.#destinations.get(domainIn(from), domainIn(to), MAX_DESTINATIONS)?.send(reply)
  }

  verified(stream: PeerStream, local: string, remote: string): void {
    const { direction, auth, bidi } = stream
    const member = this.#streams.get(stream)
    if (!member) return
    // Something else may be demanded than when this was asked for
    if (!this.isLocal(local) || !stream.satisfies(this.policy(remote), remote)) {
      stream.withdraw(local, remote)
      if (direction === 'out') stream.close()
      return
    }
    this.log.info({ local, remote, direction, auth, bidi }, `federates with ${remote}`)
    if (direction === 'out' || bidi) {
      const destination = this.#destinations.get(local, remote, MAX_DESTINATIONS)
      if (!destination) return
      member.users.add(destination)
      destination.use(stream)
    } else {
      this.#destinations.find(local, remote)?.nudge()
    }
  }

  room(stream: PeerStream): void {
    for (const destination of this.#streams.get(stream)?.users ?? [])
      if (destination.stream === stream) destination.flush()
  }

  leaving(stream: PeerStream): void {
    for (const destination of this.#streams.get(stream)?.users ?? [])
      destination.lost(stream, undefined, true)
  }

  refused(stream: PeerStream, local: string, remote: string, why: string): void {
    this.#metrics.refused.inc()
    const { remoteAddress, direction } = stream
    const data = { local, remote, remoteAddress, direction }
    this.#collapsed.warn(`${direction} ${remoteAddress}`, data, `not authenticated: ${why}`)
  }

  closed(stream: PeerStream, reason: string): void {
    const member = this.#streams.get(stream)
    if (!member) return
    const { direction, domain: local, remote } = stream
    if (stream.auth !== '') this.log.info({ local, remote, direction }, `a stream has ended: ${reason}`)
    else this.log.debug({ local, remote, direction }, `a stream has ended: ${reason}`)
    for (const destination of member.users) destination.lost(stream, stream.failure)
  }

  #adopt(stream: PeerStream, connection: ServerConnection): Member {
    const member = new Member(stream, ++this.#lastKey)
    this.#streams.set(stream, member)
    this.#metrics.opened(stream.direction)
    connection.keeper = {
      connectionGone: () => {
        this.#streams.delete(stream)
        this.#metrics.closed(stream.direction)
        this.#changed?.()
      }
    }
    return member
  }

  // --- policy

  #policyChanged(host: string): void {
    for (const destination of this.#destinations.list()) {
      if (destination.local !== host) continue
      destination.permit()
      this.#recheck(host, destination.remote, error => destination.refuse(error))
    }
    for (const stream of [...this.#streams.keys()])
      for (const { local, remote } of [...stream.receives])
        if (local === host) this.#recheck(local, remote, () => stream.withdraw(local, remote))
  }

  #recheck(local: string, remote: string, refused: (error: StanzaError) => void): void {
    const failed = (error: unknown): void => {
      if (isStanzaError(error)) return refused(error)
      this.log.error({ err: error }, 'whether a domain may federate could not be found out')
      refused(new StanzaError('internal-server-error'))
    }
    try {
      const checked = this.check(local, remote)
      if (isPromise(checked)) checked.catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  // --- looking and closing

  streams(): FederationStream[] {
    return [...this.#streams.values()].map(member => member.describe())
  }

  queues(): FederationQueue[] {
    return this.#destinations.describe()
  }

  sift(host: string, verdict: (stanza: Element) => StanzaError | 'drop' | undefined): void {
    for (const destination of this.#destinations.list())
      if (this.#options.host(destination.local)?.name === host) destination.sift(verdict)
  }

  close(which: number | string): number {
    const meant = [...this.#streams.values()].filter(
      member =>
        !member.stream.closed && (typeof which === 'number' ? member.key === which : member.serves(which))
    )
    for (const { stream } of meant) stream.close()
    return meant.length
  }

  // --- the end

  /** Takes nothing more from other servers but answers; what they send is not acknowledged any more. */
  stopAccepting(): void {
    this.#listeners.close()
    this.#stopping = true
    for (const stream of this.#streams.keys()) stream.freeze()
  }

  /** Lets what waits leave, ends all streams, and resolves when their connections are gone. */
  async stop(error = new StreamError('system-shutdown'), within = 5000): Promise<void> {
    this.stopAccepting()
    await this.#until(() => this.#destinations.settled, within / 2)
    this.#destinations.close(new StanzaError('remote-server-timeout', 'this server stops'))
    for (const stream of [...this.#streams.keys()]) stream.close(error)
    await this.#until(() => this.#streams.size === 0, within / 2)
    for (const stream of [...this.#streams.keys()]) stream.abandon('the server stops')
    this.#destinations.stop()
    this.#unhook?.()
    this.#metrics.end()
    this.#collapsed.flush()
  }

  async #until(done: () => boolean, within: number): Promise<void> {
    if (done()) return
    await new Promise<void>(resolve => {
      const finish = (): void => {
        clearTimeout(timer)
        this.#changed = undefined
        resolve()
      }
      const timer = setTimeout(finish, within)
      this.#changed = () => {
        if (done()) finish()
      }
    })
  }
}

/** The same promise, but it ends when the time is over, with `otherwise`. */
function atMost<T>(promise: Promise<T>, time: number, otherwise: T): Promise<T> {
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(otherwise), time)
    promise.then(
      value => {
        clearTimeout(timer)
        resolve(value)
      },
      () => {
        clearTimeout(timer)
        resolve(otherwise)
      }
    )
  })
}
