import type { Gate } from '../events/gate'
import { isPromise } from '../events/hooks'

export interface QueueLimits {
  /** Stanzas that may wait. */
  count: number
  /** Bytes that may wait. */
  bytes: number
}

export interface QueueOwner<T> {
  /**
   * Handles one item; a promise means that it is not done. `turn` names this call for `release`.
   * Must not throw, and its promise must not reject.
   */
  handle(item: T, turn: number): void | Promise<unknown>
  /** Whether the item may be handled while writes of earlier items have not been committed. */
  joins(item: T): boolean
  /** The queue is full: stop reading; or it is no longer: go on. */
  full(full: boolean): void
}

/**
 * What one sender sent, handled one after another (design §2, RFC 6120 §10.1). The next item is handled when
 * the last is done, or has released the queue because it took its place in a commit group; an item that does
 * not join the group waits until all of it is committed, so that it sees what was written before.
 */
export class SenderQueue<T> {
  readonly #owner: QueueOwner<T>
  readonly #gate: Gate
  readonly #limits: QueueLimits
  #waiting: T[] = []
  #sizes: number[] = []
  #head = 0
  #bytes = 0
  #turn = 0
  #busy = false
  #uncommitted = 0
  /** Also of turns that have left. */
  #uncommittedBytes = 0
  /** Turns under way that have left; they and their bytes count until they end, so that there is a bound to them. */
  readonly #left = new Set<number>()
  #draining = false
  #full = false
  #parked = false

  constructor(owner: QueueOwner<T>, gate: Gate, limits: QueueLimits) {
    this.#owner = owner
    this.#gate = gate
    this.#limits = limits
  }

  /** How many items wait. */
  get length(): number {
    return this.#waiting.length - this.#head
  }

  push(item: T, bytes: number): void {
    if (this.length === 0 && this.#ready(item)) {
      this.#start(item, bytes)
      if (this.length > 0) this.#drain()
      return
    }
    this.#waiting.push(item)
    this.#sizes.push(bytes)
    this.#bytes += bytes
    if (!this.#full && (this.length >= this.#limits.count || this.#bytes >= this.#limits.bytes)) {
      this.#full = true
      this.#owner.full(true)
    }
    if (!this.#gate.open) this.#park()
  }

  /** Ends the turn of an item that is not done but has taken its place among the writes. */
  release(turn: number): void {
    if (!this.#busy || turn !== this.#turn) return
    this.#busy = false
    this.#drain()
  }

  /** Ends it for good: whatever the item still waits for, nothing that comes later waits with it. */
  leave(turn: number): void {
    if (this.#left.has(turn)) return
    this.#left.add(turn)
    this.#uncommitted--
    this.release(turn)
    this.#drain()
  }

  #ready(item: T): boolean {
    if (this.#busy || !this.#gate.open) return false
    const left = this.#left.size
    if (this.#uncommitted === 0 && left === 0) return true
    // What is under way is bounded like what waits: where the database is slow, or whoever is waited for does not
    // answer, the flooder's socket is paused
    const { count, bytes } = this.#limits
    if (this.#uncommitted + left >= count || this.#uncommittedBytes >= bytes) return false
    return this.#uncommitted === 0 || this.#owner.joins(item)
  }

  #start(item: T, bytes: number): void {
    const turn = ++this.#turn
    this.#busy = true
    const result = this.#owner.handle(item, turn)
    if (!isPromise(result)) {
      if (this.#left.delete(turn)) this.#uncommitted++
      if (turn === this.#turn) this.#busy = false
      return
    }
    this.#uncommitted++
    this.#uncommittedBytes += bytes
    void result.then(() => {
      if (!this.#left.delete(turn)) this.#uncommitted--
      this.#uncommittedBytes -= bytes
      if (turn === this.#turn) this.#busy = false
      this.#drain()
    })
  }

  #drain(): void {
    if (this.#draining) return
    this.#draining = true
    while (this.length > 0 && this.#ready(this.#waiting[this.#head] as T)) {
      const bytes = this.#sizes[this.#head] as number
      this.#start(this.#shift(), bytes)
    }
    this.#draining = false
    if (this.length > 0 && !this.#gate.open) this.#park()
    if (this.#full && this.length <= this.#limits.count / 2 && this.#bytes <= this.#limits.bytes / 2) {
      this.#full = false
      this.#owner.full(false)
    }
  }

  #shift(): T {
    const item = this.#waiting[this.#head] as T
    this.#waiting[this.#head] = undefined as never // a long queue must not keep what it has handed on
    this.#bytes -= this.#sizes[this.#head] as number
    if (++this.#head === this.#waiting.length) {
      this.#waiting = []
      this.#sizes = []
      this.#head = 0
    }
    return item
  }

  #park(): void {
    if (this.#parked) return
    this.#parked = true
    this.#gate.whenOpen(() => {
      this.#parked = false
      this.#drain()
    })
  }
}
