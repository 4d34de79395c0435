import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { stringify } from 'yaml'
import { testConfig } from './config'
import type { Options, TestPorts, TestServerOptions } from './config'
import type { Reachable } from './wire'

const PROGRAM = path.resolve(__dirname, '../../bin/balcony.js')
/** Milliseconds: long enough for a busy machine. */
const START_LIMIT = 60_000

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

export interface SpawnOptions extends TestServerOptions {
  /** With the parent that starts the server again after a fault; off unless given. */
  supervised?: boolean
  /** Options of Node's own: `--expose-gc`. */
  execArgv?: readonly string[]
}

/**
 * A Balcony in a process of its own, on a folder of its own: for tests that kill it, and of the command line. Its
 * ports stay the same from start to start.
 */
export class SpawnedServer implements Reachable {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-process-'))
  readonly configFile = path.join(this.folder, 'balcony.yaml')
  readonly ports: TestPorts = {}
  /** Everything that it wrote, from all starts. */
  output = ''
  #child: ChildProcess | undefined
  readonly #users = new Set<string>()

  constructor(readonly options: SpawnOptions = {}) {}

  /** What was started; throws while nothing runs. */
  get process(): ChildProcess {
    if (this.#child?.pid === undefined) throw new Error('the server does not run')
    return this.#child
  }

  /** The process id of what was started; throws while nothing runs. */
  get pid(): number {
    return this.process.pid as number // `process` has asked for it
  }

  /** Starts the server, and resolves when it listens. */
  async start(): Promise<void> {
    if (!fs.existsSync(this.configFile)) {
      Object.assign(this.ports, await freePorts())
      this.writeConfig(await testConfig(this.options, path.join(this.folder, 'data'), this.ports))
    }
    const supervise = this.options.supervised ? [] : ['--no-supervise']
    const args = [PROGRAM, 'start', ...supervise, '--config', this.configFile]
    const child = spawn(process.execPath, [...(this.options.execArgv ?? []), ...args], {
      // The server ends when this channel does, so none outlives its test.
      stdio: ['ignore', 'pipe', 'pipe', this.options.supervised ? 'ignore' : 'ipc']
    })
    this.#child = child
    const keep = (chunk: Buffer): void => {
      this.output += chunk.toString()
      if (process.env.BALCONY_TEST_LOG) process.stderr.write(chunk)
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    child.on('exit', () => {
      if (this.#child === child) this.#child = undefined
    })
    await this.isUp(child)
  }

  /** Resolves when the server takes connections. */
  async isUp(child = this.#child): Promise<void> {
    const until = Date.now() + START_LIMIT
    while (!(await answers(this.ports.tcp ?? 0))) {
      if (child && (child.exitCode !== null || child.signalCode !== null))
        throw new Error(`the server ended at its start:\n${this.output}`)
      if (Date.now() > until)
        throw new Error(`the server does not listen after ${START_LIMIT} ms:\n${this.output}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  writeConfig(config: Options): void {
    fs.writeFileSync(this.configFile, stringify(config))
  }

  /** Sends a signal and waits for the end; resolves with the exit code, or the signal that ended it. */
  async kill(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    const child = this.#child
    if (!child) throw new Error('the server does not run')
    const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
    child.kill(signal)
    const [code, by] = await ended
    return code ?? by ?? 'SIGKILL'
  }

  /** Ends the server in good order and returns its exit code; its data stays. */
  async stop(): Promise<number | NodeJS.Signals | undefined> {
    return this.#child ? this.kill('SIGTERM') : undefined
  }

  /** Runs a command of the command line on this server's config; `input` is its standard input. */
  async run(args: readonly string[], input = ''): Promise<Ran> {
    const child = spawn(process.execPath, [PROGRAM, ...args, '--config', this.configFile])
    const ran: Ran = { code: null, stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => (ran.stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (ran.stderr += chunk.toString()))
    // A command that does not read its input closes the pipe before it is written.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    const [code] = (await once(child, 'close')) as [number | null]
    ran.code = code
    return ran
  }

  /** By the command line, as an operator does. */
  async addUser(jid: string, password: string): Promise<void> {
    if (this.#users.has(jid)) return
    const { code, stdout, stderr } = await this.run(['user', 'add', jid], `${password}\n`)
    if (code !== 0) throw new Error(`user add ${jid} failed: ${stderr}${stdout}`)
    this.#users.add(jid)
  }
}

/** Starts a server in a process of its own for a test; it ends with the test. */
export async function spawnTestServer(t: TestContext, options: SpawnOptions = {}): Promise<SpawnedServer> {
  const server = new SpawnedServer(options)
  t.after(async () => {
    await server.stop()
    fs.rmSync(server.folder, { recursive: true, force: true })
  })
  await server.start()
  return server
}

/** Ports that nobody used a moment ago, told apart by being held at the same time. */
async function freePorts(): Promise<TestPorts> {
  const servers = [net.createServer(), net.createServer(), net.createServer()]
  const ports: number[] = []
  for (const server of servers) {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    ports.push((server.address() as AddressInfo).port)
  }
  for (const server of servers) await new Promise(resolve => server.close(resolve))
  const [tcp = 0, tls = 0, ws = 0] = ports
  return { tcp, tls, ws }
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
