import {
  el,
  FormError,
  formOf,
  NS,
  parseSubmit,
  readdress,
  renderForm,
  StanzaError,
  type AdhocCommand,
  type CollapsedLog,
  type CommandNote,
  type CommandResult,
  type CommandRun,
  type Context,
  type Element,
  type FormValues,
  type StanzaCondition,
  type StanzaEvent
} from '#core'
import { isOffered, mayRun } from './access'
import type { AdhocConfig, Commands } from './index'
import type { DialogueSession, Sessions } from './sessions'

const ACTIONS = ['execute', 'next', 'prev', 'complete', 'cancel'] as const
type Action = (typeof ACTIONS)[number]

/** XEP-0050 §4.4. */
function refused(condition: StanzaCondition, app: string, text: string): StanzaError {
  return new StanzaError(condition, {
    app: el(app, NS.COMMANDS),
    text,
    type: condition === 'not-allowed' ? 'cancel' : 'modify'
  })
}

/** One turn of a dialogue. */
interface Turn {
  command: AdhocCommand
  session: DialogueSession
  run: CommandRun
}

export interface Dialogues {
  ctx: Context<AdhocConfig>
  commands: Commands
  sessions: Sessions
  /** What was refused, for the log. */
  refusals: CollapsedLog
}

export async function runCommand(
  { ctx, commands, sessions, refusals }: Dialogues,
  event: StanzaEvent,
  request: Element
): Promise<Element> {
  const node = request.attrs.node
  if (!node) throw new StanzaError('bad-request', 'a command has a node') // §4.1
  const command = commands.get(node)
  if (!command || !isOffered(command, event)) throw new StanzaError('item-not-found', 'no such command')
  if (!mayRun(ctx, command, event)) {
    const data = { node, from: event.from.full }
    refusals.warn(`${event.from.bare} ${node}`, data, 'command refused: the role does not allow it')
    throw new StanzaError('forbidden')
  }
  const action = readAction(request)
  const id = request.attrs.sessionid
  if (id === '') throw refused('bad-request', 'bad-sessionid', 'a session id is not empty') // §4.1
  if (id === undefined) return start(ctx, sessions, command, event, request, action)

  const who = { requester: event.from.full, asked: event.to.full, node }
  const session = sessions.find(id, who, Date.now())
  // §4.4; whose id it is otherwise is not told.
  if (!session)
    throw refused('not-allowed', 'session-expired', 'the dialogue has ended, or never was: start again')
  return goOn(
    ctx,
    sessions,
    { command, session, run: runOf(ctx, event, session.lang) },
    action,
    formOf(request)
  )
}

function readAction(request: Element): Action {
  const action = request.attrs.action ?? 'execute'
  if (!ACTIONS.includes(action as Action)) throw refused('bad-request', 'malformed-action', 'no such action')
  return action as Action
}

function runOf(ctx: Context, event: StanzaEvent, lang: string | undefined): CommandRun {
  const role = ctx.server.role(event.from, ctx.host)
  return { requester: event.from, actor: event.from.bare, role, lang, event }
}

async function start(
  ctx: Context<AdhocConfig>,
  sessions: Sessions,
  command: AdhocCommand,
  event: StanzaEvent,
  request: Element,
  action: Action
): Promise<Element> {
  if (action !== 'execute') throw refused('bad-request', 'bad-action', 'a command starts with execute')
  // §3.7
  const lang: string | undefined = event.stanza.attrs['xml:lang'] ?? request.attrs['xml:lang']
  const run = runOf(ctx, event, lang)
  const session = sessions.open(
    { requester: event.from.full, bare: event.from.bare, asked: event.to.full, node: command.node, lang },
    Date.now()
  )
  if (command.stages.length === 0) return finish(ctx, sessions, { command, session, run })
  try {
    return await show({ command, session, run })
  } catch (error) {
    sessions.end(session)
    throw error
  }
}

async function goOn(
  ctx: Context<AdhocConfig>,
  sessions: Sessions,
  turn: Turn,
  action: Action,
  form: Element | undefined
): Promise<Element> {
  const { session, command } = turn
  const last = session.stage === command.stages.length - 1
  switch (action) {
    case 'cancel':
      sessions.end(session)
      return reply(turn, 'canceled')
    case 'prev':
      if (session.stage === 0) throw refused('bad-request', 'bad-action', 'this is the first stage')
      session.stage--
      return show(turn)
    case 'complete':
      if (!last) throw refused('bad-request', 'bad-action', 'there are stages to come')
      break
    case 'next':
      if (last) throw refused('bad-request', 'bad-action', 'this is the last stage')
      break
    case 'execute': // §3.4: the default action, which is next or complete
      break
  }
  const fault = await take(turn, form)
  if (fault) return show(turn, [fault])
  if (last) return finish(ctx, sessions, turn)
  session.stage++
  return show(turn)
}

/** Keeps what was filled in. A note where the form must be filled in again; the form keeps what was typed. */
async function take(turn: Turn, form: Element | undefined): Promise<CommandNote | undefined> {
  const { session, command, run } = turn
  const stage = command.stages[session.stage]
  if (!stage) return undefined
  if (!form) throw refused('bad-request', 'bad-payload', 'the form is missing')
  const def = await stage.form(before(session), run)
  try {
    session.said[session.stage] = parseSubmit(def, asSubmit(form), { formTypeOptional: true })
    await stage.check?.(upTo(session), run)
    return undefined
  } catch (error) {
    if (!(error instanceof FormError)) throw error
    return { type: 'error', text: error.message }
  }
}

/** XEP-0050 §3.5.1: a form of type `cancel` counts as submitted; the action says whether to cancel. */
function asSubmit(form: Element): Element {
  return form.attrs.type === 'cancel' ? readdress(form, { type: 'submit' }) : form
}

/** What was said in the stages before this one. */
function before(session: DialogueSession): FormValues {
  return Object.assign(Object.create(null), ...session.said.slice(0, session.stage)) as FormValues
}

function upTo(session: DialogueSession): FormValues {
  return Object.assign(Object.create(null), ...session.said.slice(0, session.stage + 1)) as FormValues
}

async function finish(ctx: Context<AdhocConfig>, sessions: Sessions, turn: Turn): Promise<Element> {
  const { command, session, run } = turn
  sessions.end(session)
  const event = run.event as StanzaEvent // a dialogue comes by a stanza
  if (!mayRun(ctx, command, event)) throw new StanzaError('forbidden')
  const result =
    (await command.finish(upTo(session), { ...run, role: ctx.server.role(event.from, ctx.host) })) ?? {}
  return reply(turn, 'completed', result)
}

async function show(turn: Turn, notes: CommandNote[] = []): Promise<Element> {
  const { command, session, run } = turn
  const stage = command.stages[session.stage]
  if (!stage) throw new StanzaError('internal-server-error')
  const def = await stage.form(before(session), run)
  const form = renderForm(def, { ...def.values, ...session.said[session.stage] })
  return reply(turn, 'executing', { form, notes }, actionsOf(turn))
}

/** §4.2: of one stage, too; converse.js shows no form without. */
function actionsOf({ command, session }: Turn): Element {
  const last = session.stage === command.stages.length - 1
  return el(
    'actions',
    { execute: last ? 'complete' : 'next' },
    session.stage > 0 && el('prev'),
    last ? el('complete') : el('next')
  )
}

function reply(turn: Turn, status: string, result: CommandResult = {}, actions?: Element): Element {
  const { command, session } = turn
  return el(
    'command',
    // §3.7: whatever was asked for, our texts are in English
    { xmlns: NS.COMMANDS, node: command.node, sessionid: session.id, status, 'xml:lang': 'en' },
    actions,
    result.form,
    result.notes?.map(note => el('note', { type: note.type }, note.text))
  )
}
