/** What the process ends with. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** A fault of the server's own, as in sysexits(3): EX_SOFTWARE. The parent starts it again. */
  fault: 70,
  /** Asked to restart, as in sysexits(3): EX_TEMPFAIL. Whoever watches over the process starts it again. */
  restart: 75,
  /** Ctrl-C while something was asked for. */
  interrupted: 130
} as const

/** Ends a command with a message for the person who ran it, and no stack. */
export class Failure extends Error {
  override readonly name = 'Failure'
  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed
  ) {
    super(message)
  }
}
