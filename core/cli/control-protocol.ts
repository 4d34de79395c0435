import { z } from 'zod'

/*
 * How the command line talks to a running server, on a Unix socket that its owner alone can open: one request, a
 * line of JSON; then lines of JSON, the last of which is the answer. One request for each connection.
 */

/** Characters of a request, and of one line of an answer. */
export const MAX_REQUEST = 1024 * 1024
export const MAX_ANSWER = 16 * 1024 * 1024
/** Milliseconds in which a request must have come. */
export const REQUEST_TIME = 10_000
/** What is under way at the same time, at most. */
export const MAX_CONNECTIONS = 16
/** Further connections, which are told to come back; beyond them nobody is told anything. */
export const MAX_TURNED_AWAY = 64
/** Milliseconds in which whoever is turned away has to be gone. */
export const FAREWELL_TIME = 1000
export const BUSY = 'the server is busy with other commands: try again'

export const Request = z.strictObject({
  op: z.string().max(100),
  params: z.unknown().default({}),
  /**
   * Who asks, for the log and the audit. A claim: whoever may open the socket is the server's own user or root, and
   * could write the database itself.
   */
  user: z
    .string()
    .regex(/^[^\p{C}\p{Z}]{1,100}$/u)
    .default('unknown')
})

/** Who asks for an operation. */
export interface Caller {
  /** `local:USER`. */
  actor: string
}

export type Answer = { ok: true; result: unknown } | { ok: false; error: { code: string; message: string } }

/** A line before the answer, of those that an operation has many of. */
export interface Line {
  line: string
}

/** Passes a line on; resolves when another one may follow. */
export type Emit = (line: string) => void | Promise<void>

/** One thing that the command line can ask for. */
export interface ControlOperation {
  params: z.ZodType
  run(params: never, emit: Emit, caller: Caller): unknown
  /** What an act of administration is done to, for the log; only those that change something have it. */
  on?(params: never): string
}

/** By name. */
export type ControlOperations = Readonly<Record<string, ControlOperation>>

/** Ties the parameters of an operation to their schema. */
export function operation<S extends z.ZodType>(
  params: S,
  run: (params: z.infer<S>, emit: Emit, caller: Caller) => unknown
): ControlOperation {
  return { params, run }
}

/** An operation that changes something: it is a line in the log, done or refused. */
export function act<S extends z.ZodType>(
  params: S,
  on: (params: z.infer<S>) => string,
  run: (params: z.infer<S>, emit: Emit, caller: Caller) => unknown
): ControlOperation {
  return { params, run, on }
}
