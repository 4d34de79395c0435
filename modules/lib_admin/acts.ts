import { isStanzaError, StanzaError, type CommandResult } from '#core'
import { done, refused, type Act } from './audit'

interface Outcome {
  line: string
  error?: StanzaError
}

/**
 * Acts on each target in turn and reports on each. What could not be done to some is told beside what was done
 * to the others; when nothing was done the answer is the error (XEP-0133 §5).
 * `fn` resolves with what happened, as "was removed", or throws a StanzaError.
 */
export async function actOnEach(
  act: Act,
  targets: readonly string[],
  fn: (target: string) => string | Promise<string>
): Promise<CommandResult> {
  const outcomes: Outcome[] = []
  for (const target of targets) outcomes.push(await actOn(act, target, fn))
  const failed = outcomes.filter(({ error }) => error)
  const first = failed[0]?.error
  if (first && failed.length === outcomes.length) {
    if (failed.length === 1 && first.text?.includes(targets[0] ?? '')) throw first
    throw new StanzaError(first.condition, { type: first.type, text: linesOf(outcomes), app: [...first.app] })
  }
  return { notes: [{ type: failed.length === 0 ? 'info' : 'warn', text: linesOf(outcomes) }] }
}

async function actOn(
  act: Act,
  target: string,
  fn: (target: string) => string | Promise<string>
): Promise<Outcome> {
  try {
    const what = await fn(target)
    done(act, target)
    return { line: `${target} ${what}` }
  } catch (thrown) {
    refused(act, target, thrown)
    const error = isStanzaError(thrown) ? thrown : new StanzaError('internal-server-error')
    return { line: `${target}: ${error.text ?? error.condition}`, error }
  }
}

function linesOf(outcomes: readonly Outcome[]): string {
  return outcomes.map(({ line }) => line).join('\n')
}
