import { isPromise, type HandlerOwner } from '../events/hooks'
import { CodedError } from '../errors'
import type { Log } from '../log'
import type { UnloadReason } from './contract'
import { catchListeners } from './signal'
import { Timers } from './timers'
import { withTimeout } from './serial'
import { Workload } from './workload'

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

/** Owns everything that one version of a module registers on one host, and undoes it (design §3). */
export class Scope implements HandlerOwner {
  state: ScopeState = 'staged'
  readonly log: Log
  readonly work = new Workload()
  readonly timers = new Timers((what, fn) => this.call(what, fn))
  readonly #faces = new Set<Face>()
  readonly #releases = new Set<Release>()
  readonly #controller = new AbortController()

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

  begin(): void {
    this.work.begin()
  }

  end(): void {
    this.work.end()
  }

  /** Calls back into the module: what it throws, or its promise, is logged and goes no further. */
  call(what: string, fn: () => unknown): void {
    const failed = (err: unknown): void => this.log.error({ err }, `${what} failed`)
    try {
      const result = this.work.track(fn())
      if (isPromise(result)) result.catch(failed)
    } catch (error) {
      failed(error)
    }
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
      try {
        face.detach?.()
      } catch (err) {
        // Whoever watches and fails must not keep the rest of an old version in place
        this.log.error({ err }, 'taking back a registration failed')
      }
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
    if (!(await this.work.ended(wait, excused))) {
      if (wait > 0) this.log.warn(`${this.work.running} handlers have not ended after ${wait / 1000} s`)
    }
    const faults = await this.undo(reason)
    this.timers.end()
    this.state = 'closed'
    return faults
  }
}
