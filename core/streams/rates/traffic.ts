import type { Counter } from '../../metrics'
import type { StreamKind } from './kinds'
import { UNLIMITED, type Rates } from './meter'

export interface TrafficCounters {
  /** Connections that were not read for a while, since they brought more than their rate. */
  pauses: Counter
  /** Connections that were closed since they did not read. */
  stalls: Counter
}

/** What holds for all connections of a kind. Each of them holds this object, so a change reaches all at once. */
export class Traffic {
  #rates: Readonly<Rates> = UNLIMITED
  #metered = false
  /**
   * Milliseconds within which a connection must take some 64 KiB of what waits for it; 0 is for ever. Not more: a
   * slow line takes long for a lot and is no fault.
   */
  unreadTime = 0

  constructor(
    readonly kind: StreamKind,
    private readonly counters?: TrafficCounters
  ) {}

  get rates(): Readonly<Rates> {
    return this.#rates
  }
  set rates(rates: Readonly<Rates>) {
    this.#rates = rates
    this.#metered = rates.bytesPerSecond > 0 || rates.stanzasPerSecond > 0
  }

  /** Whether there is any rate. */
  get metered(): boolean {
    return this.#metered
  }

  /** Counts a connection that is paused. */
  paused(): void {
    this.counters?.pauses.inc()
  }

  /** Whether a connection has taken nothing for too long; counted where it is so, for it is closed. */
  isLong(milliseconds: number): boolean {
    if (this.unreadTime === 0 || milliseconds < this.unreadTime) return false
    this.counters?.stalls.inc()
    return true
  }
}
