import { CodedError } from '../../errors'
import { begin, goOn, newWalk, type Walk, type WalkStep } from '../../modules/walk'
import { el, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import { askedForm, resultForm } from './plain'
import type { Answer, Turn } from './protocol'

/** XML 1.0 §2.2: other characters could be stored, but never sent to a client. */
const NO_XML = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u

/**
 * Walks through a command by what was answered so far: to the first form that has no answer, or whose answer is
 * wrong; or to the end, which is said to be meant by `finish`.
 */
export async function turnOf(
  walk: Omit<Walk, 'state'>,
  answers: readonly Answer[],
  finish: boolean
): Promise<Turn> {
  // Its module may have been loaded anew since the last form: what was answered to the old one is not the end here
  if (finish !== (answers.length === walk.command.stages.length))
    throw new CodedError('ERR_COMMAND_CHANGED', 'the command is another one now: start again')
  const own: Walk = { ...walk, state: newWalk() }
  let step = await begin(own)
  for (const answer of answers) {
    if (step.status !== 'executing' || step.fault) break
    step = await goOn(own, step.next ? 'next' : 'complete', asSubmit(answer))
  }
  return asTurn(step, own.state.stage)
}

function asTurn(step: WalkStep, stage: number): Turn {
  if (step.status === 'completed') {
    const { notes = [], form } = step.result
    return { state: 'completed', notes, ...(form ? { form: resultForm(form) } : {}) }
  }
  const { form, fault, next } = step
  return {
    state: 'form',
    stage,
    last: !next,
    form: askedForm(form),
    ...(fault
      ? { fault: { message: fault.message, ...(fault.field === undefined ? {} : { field: fault.field }) } }
      : {})
  }
}

function asSubmit(answer: Answer): Element {
  const fields = answer.map(([name, values]) => {
    if (values.some(value => NO_XML.test(value)))
      throw new CodedError(
        'ERR_CHARACTER',
        `${name} holds a character that cannot be sent by XMPP; nothing was done`
      )
    return el(
      'field',
      { var: name },
      values.map(value => el('value', null, value))
    )
  })
  return el('x', { xmlns: NS.FORM, type: 'submit' }, fields)
}
