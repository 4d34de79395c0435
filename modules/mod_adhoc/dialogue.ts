import {
  begin,
  commandOf,
  Denied,
  el,
  formOf,
  goOn,
  isStanzaError,
  newWalk,
  NS,
  readdress,
  renderForm,
  StanzaError,
  WalkError,
  type AdhocCommand,
  type CollapsedLog,
  type CommandRun,
  type Context,
  type Element,
  type FormDef,
  type StanzaEvent,
  type Walk,
  type WalkAction,
  type WalkStep
} from '#core'
import { denied } from '../lib_admin'
import { isOffered, mayRun } from './access'
import type { AdhocConfig, Commands } from './index'
import { isSpoken, LANGUAGE, languageOf } from './languages'
import type { DialogueSession, Sessions } from './sessions'

const ACTIONS = ['execute', 'next', 'prev', 'complete', 'cancel'] as const
type Action = (typeof ACTIONS)[number]

/** XEP-0050 §4.4: each of these is `bad-request`, but for the last. */
type Refusal =
  'malformed-action' | 'bad-action' | 'bad-locale' | 'bad-payload' | 'bad-sessionid' | 'session-expired'

function refused(app: Refusal, text: string): StanzaError {
  const expired = app === 'session-expired'
  return new StanzaError(expired ? 'not-allowed' : 'bad-request', {
    app: el(app, NS.COMMANDS),
    text,
    type: expired ? 'cancel' : 'modify'
  })
}

export interface Dialogues {
  ctx: Context<AdhocConfig>
  commands: Commands
  sessions: Sessions
  /** What was refused, for the log. */
  refusals: CollapsedLog
}

/** Answers one request of a dialogue, the first or a later one. */
export async function runCommand(
  dialogues: Dialogues,
  event: StanzaEvent,
  request: Element
): Promise<Element> {
  try {
    return await answerTo(dialogues, event, request)
  } catch (error) {
    throw isStanzaError(error) ? repeating(request, error) : error
  }
}

/** As the examples of XEP-0050 §4.4, XEP-0133: slixmpp finds its dialogue by the id. What was typed is not sent back. */
function repeating({ attrs }: Element, error: StanzaError): StanzaError {
  const { condition, type, text, app, uri, by } = error
  const { node, sessionid, action } = attrs
  const payload = el('command', { xmlns: NS.COMMANDS, node, sessionid, action })
  return new StanzaError(condition, { type, text, app: [...app], uri, by, payload })
}

async function answerTo(dialogues: Dialogues, event: StanzaEvent, request: Element): Promise<Element> {
  const { commands, sessions } = dialogues
  const node = request.attrs.node
  if (!node) throw new StanzaError('bad-request', 'a command has a node') // §4.1
  const action = readAction(request)
  const id = request.attrs.sessionid
  if (id === '') throw refused('bad-sessionid', 'a session id is not empty') // §4.1
  const session =
    id === undefined
      ? undefined
      : sessions.find(id, { requester: event.from.full, asked: event.to.full, node }, Date.now())
  // §3.4: always allowed, whoever they have become and whatever became of the command
  if (session && action === 'cancel') return cancel(sessions, session)

  const command = commands.get(node)
  if (!command || !isOffered(command, event)) throw new StanzaError('item-not-found', 'no such command')
  const { ctx } = dialogues
  const walk = (state: Walk['state'], lang: string | undefined): Walk => ({
    command,
    state,
    host: ctx.host,
    log: ctx.log,
    role: () => ctx.server.role(event.from, ctx.host),
    run: runOf(ctx, event, lang)
  })
  try {
    if (id === undefined) return await start(dialogues, event, request, action, walk)
    if (!session && !mayRun(ctx, command, event))
      throw new Denied(command.access, ctx.server.role(event.from, ctx.host))
    // §4.4; whose id it is otherwise is not told.
    if (!session) throw refused('session-expired', 'the dialogue has ended, or never was: start again')
    return await next(
      sessions,
      session,
      walk(session.walk, session.lang),
      action as WalkAction,
      formOf(request)
    )
  } catch (error) {
    if (error instanceof WalkError) throw refused(error.reason, error.message)
    if (error instanceof Denied) {
      if (session) sessions.end(session)
      deny(dialogues, event, command, error)
    }
    throw error
  }
}

function readAction(request: Element): Action {
  const action = request.attrs.action ?? 'execute'
  if (!ACTIONS.includes(action as Action)) throw refused('malformed-action', 'no such action')
  return action as Action
}

function runOf(ctx: Context, event: StanzaEvent, lang: string | undefined): CommandRun {
  const role = ctx.server.role(event.from, ctx.host)
  return { requester: event.from, actor: event.from.bare, role, lang, event }
}

/** §2.4.3: the resources of the dialogue are free. */
function cancel(sessions: Sessions, session: DialogueSession): Element {
  sessions.end(session)
  return answer(session.node, session.id, 'canceled')
}

async function start(
  { sessions }: Dialogues,
  event: StanzaEvent,
  request: Element,
  action: Action,
  walkAt: (state: Walk['state'], lang: string | undefined) => Walk
): Promise<Element> {
  if (action !== 'execute') throw refused('bad-action', 'a command starts with execute')
  if (!isSpoken(request)) throw refused('bad-locale', 'there is only English here')
  const lang = languageOf(event.stanza, request)
  const walk = walkAt(newWalk(), lang)
  if (walk.command.stages.length === 0) return told(walk, sessions.newId(), await begin(walk))
  const step = await begin(walk)
  const session = sessions.open(
    {
      requester: event.from.full,
      bare: event.from.bare,
      asked: event.to.full,
      node: walk.command.node,
      lang,
      stages: walk.command.stages.length,
      walk: walk.state
    },
    walk.run.role,
    Date.now()
  )
  return told(walk, session.id, step)
}

async function next(
  sessions: Sessions,
  session: DialogueSession,
  walk: Walk,
  action: WalkAction,
  form: Element | undefined
): Promise<Element> {
  let step: WalkStep
  try {
    step = await goOn(walk, action, form && asSubmit(form))
  } catch (error) {
    // It was begun and failed: nobody goes on from there
    if (session.walk.finishing) sessions.end(session)
    throw error
  }
  if (step.status === 'completed') sessions.end(session)
  return told(walk, session.id, step)
}

/** XEP-0050 §3.5.1: a form of type `cancel` counts as submitted; the action says whether to cancel. */
function asSubmit(form: Element): Element {
  return form.attrs.type === 'cancel' ? readdress(form, { type: 'submit' }) : form
}

function told({ command }: Walk, id: string, step: WalkStep): Element {
  if (step.status === 'completed') {
    const { form, notes = [] } = step.result
    return answer(command.node, id, 'completed', [form, ...notes.map(note)])
  }
  const content = [
    actionsOf(step),
    renderForm(saying(step), step.form.values),
    // §3.6, §4.3
    step.fault && note({ type: 'error', text: step.fault.message })
  ]
  return answer(command.node, id, 'executing', content)
}

function note({ type, text }: { type: string; text: string }): Element {
  return el('note', { type }, text)
}

/** The fault in the form, too: of several instructions profanity shows the first, converse.js the last; no notes. */
function saying({ form, fault }: WalkStep & { status: 'executing' }): FormDef {
  if (!fault) return form
  const instructions = [`${fault.message.replace(/\.$/, '')}.`, form.instructions ?? []].flat().join(' ')
  return { ...form, instructions }
}

/** §4.2: of one stage, too; converse.js shows no form without. */
function actionsOf({ prev, next }: WalkStep & { status: 'executing' }): Element {
  return el(
    'actions',
    { execute: next ? 'next' : 'complete' },
    prev && el('prev'),
    next ? el('next') : el('complete')
  )
}

function answer(
  node: string,
  sessionid: string,
  status: string,
  content: (Element | undefined)[] = []
): Element {
  // §3.7: every answer says its language
  return el('command', { xmlns: NS.COMMANDS, node, sessionid, status, 'xml:lang': LANGUAGE }, content)
}

/** A line for the log, with its reason; strangers cannot fill it. */
function deny({ ctx, refusals }: Dialogues, event: StanzaEvent, { node }: AdhocCommand, error: Denied): void {
  const data = { node, from: event.from.full, has: error.has, needs: error.needs }
  refusals.warn(`${event.from.bare} ${node}`, data, `command refused: ${error.why}`)
  denied(ctx, event, commandOf(node), error.why)
}
