import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'

const PROGRAM = fileURLToPath(new URL('../bin/balcony.js', import.meta.url))
const DEFAULTS = fileURLToPath(new URL('../config/balcony.yaml', import.meta.url))
/** Milliseconds for the start, and for a command. */
const LIMIT = 60_000

/** A Balcony with the default config, in a process and a folder of its own. */
export class DemoServer {
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-demo-'))
  #child
  #told = ''
  port = 0

  get config() {
    return path.join(this.#folder, 'balcony.yaml')
  }

  get certificate() {
    return path.join(this.#folder, 'data', 'balcony.crt')
  }

  /** Starts it, and resolves when clients can come. */
  async start() {
    fs.writeFileSync(this.config, stringify(settings(this.#folder)))
    const args = [PROGRAM, 'start', '--no-supervise', '--config', this.config]
    // It ends when this channel does, so it outlives nobody.
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    this.#child = child
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the server did not start:\n${this.#told}`)), LIMIT)
      const hear = chunk => {
        this.#told += chunk
        const port = /clients \(STARTTLS\) on 127\.0\.0\.1:(\d+)/.exec(this.#told)?.[1]
        if (!port) return
        clearTimeout(timer)
        this.port = Number(port)
        resolve()
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.once('exit', () => reject(new Error(`the server ended at its start:\n${this.#told}`)))
    })
  }

  /** Makes their accounts by the command line, as an operator does; returns the passwords by address. */
  async admits(names) {
    const passwords = {}
    for (const name of names) {
      const jid = `${name}@localhost`
      const verb = name === 'admin' ? 'password' : 'add' // the first start made it
      passwords[jid] = randomBytes(12).toString('base64url')
      await this.#command(['user', verb, jid], passwords[jid])
    }
    return passwords
  }

  async #command(args, input) {
    const child = spawn(process.execPath, [PROGRAM, ...args, '--config', this.config], {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: LIMIT
    })
    let told = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (told += chunk))
    child.stdin.end(`${input}\n`)
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`balcony ${args.join(' ')}: ${told}`)
  }

  async end() {
    const child = this.#child
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
    fs.rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** The default config, but for where it listens and keeps its data. */
function settings(folder) {
  const config = parse(fs.readFileSync(DEFAULTS, 'utf8'))
  const { websocket: _websocket, ...modules } = config.modules
  modules.c2s = { ...modules.c2s, listen: [{ address: '127.0.0.1', port: 0 }], directTls: [] }
  for (const host of Object.values(config.hosts)) host.admins = ['admin@localhost']
  return { ...config, data: path.join(folder, 'data'), http: { listen: [] }, modules }
}
