export type EndingKind = 'restart' | 'shutdown'

/** An end of this process that is to come. */
export interface PlannedEnding {
  readonly id: string
  readonly kind: EndingKind
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Who wants it: a bare JID, or `local:USER`. */
  readonly by: string
}

/** When and how the server ends, for modules that are asked to end it. */
export interface EndingApi {
  /** Something starts the server again when it ends for a restart. */
  readonly restarts: boolean
  readonly planned: PlannedEnding | undefined
  /**
   * Ends the server after so many seconds, in place of what was planned before. Throws `ERR_NO_RESTART` where nothing
   * would start it again, `ERR_STOPPING` when it is too late.
   */
  plan(ending: { kind: EndingKind; seconds: number; by: string }): PlannedEnding
  /** What was planned, and is not any more; undefined if nothing was. */
  cancel(): PlannedEnding | undefined
}
