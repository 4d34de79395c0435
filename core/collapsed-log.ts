import type { Log } from './log'

/** Milliseconds in which what is repeated is counted and not written. */
const WINDOW = 60_000

/** Keys at a time; what is beyond that counts as one. */
const MOST_KEYS = 1000
const OTHERS = ''

type Level = 'warn' | 'info' | 'error'

interface Repeated {
  level: Level
  since: number
  more: number
  /** Of the last one. */
  data: object
  message: string
}

/**
 * Writes what strangers can cause as often as they like: the first line of a key at once, then no other of that key
 * for a minute; the next tells how many there were. So a log is not filled by whoever makes us refuse something.
 */
export class CollapsedLog {
  readonly #log: Log
  readonly #window: number
  readonly #now: () => number
  readonly #repeated = new Map<string, Repeated>()
  #timer: NodeJS.Timeout | undefined

  constructor(log: Log, options: { window?: number; now?: () => number } = {}) {
    this.#log = log
    this.#window = options.window ?? WINDOW
    this.#now = options.now ?? Date.now
  }

  /** @param key what is the same: without what strangers may choose, but for their address */
  warn(key: string, data: object, message: string): void {
    this.#write('warn', key, data, message)
  }

  info(key: string, data: object, message: string): void {
    this.#write('info', key, data, message)
  }

  error(key: string, data: object, message: string): void {
    this.#write('error', key, data, message)
  }

  /** Writes how many there were and were not written, and ends its timer. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const repeated of this.#repeated.values()) this.#tell(repeated)
    this.#repeated.clear()
  }

  #write(level: Level, wanted: string, data: object, message: string): void {
    const key = this.#repeated.has(wanted) || this.#repeated.size < MOST_KEYS ? wanted : OTHERS
    const known = this.#repeated.get(key)
    if (known && this.#now() - known.since < this.#window) {
      known.more++
      known.data = data
      return
    }
    if (known) this.#tell(known)
    this.#repeated.delete(key)
    this.#log[level](data, message)
    this.#repeated.set(key, { level, since: this.#now(), more: 0, data, message })
    if (this.#timer) return
    this.#timer = setTimeout(() => this.#sweep(), this.#window)
    this.#timer.unref()
  }

  #sweep(): void {
    this.#timer = undefined
    for (const [key, repeated] of this.#repeated) {
      if (this.#now() - repeated.since < this.#window) continue
      this.#tell(repeated)
      this.#repeated.delete(key)
    }
    if (this.#repeated.size === 0) return
    this.#timer = setTimeout(() => this.#sweep(), this.#window)
    this.#timer.unref()
  }

  #tell({ level, more, data, message }: Repeated): void {
    if (more > 0)
      this.#log[level]({ ...data, more }, `${message} (${more} more times since; the last is told)`)
  }
}
