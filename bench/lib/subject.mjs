// A server under test: one process, or two of its kind beside each other for what goes from server to server.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

const BENCH = path.join(import.meta.dirname, '..')

/** Addresses of their own, because servers look for each other at one port. */
const PAIR = ['a', 'b'].map((INSTANCE, i) => {
  const ADDRESS = `127.0.81.${i + 1}`
  return { INSTANCE, ADDRESS, DOMAIN: ADDRESS }
})

export class Subject {
  #server
  #instances

  /** @param env for the set-up script, beside the server's own */
  constructor(name, server, { pair = false, env = {} } = {}) {
    this.name = name
    this.#server = server
    this.#instances = (pair ? PAIR : [{}]).map(instance => ({ ...server.env, ...env, ...instance }))
  }

  #verb(verb, env) {
    // What is started outlives the script, and would hold a pipe open.
    const stdout = verb === 'start' ? fs.openSync('/dev/null', 'w') : 'pipe'
    const ran = spawnSync(this.#server.setup, [verb], {
      cwd: BENCH,
      env: { ...process.env, ...env },
      encoding: 'utf8',
      stdio: ['ignore', stdout, 'pipe'],
      timeout: 60_000
    })
    if (verb === 'start') fs.closeSync(stdout)
    if (ran.status !== 0)
      throw new Error(`${this.#server.setup} ${verb}: ${ran.stderr || ran.error?.message}`)
    return (ran.stdout ?? '').trim()
  }

  /** @param env CPUS and NICE */
  start(env = {}) {
    for (const instance of this.#instances) this.#verb('start', { ...instance, ...env })
  }

  stop() {
    for (const instance of this.#instances) this.#verb('stop', instance)
  }

  destroy() {
    for (const instance of this.#instances) this.#verb('destroy', instance)
  }

  /** The options of bench.mjs that reach each instance. */
  get options() {
    return this.#instances.map(instance => parsed(this.#verb('env', instance)))
  }

  /** Where the server keeps its data, of each instance. */
  get folders() {
    return this.options.map(options => path.dirname(options['pid-file']))
  }

  /** Runs the load generator; answers { code, lines: results, err, cmd }. */
  bench(args, { pinned = false, nice = '0', instance, timeoutMs = 900_000 } = {}) {
    const command = [
      ...(nice === '0' ? [] : ['nice', '-n', nice]),
      ...(pinned ? ['taskset', '-c', '1'] : []),
      ...['node', 'bench.mjs', ...flags(this.#reach(instance)), '--json', ...args.split(/\s+/)]
    ]
    return run(command, timeoutMs)
  }

  #reach(instance) {
    const all = this.options
    if (instance !== undefined) return all[instance]
    const [first, second] = all
    if (!second) return first
    return {
      ...first,
      'pid-file': `${first['pid-file']},${second['pid-file']}`,
      'peer-host': second.host,
      'peer-port': second.port,
      'peer-domain': second.domain
    }
  }
}

/** What a set-up script says it lacks, or undefined. */
export function lacks(server) {
  const ran = spawnSync(server.setup, ['needs'], {
    cwd: BENCH,
    env: { ...process.env, ...server.env },
    encoding: 'utf8'
  })
  return ran.status === 0 ? undefined : ran.error?.message || ran.stdout.trim() || ran.stderr.trim()
}

function parsed(text) {
  const words = text.split(/\s+/)
  return Object.fromEntries(words.flatMap((word, i) => (i % 2 === 0 ? [[word.slice(2), words[i + 1]]] : [])))
}

function flags(options) {
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
}

function run(command, timeoutMs) {
  return new Promise(resolve => {
    const child = spawn(command[0], command.slice(1), { cwd: BENCH, stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let err = ''
    child.stdout.on('data', chunk => (out += chunk))
    child.stderr.on('data', chunk => (err += chunk))
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    child.on('close', code => {
      clearTimeout(timer)
      const lines = out.split('\n').filter(Boolean).map(result)
      if (lines.length === 0) lines.push({ fatal: `no output, exit ${code}: ${err.slice(-300)}` })
      resolve({ code, lines, err, cmd: command.join(' ') })
    })
  })
}

function result(line) {
  try {
    return JSON.parse(line)
  } catch {
    return { fatal: line }
  }
}
