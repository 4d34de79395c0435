import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { stringify } from 'yaml'
import { createLogger } from '../../core/log'
import { Server } from '../../core/server'
import { testConfig } from './config'
import type { Options, TestServerOptions } from './config'
import type { Reachable } from './wire'

/** A line of the log: `level`, `msg`, and what was said beside it. */
export interface LogLine {
  level: string
  msg?: string
  [key: string]: unknown
}

/** A Balcony in this process, on a folder of its own. */
export class TestServer implements Reachable {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-server-'))
  readonly configFile = path.join(this.folder, 'balcony.yaml')
  readonly log: LogLine[] = []
  #server: Server | undefined

  constructor(readonly options: TestServerOptions = {}) {}

  /** The server itself; throws while it is stopped. */
  get server(): Server {
    if (!this.#server) throw new Error('the test server does not run')
    return this.#server
  }

  get ports(): Reachable['ports'] {
    const found: Reachable['ports'] = {}
    for (const { transport, port } of this.server.ports()) found[transport] ??= port
    for (const { tls, port } of this.server.http.ports()) found[tls ? 'wss' : 'ws'] ??= port
    return found
  }

  /** Starts on the config file; writes it at the first start. */
  async start(): Promise<void> {
    if (!fs.existsSync(this.configFile))
      this.writeConfig(await testConfig(this.options, path.join(this.folder, 'data')))
    const destination = { write: (line: string) => this.#keep(line) }
    const log = createLogger({ level: this.options.logLevel ?? 'info', format: 'json', destination })
    this.#server = await Server.start({ config: this.configFile, log, name: 'a test' })
  }

  writeConfig(config: Options): void {
    fs.writeFileSync(this.configFile, stringify(config))
  }

  /** Ends the server in good order; its data stays. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    await server?.stop('the test is over')
  }

  /** Ends the server and starts it again on the same data. Ports may change. */
  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  async addUser(jid: string, password: string): Promise<void> {
    const [user = '', domain = ''] = jid.split('@')
    const { accounts } = this.server
    if (!(await accounts.exists(user, domain))) await accounts.create(user, domain, password)
  }

  /** What was logged as an error, or worse. */
  errors(): LogLine[] {
    return this.log.filter(line => line.level === 'error' || line.level === 'fatal')
  }

  #keep(line: string): void {
    if (process.env.BALCONY_TEST_LOG) process.stderr.write(line)
    this.log.push(JSON.parse(line) as LogLine)
  }
}

/** Starts a server for a test, which ends with it. */
export async function startTestServer(t: TestContext, options: TestServerOptions = {}): Promise<TestServer> {
  const server = new TestServer(options)
  t.after(async () => {
    await server.stop()
    fs.rmSync(server.folder, { recursive: true, force: true })
  })
  await server.start()
  return server
}
