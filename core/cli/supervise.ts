import { spawn, type ChildProcess } from 'node:child_process'
import path from 'node:path'
import { EXIT } from './exit'
import { printError } from './output'
import type { Started } from './serve'

const PROGRAM = path.resolve(__dirname, '..', '..', 'bin', 'balcony.js')
/** Milliseconds before the next start: doubled from fault to fault. */
const FIRST_PAUSE = 500
const LONGEST_PAUSE = 60_000
/** A server that has run for so many milliseconds is taken to be sound: its next fault counts as the first. */
const SOUND = 300_000
/** Milliseconds beyond the server's own bound, until one that does not end is killed. */
const GRACE = 5000
/** Seconds that a server which has not told better may take to end. */
const STOP_SECONDS = 10

/**
 * Runs the server in a process of its own and starts it again after a fault. Holds no state, and so has nothing to
 * lose: it passes signals on and ends when the server ends by itself. Resolves with the exit code.
 */
export function supervise(args: readonly string[]): Promise<number> {
  return new Parent(args).run()
}

class Parent {
  #child: ChildProcess | undefined
  #stopSeconds = STOP_SECONDS
  #pause = FIRST_PAUSE
  /** The server has run at least once: then what ends it is worth another try. */
  #everStarted = false
  #stopping = false
  #waiting: NodeJS.Timeout | undefined
  #done: (code: number) => void = () => undefined

  constructor(private readonly args: readonly string[]) {}

  run(): Promise<number> {
    process.on('SIGTERM', () => this.#stop('SIGTERM'))
    process.on('SIGINT', () => this.#stop('SIGINT'))
    process.on('SIGHUP', () => this.#child?.kill('SIGHUP'))
    return new Promise(resolve => {
      this.#done = resolve
      this.#start()
    })
  }

  #start(): void {
    const began = Date.now()
    const child = spawn(
      process.execPath,
      [...process.execArgv, PROGRAM, 'start', '--no-supervise', ...this.args],
      {
        stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
        env: { ...process.env, BALCONY_RESTARTED_BY: 'balcony' }
      }
    )
    this.#child = child
    child.on('message', (message: Started) => {
      this.#everStarted = true
      this.#stopSeconds = message.stopSeconds
    })
    child.on('error', error => {
      printError(`The server cannot be started: ${error.message}`)
      this.#done(EXIT.failed)
    })
    child.on('exit', (code, signal) => {
      this.#child = undefined
      if (Date.now() - began > SOUND) this.#pause = FIRST_PAUSE
      this.#ended(code, signal)
    })
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    // It may be on its way out for a restart when it is told to end
    if (this.#stopping && code === EXIT.restart) return this.#done(EXIT.ok)
    if (this.#stopping || code === EXIT.ok) return this.#done(code ?? EXIT.failed)
    if (code === EXIT.restart) return this.#restart()
    if (!this.#everStarted) return this.#done(code ?? EXIT.failed)
    const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`
    printError(`The server ${how}; it is started again in ${this.#pause / 1000} s.`)
    this.#waiting = setTimeout(() => this.#start(), this.#pause)
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE)
  }

  /** It was asked for, so nothing is wrong with it. */
  #restart(): void {
    this.#pause = FIRST_PAUSE
    this.#start()
  }

  #stop(signal: NodeJS.Signals): void {
    this.#stopping = true
    clearTimeout(this.#waiting)
    const child = this.#child
    if (!child) return this.#done(EXIT.ok)
    child.kill(signal)
    setTimeout(() => child.kill('SIGKILL'), this.#stopSeconds * 1000 + GRACE).unref()
  }
}
