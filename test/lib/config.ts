import type { LogLevel } from '../../core/log'
import { mysqlOptions } from './databases'
import type { DatabaseName } from './databases'

/** Part of a config file. */
export type Options = Readonly<Record<string, unknown>>

export interface TestServerOptions {
  /** The hosts, in place of `localhost` with what clients expect of an IM server. */
  hosts?: Readonly<Record<string, Options>>
  /** Modules of the server or of all hosts, beside those of MODULES; `false` takes one of these away. */
  modules?: Options
  /** Further keys of the config file: `limits`, `operators`, `moduleFolders`… */
  config?: Options
  /** A temporary SQLite file unless given. */
  database?: DatabaseName
  /** STARTTLS; `optional` unless given. */
  tls?: 'required' | 'optional' | 'off'
  /** The least that is kept in `log`; `info` unless given. BALCONY_TEST_LOG=1 prints it too. */
  logLevel?: LogLevel
}

/** Where a test server listens; a free port where none is given. */
export interface TestPorts {
  tcp?: number
  tls?: number
  ws?: number
}

/** What every test server has, but for options. */
export const MODULES: Options = {
  disco: {},
  ping: {},
  version: {},
  time: {},
  uptime: {},
  adhoc: {}
}

/** A host as clients expect of an IM server. */
export const IM_HOST: Options = {
  modules: { saslauth: {}, roster: {}, presence: {}, message: {}, offline: {} }
}

/** The config file of a test server, as an object. */
export async function testConfig(
  options: TestServerOptions,
  data: string,
  ports: TestPorts = {}
): Promise<Options> {
  const {
    hosts = { localhost: IM_HOST },
    modules = {},
    config = {},
    database = 'SQLite',
    tls = 'optional'
  } = options
  return {
    data,
    // A test ends by its own will; what is lost at a power cut is not its subject.
    storage: database === 'MariaDB' ? await mysqlOptions() : { driver: 'sqlite', durability: 'normal' },
    http: { listen: [on(ports.ws)] },
    modules: without({
      c2s: { listen: [on(ports.tcp)], directTls: [on(ports.tls)], tls },
      websocket: {},
      ...MODULES,
      ...modules
    }),
    hosts,
    ...config
  }
}

function on(port = 0) {
  return { address: '127.0.0.1', port }
}

function without(modules: Options): Options {
  return Object.fromEntries(Object.entries(modules).filter(([, options]) => options !== false))
}
