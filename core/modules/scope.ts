import { isPromise, type HandlerOwner } from '../events/hooks'
import { CodedError } from '../errors'
import type { Log } from '../log'
import type { UnloadReason } from './contract'
import { catchListeners } from './signal'
import { Timers } from './timers'
import { withTimeout } from './serial'

/**
 * `staged`: what is registered takes effect when setup has succeeded. `live`: at once. `retired`: another version
 * has taken over, handlers that wait for the network are finishing. `closed`: nothing is left.
 */
export type ScopeState = 'staged' | 'live' | 'retired' | 'closed'

/** Something that others see: registered in the host, taken away again. */
interface Face {
  attach(): () => void
  detach: (() => void) | undefined
}

type Release = (reason: UnloadReason) => unknown

/** Milliseconds that one release may take. */
const RELEASE_LIMIT = 5000

/** Milliseconds between two looks at the modules that somebody in here waits for. */
const OTHERS_INTERVAL = 20

/** Owns everything that one version of a module registers on one host, and undoes it (design §3). */
export class Scope implements HandlerOwner {
  state: ScopeState = 'staged'
  readonly log: Log
  readonly timers = new Timers((what, fn) => this.call(what, fn))
  readonly #faces = new Set<Face>()
  readonly #releases = new Set<Release>()
  readonly #controller = new AbortController()
  /** Calls under way into other modules. */
  readonly #calls = new Map<Scope, number>()
  #asked = false
  readonly #idle = new Set<() => void>()
  #running = 0
  #requests = 0
  #asking = 0

  constructor(
    readonly module: string,
    readonly host: string,
    readonly rank: number,
    log: Log
  ) {
    this.log = log.child({ module, host })
    catchListeners(this.#controller.signal, (what, fn) => this.call(what, fn))
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Who is at work in here: handlers, timers, calls from other modules. */
  get running(): number {
    return this.#running
  }

  begin(): void {
    this.#running++
  }

  end(): void {
    this.#running--
    this.#tell()
  }

  /** Counts a call whose promise is under way. */
  track<T>(result: T): T {
    if (!isPromise(result)) return result
    this.begin()
    const ended = (): void => this.end()
    result.then(ended, ended)
    return result
  }

  /** Calls back into the module: what it throws, or its promise, is logged and goes no further. */
  call(what: string, fn: () => unknown): void {
    const failed = (err: unknown): void => this.log.error({ err }, `${what} failed`)
    try {
      const result = this.track(fn())
      if (isPromise(result)) result.catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  /**
   * Somebody in here waits for the network: not waited for when the module is swapped. A promise that is dropped
   * does not end the process when it rejects.
   */
  requesting<T>(promise: Promise<T>): Promise<T> {
    this.#requests++
    this.#tell()
    const ended = (): void => void this.#requests--
    promise.then(ended, ended)
    return promise
  }

  /** Somebody in here waits for the module manager, which must not wait for them. */
  asking<T>(promise: Promise<T>): Promise<T> {
    this.#asking++
    this.#tell()
    const ended = (): void => void this.#asking--
    promise.then(ended, ended)
    return promise
  }

  /** Somebody in here waits for another module: counts as long as that one computes or stores. */
  calling<T>(promise: Promise<T>, other: Scope): Promise<T> {
    if (other === this) return promise
    this.#calls.set(other, (this.#calls.get(other) ?? 0) + 1)
    const ended = (): void => {
      const left = (this.#calls.get(other) ?? 1) - 1
      if (left > 0) this.#calls.set(other, left)
      else this.#calls.delete(other)
    }
    promise.then(ended, ended)
    return promise
  }

  /** How many in here compute or store: not those that wait, themselves or through another module. */
  get busy(): number {
    let busy = this.#running - this.#requests - this.#asking
    // Modules may wait for each other in a circle: whoever is asked again while being asked counts as busy
    if (this.#asked) return busy
    this.#asked = true
    for (const [other, calls] of this.#calls) if (other.busy <= 0) busy -= calls
    this.#asked = false
    return busy
  }

  #tell(): void {
    for (const check of [...this.#idle]) check()
  }

  /**
   * Waits until no handler computes or stores any more, at most `limit` milliseconds; those that wait for the
   * network do not count, nor do `excused` ones. False when the time is over.
   */
  quiet(limit: number, excused = 0): Promise<boolean> {
    return this.#until(() => this.busy - excused <= 0, limit)
  }

  /** Waits until nobody is at work in here but who waits for the manager and the excused. */
  ended(limit: number, excused = 0): Promise<boolean> {
    return this.#until(() => this.#running - this.#asking - excused <= 0, limit)
  }

  /** Waits until nobody at all is at work in here. */
  empty(limit: number): Promise<boolean> {
    return this.#until(() => this.#running <= 0, limit)
  }

  #until(reached: () => boolean, limit: number): Promise<boolean> {
    if (reached()) return Promise.resolve(true)
    return new Promise(resolve => {
      const done = (so: boolean): void => {
        this.#idle.delete(check)
        clearTimeout(timer)
        clearInterval(others)
        resolve(so)
      }
      const check = (): void => void (reached() && done(true))
      const timer = setTimeout(() => done(false), limit)
      // Another module that begins to wait does not tell
      const others = setInterval(check, OTHERS_INTERVAL)
      this.#idle.add(check)
    })
  }

  /** Registers what others see; `attach` returns what takes it away. */
  face(attach: () => () => void): () => void {
    this.refuseWhenClosed()
    if (this.state === 'retired') return () => undefined
    const face: Face = { attach, detach: undefined }
    if (this.state === 'live') face.detach = attach()
    this.#faces.add(face)
    return () => {
      this.#faces.delete(face)
      face.detach?.()
      face.detach = undefined
    }
  }

  /** Registers something to be undone at the end. Returns what forgets it again without undoing it. */
  release(fn: Release): () => void {
    this.refuseWhenClosed()
    this.#releases.add(fn)
    return () => this.#releases.delete(fn)
  }

  /** Throws `ERR_MODULE_CLOSED`. */
  refuseWhenClosed(): void {
    if (this.state !== 'closed') return
    const where = this.host === '' ? 'the server' : this.host
    throw new CodedError(
      'ERR_MODULE_CLOSED',
      `${this.module} is unloaded on ${where}: its ctx registers nothing more`
    )
  }

  /** Makes visible what was registered, all of it or nothing. */
  attach(): void {
    try {
      for (const face of this.#faces) face.detach ??= face.attach()
      this.state = 'live'
    } catch (error) {
      this.detach()
      throw error
    }
  }

  /** Takes away what others see, newest first. `attach` brings it back until the scope is retired. */
  detach(): void {
    for (const face of [...this.#faces].reverse()) {
      face.detach?.()
      face.detach = undefined
    }
    if (this.state === 'live') this.state = 'staged'
  }

  /** Another version has taken over. */
  retire(): void {
    this.detach()
    this.#faces.clear()
    if (this.state !== 'closed') this.state = 'retired'
  }

  /** Undoes what is not visible, newest first. What fails is told, and keeps nothing else from being undone. */
  async undo(reason: UnloadReason): Promise<string[]> {
    const faults: string[] = []
    this.timers.stop()
    while (this.#releases.size > 0) {
      const releases = [...this.#releases].reverse()
      this.#releases.clear()
      for (const release of releases) await this.#undo(release, reason, faults)
    }
    return faults
  }

  async #undo(release: Release, reason: UnloadReason, faults: string[]): Promise<void> {
    try {
      const result = release(reason)
      if (isPromise(result))
        await withTimeout(result, RELEASE_LIMIT, () => new Error('it has not ended in time'))
    } catch (error) {
      this.log.error({ err: error }, 'a release failed')
      faults.push(error instanceof Error ? error.message : String(error))
    }
  }

  /** Ends requests, timers and whatever listens to the signal. */
  abort(): void {
    if (!this.#controller.signal.aborted) this.#controller.abort()
  }

  /**
   * Undoes all of it. Handlers under way, but for `excused` ones, have `wait` milliseconds to end before what the
   * module has deferred is released.
   */
  async close(reason: UnloadReason, { wait = 0, excused = 0 } = {}): Promise<string[]> {
    this.retire()
    this.timers.stop()
    this.abort()
    if (!(await this.ended(wait, excused))) {
      if (wait > 0) this.log.warn(`${this.#running} handlers have not ended after ${wait / 1000} s`)
    }
    const faults = await this.undo(reason)
    this.timers.end()
    this.state = 'closed'
    return faults
  }
}
