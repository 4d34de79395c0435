import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { loadConfig, formatFaults, type Config } from '../../../core/config'
import { Bus } from '../../../core/events/bus'
import { Gate } from '../../../core/events/gate'
import type { Traced } from '../../../core/events/hooks'
import type { ServerEvents } from '../../../core/events/server-events'
import { Host } from '../../../core/hosts/host'
import type { Log } from '../../../core/log'
import { Metrics } from '../../../core/metrics'
import { ModuleCatalogue } from '../../../core/modules/catalogue'
import type { ModuleLimits } from '../../../core/modules/limits'
import { ModuleLoader } from '../../../core/modules/loader'
import { ModuleManager } from '../../../core/modules/manager'
import type { ServerApi } from '../../../core/modules/server-api'
import type { Outgoing } from '../../../core/modules/services'
import type { Database } from '../../../core/storage/types'

export const FACE = path.resolve(__dirname, '../../../core/index.ts')

/** A folder that is gone after the test. */
export function tempFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'balcony-modules-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Writes files below a folder, by their paths. */
export function write(folder: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
}

/** An event that test modules write into. */
export interface Asked extends Traced {
  answer?: unknown
  [key: string]: unknown
}

export interface Line {
  level: string
  text: string
}

/** A log whose lines can be looked at. */
export function memoryLog(lines: Line[] = [], bindings = ''): Log {
  const at =
    (level: string) =>
    (data: object | string, message?: string): void => {
      const error = typeof data === 'object' && 'err' in data ? ` ${String(data.err)}` : ''
      lines.push({ level, text: `${bindings}${typeof data === 'string' ? data : (message ?? '')}${error}` })
    }
  return {
    fatal: at('fatal'),
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    trace: at('trace'),
    child: more => memoryLog(lines, `${Object.values(more).join(' ')}: `),
    isLevelEnabled: () => true
  }
}

export interface RigOptions {
  /** Module files, by path below the module folder. */
  files: Record<string, string>
  /** The config, as YAML. */
  config: string
  limits?: Partial<ModuleLimits>
  outgoing?: Partial<Outgoing>
  db?: Partial<Database>
}

/** A module manager with hosts, and without anything that is connected to anything. */
export class Rig {
  readonly folder: string
  readonly lines: Line[] = []
  readonly log = memoryLog(this.lines)
  readonly gate = new Gate()
  readonly bus = new Bus<ServerEvents>(this.log)
  readonly migrated: string[] = []
  readonly db: Database
  readonly hosts = new Map<string, Host>()
  readonly loader: ModuleLoader
  readonly catalogue: ModuleCatalogue
  readonly manager: ModuleManager
  config: Config

  constructor(t: TestContext, options: RigOptions) {
    this.folder = tempFolder(t)
    write(this.folder, options.files)
    this.loader = new ModuleLoader([this.folder], FACE)
    this.catalogue = new ModuleCatalogue(this.loader)
    this.config = this.read(options.config)
    this.db = database(this.migrated, options.db)
    this.manager = new ModuleManager({
      catalogue: this.catalogue,
      settings: this.config,
      hosts: () => this.hosts.values(),
      log: this.log,
      metrics: new Metrics(),
      db: this.db,
      gate: this.gate,
      bus: this.bus,
      outgoing: {
        send: () => undefined,
        request: () => Promise.reject(new Error('no network here')),
        ...options.outgoing
      },
      server: () => this.server,
      limits: { setup: 300, drain: 300, linger: 2000, ...options.limits }
    })
    t.after(() => this.manager.stop())
  }

  /** A class with private fields, as the real one may be. */
  get server(): ServerApi {
    return new RigServer(this) as unknown as ServerApi
  }

  /** Reads a config and makes the hosts that it names. */
  read(text: string): Config {
    // What a module needs is asked by the config too; here the manager must find it out by itself
    const get = (name: string) => {
      const entry = this.catalogue.get(name)
      return entry && { ...entry, dependencies: [] }
    }
    const known = { names: () => this.catalogue.names(), get }
    const result = loadConfig({ text, name: 'test.yaml' }, known, {})
    if (!result.ok) throw new Error(formatFaults(result.faults))
    for (const name of [...this.hosts.keys()])
      if (name !== '' && !result.config.hosts.has(name)) this.hosts.delete(name)
    for (const { name, type } of result.config.hosts.values()) {
      if (!this.hosts.has(name)) this.hosts.set(name, new Host(name, type))
    }
    if (!this.hosts.has('')) this.hosts.set('', new Host('', 'server'))
    return result.config
  }

  host(name = 'a.example'): Host {
    const host = this.hosts.get(name)
    if (!host) throw new Error(`no host ${name}`)
    return host
  }

  write(files: Record<string, string>): void {
    write(this.folder, files)
  }

  /** What the `test/value` items of a host say: each test module offers some. */
  values(host?: string): string[] {
    return this.host(host).items.list('test/value')
  }

  /** Raises an event of a host; what handlers write into it is the answer. */
  ask(event: string, payload: Asked = {}, host?: string): Asked & { done: Promise<unknown> } {
    const asked: Asked & { done: Promise<unknown> } = Object.assign(payload, {
      done: Promise.resolve()
    })
    asked.done = Promise.resolve(this.host(host).hooks.run(event, asked))
    return asked
  }

  /** Where a file lies, for messages that name it. */
  file(name: string): string {
    return path.join(this.folder, name)
  }
}

class RigServer {
  readonly version = '1.2.3'
  readonly #rig: Rig

  constructor(rig: Rig) {
    this.#rig = rig
  }

  get modules(): ServerApi['modules'] {
    return this.#rig.manager.api
  }

  get config(): ServerApi['config'] {
    return { reload: () => Promise.reject(new Error('none')), check: () => ({ ok: true, lines: [] }) }
  }

  isLocal(domain: string): boolean {
    return this.#rig.hosts.has(domain)
  }
}

declare module '../../../core/events/items' {
  interface ItemTypes {
    'test/value': string
  }
}

/** The very object that the test gave, so that it can change its mind. */
function database(migrated: string[], parts: Partial<Database> = {}): Database {
  parts.migrate ??= owner => {
    migrated.push(owner)
    return Promise.resolve({ ran: [] })
  }
  return parts as Database
}

/** A module that offers one value; `body` is the rest of its setup. */
export function moduleText(name: string, value: string, body = '', rest = ''): string {
  return `import { defineModule, z, HANDLED } from 'balcony'
export default defineModule({
  name: '${name}',
  description: 'A module of a test',
  on: ['virtual', 'component', 'server'],
  config: z.object({ word: z.string().default('').describe('A word') }),
  ${rest}
  setup (ctx: any, saved: any) {
    ctx.add('test/value', ${JSON.stringify(value)})
    ${body}
  }
})
`
}
