import type { AckLimits, AckRhythm } from './ack-queue'

/** Stream management as a host offers it to its clients (XEP-0198), by one module. Plain data. */
export interface StreamManagement {
  /** Milliseconds that a session lives on without a connection, at most; 0: it does not. */
  readonly resumption: number
  /** Where a client should connect to resume: `host:port` (XEP-0198 §3). */
  readonly location?: string | undefined
  /** What may be sent to a client that has not acknowledged it; beyond that its session ends. */
  readonly unacknowledged: AckLimits
  readonly rhythm: AckRhythm
  /**
   * Sessions that live on without a connection: further ones end the oldest. `bytes` is what may wait for all of them
   * together, as `unacknowledged` measures it: beyond that those end that hold most.
   */
  readonly hibernating: { readonly perAccount: number; readonly perHost: number; readonly bytes: number }
}

declare module '../../events/items' {
  interface ItemTypes {
    'stream-management': StreamManagement
  }
}
