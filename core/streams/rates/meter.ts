/** What a connection may bring, by rate: so much a second, and so much at once before that counts. 0 is no bound. */
export interface Rates {
  bytesPerSecond: number
  burstBytes: number
  stanzasPerSecond: number
  burstStanzas: number
}

export const UNLIMITED: Readonly<Rates> = Object.freeze({
  bytesPerSecond: 0,
  burstBytes: 0,
  stanzasPerSecond: 0,
  burstStanzas: 0
})

/**
 * What one connection may still bring: two buckets of tokens, refilled by the clock whenever they are looked at.
 * What was read already is counted even where it is too much: the debt is paid by not reading. A connection has a
 * meter only while a bucket is not full; one that is made anew is full.
 */
export class Meter {
  #bytes: number
  #stanzas: number
  #at: number

  constructor({ burstBytes, burstStanzas }: Rates, now: number) {
    this.#bytes = burstBytes
    this.#stanzas = burstStanzas
    this.#at = now
  }

  /** Counts what was read. Whether something may still come is what `overdrawn` tells. */
  count(bytes: number, stanzas: number): void {
    this.#bytes -= bytes
    this.#stanzas -= stanzas
  }

  /** Whether more has come than may. `now` in milliseconds, of any clock that goes forward. */
  overdrawn(rates: Rates, now: number): boolean {
    this.#refill(rates, now)
    return (this.#bytes < 0 && rates.bytesPerSecond > 0) || (this.#stanzas < 0 && rates.stanzasPerSecond > 0)
  }

  /** Whether it says no more than a new one would. */
  full(rates: Rates, now: number): boolean {
    this.#refill(rates, now)
    return this.#bytes >= rates.burstBytes && this.#stanzas >= rates.burstStanzas
  }

  #refill(rates: Rates, now: number): void {
    // A clock that was set back must not take anything away
    const seconds = Math.max(0, now - this.#at) / 1000
    this.#at = now
    this.#bytes = filled(this.#bytes, rates.bytesPerSecond, rates.burstBytes, seconds)
    this.#stanzas = filled(this.#stanzas, rates.stanzasPerSecond, rates.burstStanzas, seconds)
  }
}

function filled(level: number, rate: number, burst: number, seconds: number): number {
  // Where there is no bound there is nothing to remember, whatever comes after a change of the config
  return rate === 0 ? burst : Math.min(burst, level + rate * seconds)
}
