import { randomUUID } from 'node:crypto'
import { CodedError } from '../errors'
import type { Log } from '../log'
import type { EndingApi, EndingKind, PlannedEnding } from '../modules/ending'

export interface EndingParts {
  /** Who starts the server again; undefined where nobody does. */
  restartedBy: string | undefined
  log: Log
  end(kind: EndingKind, reason: string): void
}

/** It belongs to the server: it outlives the module that asked for it, and there is one on all hosts. */
export class Ending implements EndingApi {
  readonly #parts: EndingParts
  #planned: PlannedEnding | undefined
  #timer: NodeJS.Timeout | undefined
  #over = false

  constructor(parts: EndingParts) {
    this.#parts = parts
  }

  get restarts(): boolean {
    return this.#parts.restartedBy !== undefined
  }

  get planned(): PlannedEnding | undefined {
    return this.#planned
  }

  plan({ kind, seconds, by }: { kind: EndingKind; seconds: number; by: string }): PlannedEnding {
    if (this.#over) throw new CodedError('ERR_STOPPING', 'the server is ending already')
    if (kind === 'restart' && !this.restarts) {
      throw new CodedError(
        'ERR_NO_RESTART',
        'nothing would start this server again: run it by `npm start`, or set BALCONY_RESTARTED_BY where a service manager does'
      )
    }
    this.cancel()
    const planned: PlannedEnding = { id: randomUUID(), kind, at: Date.now() + seconds * 1000, by }
    this.#planned = planned
    this.#timer = setTimeout(() => this.#come(planned), seconds * 1000).unref()
    this.#parts.log.warn({ by, seconds }, `${kind} in ${seconds} s`)
    return planned
  }

  cancel(): PlannedEnding | undefined {
    const planned = this.#planned
    clearTimeout(this.#timer)
    this.#planned = undefined
    return planned
  }

  /** The server ends, for whatever reason. */
  close(): void {
    this.#over = true
    this.cancel()
  }

  #come({ kind, by }: PlannedEnding): void {
    this.#planned = undefined
    this.#parts.end(kind, `${kind} by ${by}`)
  }
}
