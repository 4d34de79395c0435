import { isPromise } from '../events/hooks'

/** Milliseconds between two looks at the modules that somebody in here waits for. */
const OTHERS_INTERVAL = 20

/** Who is at work in one version of a module on one host, and who of them only waits. */
export class Workload {
  /** Calls under way into other modules. */
  readonly #calls = new Map<Workload, number>()
  readonly #waiting = new Set<() => void>()
  #running = 0
  #requests = 0
  #asking = 0
  #asked = false

  /** Handlers, timers, and calls from other modules. */
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
  calling<T>(promise: Promise<T>, other: Workload): Promise<T> {
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

  /** How many compute or store: not those that wait, themselves or through another module. */
  get busy(): number {
    let busy = this.#running - this.#requests - this.#asking
    // Modules may wait for each other in a circle: whoever is asked again while being asked counts as busy
    if (this.#asked) return busy
    this.#asked = true
    for (const [other, calls] of this.#calls) if (other.busy <= 0) busy -= calls
    this.#asked = false
    return busy
  }

  /**
   * Waits until no handler computes or stores any more, at most `limit` milliseconds; those that wait for the
   * network do not count, nor do `excused` ones. False when the time is over.
   */
  quiet(limit: number, excused = 0): Promise<boolean> {
    return this.#until(() => this.busy - excused <= 0, limit)
  }

  /** Waits until nobody is at work but who waits for the manager and the excused. */
  ended(limit: number, excused = 0): Promise<boolean> {
    return this.#until(() => this.#running - this.#asking - excused <= 0, limit)
  }

  /** Waits until nobody at all is at work. */
  empty(limit: number): Promise<boolean> {
    return this.#until(() => this.#running <= 0, limit)
  }

  #until(reached: () => boolean, limit: number): Promise<boolean> {
    if (reached()) return Promise.resolve(true)
    return new Promise(resolve => {
      const done = (so: boolean): void => {
        this.#waiting.delete(check)
        clearTimeout(timer)
        clearInterval(others)
        resolve(so)
      }
      const check = (): void => void (reached() && done(true))
      const timer = setTimeout(() => done(false), limit)
      // Another module that begins to wait does not tell
      const others = setInterval(check, OTHERS_INTERVAL)
      this.#waiting.add(check)
    })
  }

  #tell(): void {
    for (const check of [...this.#waiting]) check()
  }
}
