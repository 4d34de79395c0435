import { CodedError } from '../errors'

/** Calls back into the module, where what it throws is caught. */
type Call = (what: string, fn: () => unknown) => void

/** What a timer of Node can wait at most: longer ones would fire at once. */
const LONGEST = 2 ** 31 - 1

interface Timer {
  handle: NodeJS.Timeout
  fire(): void
  /** It came due while timers were paused. */
  due: boolean
}

/** The timers of a scope. While they are paused none calls back; what came due meanwhile does when they resume. */
export class Timers {
  readonly #call: Call
  readonly #timers = new Set<Timer>()
  #paused = false
  #ended = false

  constructor(call: Call) {
    this.#call = call
  }

  every(ms: number, fn: () => void | Promise<void>): () => void {
    let busy = false
    const tick = async (): Promise<void> => {
      busy = true
      try {
        await fn()
      } finally {
        busy = false
      }
    }
    return this.#start(ms, setInterval, () => {
      // A tick that takes longer than the interval is not overtaken
      if (!busy) this.#call('a timer', tick)
    })
  }

  after(ms: number, fn: () => void | Promise<void>): () => void {
    const cancel = this.#start(ms, setTimeout, () => {
      cancel()
      this.#call('a timer', fn)
    })
    return cancel
  }

  #start(ms: number, set: typeof setTimeout | typeof setInterval, fire: () => void): () => void {
    if (!(ms >= 0 && ms <= LONGEST))
      throw new CodedError('ERR_MODULE_TIMER', `no timer waits ${ms} milliseconds`)
    if (this.#ended) return () => undefined
    // The sockets and the database keep the process, not the timers
    const timer: Timer = { handle: set(() => this.#came(timer), ms).unref(), fire, due: false }
    this.#timers.add(timer)
    return () => {
      clearTimeout(timer.handle)
      this.#timers.delete(timer)
    }
  }

  #came(timer: Timer): void {
    if (this.#paused) timer.due = true
    else timer.fire()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    for (const timer of [...this.#timers]) {
      if (!timer.due) continue
      timer.due = false
      timer.fire()
    }
  }

  /** Ends those there are. Handlers that are finishing may set others. */
  stop(): void {
    for (const { handle } of this.#timers) clearTimeout(handle)
    this.#timers.clear()
    this.#paused = false
  }

  /** For good. */
  end(): void {
    this.stop()
    this.#ended = true
  }
}
