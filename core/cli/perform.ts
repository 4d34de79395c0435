import { z } from 'zod'
import { CodedError } from '../errors'
import type { Log } from '../log'
import { Request, type Answer, type ControlOperations, type Emit } from './control-protocol'

/** Does what was asked for. Never rejects: what fails is the answer. */
export async function perform(
  operations: ControlOperations,
  request: unknown,
  emit: Emit,
  log: Log
): Promise<Answer> {
  const parsed = Request.safeParse(request)
  if (!parsed.success) return refusal('ERR_CONTROL_REQUEST', 'this is no request')
  const { op, params, user } = parsed.data
  const caller = { actor: `local:${user}` }
  const operation = Object.hasOwn(operations, op) ? operations[op] : undefined
  if (!operation) {
    return refusal(
      'ERR_CONTROL_OPERATION',
      `this server cannot do '${op}': it may be another version of Balcony`
    )
  }
  const checked = operation.params.safeParse(params)
  if (!checked.success) {
    // Only where it is wrong: a value may be a password
    const wrong = checked.error.issues.map(issue => `${issue.path.join('.') || op}: ${issue.message}`)
    return refusal('ERR_CONTROL_PARAMS', wrong.join('; '))
  }
  const on = operation.on?.(checked.data as never)
  try {
    const result = await operation.run(checked.data as never, emit, caller)
    if (on !== undefined) tell(log, { by: caller.actor, command: op, on }, complaint(result))
    return { ok: true, result: result ?? null }
  } catch (error) {
    if (error instanceof CodedError) {
      if (on !== undefined) tell(log, { by: caller.actor, command: op, on }, error.message)
      return refusal(error.code, error.message)
    }
    log.error({ err: error, operation: op }, 'an operation of the command line failed')
    return refusal('ERR_FAULT', 'a fault of the server: its log says more')
  }
}

function refusal(code: string, message: string): Answer {
  return { ok: false, error: { code, message } }
}

/** A report of something that was tried, as the modules and the config give it. */
const Report = z.object({
  ok: z.literal(false),
  message: z.string().optional(),
  lines: z.array(z.string()).optional()
})

/** Why a report says that nothing came of it; undefined for everything else. */
export function complaint(result: unknown): string | undefined {
  const report = Report.safeParse(result).data
  return report && (report.message ?? report.lines?.join('\n') ?? '')
}

/** An act of administration, in the words of mod_adhoc_admin. */
function tell(log: Log, line: { by: string; command: string; on: string }, detail: string | undefined): void {
  if (detail === undefined) log.info({ ...line, result: 'done' }, 'administration')
  else log.warn({ ...line, result: 'failed', detail }, 'administration: not done')
}
