/** Milliseconds that the manager waits. */
export interface ModuleLimits {
  /** For a setup. */
  setup: number
  /** At a swap, for handlers that compute or store; stanzas wait meanwhile. At an unload, for all handlers. */
  drain: number
  /** For handlers that a swap left to finish on the old code. */
  linger: number
}

export const MODULE_LIMITS: Readonly<ModuleLimits> = { setup: 30_000, drain: 5_000, linger: 120_000 }
