import { isStanzaError, StanzaError } from '../errors'
import type { Host } from '../hosts/host'
import { JID } from '../jid'
import type { Log } from '../log'
import type { Element } from '../xml/element'
import { FormError, parseSubmit, renderForm, typedIn, type FormValues } from '../xml/form'
import { actorOf, commandOf, tellOf } from './acts'
import type { Access, AdhocCommand, CommandResult, CommandRun, CommandStage, StageForm } from './adhoc'
import type { Role } from './server-api'

/*
 * The dialogue of a command apart from how it is led: what is filled in is checked against the form, there are ways
 * on and back, and access is asked again at the end. XMPP and the command line both walk by it.
 */

/** Where a dialogue stands: plain data. */
export interface WalkState {
  /** The stage that waits for an answer. */
  stage: number
  /** What was said in each stage; kept when somebody goes back. */
  said: FormValues[]
  /** The end is under way: whoever comes now comes too late. */
  finishing?: boolean
  /** The command was loaded anew meanwhile: all that was said is checked again before the end. */
  reloaded?: boolean
}

/** A dialogue, at one of its turns. */
export interface Walk {
  command: AdhocCommand
  /** Who asks, at this turn. */
  run: CommandRun
  /** Where the command is offered; what is done is told of there (`admin/act`). */
  host: Host
  log: Log
  state: WalkState
  /** The role of whoever asks, now; the command line acts for an operator. */
  role(): Role
}

/** What comes of a turn. */
export type WalkStep =
  | {
      status: 'executing'
      /** To be filled in, with the values that are known. */
      form: StageForm
      /** Why the same form is there again; it then has what was typed, but for what is hidden. */
      fault?: FormError
      /** Whether there is a stage before, and one behind; without one behind, this one completes. */
      prev: boolean
      next: boolean
    }
  | { status: 'completed'; result: CommandResult }

export type WalkAction = 'execute' | 'next' | 'prev' | 'complete'

/** A turn that is not possible. XEP-0050 §4.4 has a condition for each reason. */
export class WalkError extends Error {
  override readonly name = 'WalkError'
  constructor(
    readonly reason: 'bad-action' | 'bad-payload' | 'session-expired',
    message: string
  ) {
    super(message)
  }
}

/** Whoever asks may not run the command. */
export class Denied extends StanzaError {
  constructor(
    readonly needs: Access,
    readonly has: Role
  ) {
    // XEP-0050 §4.4
    super('forbidden', { type: 'cancel', text: `this command needs the role ${needs}` })
  }

  /** For the log. */
  get why(): string {
    return `needs the role ${this.needs}, has ${this.has}`
  }
}

/** Which roles a command is for (XEP-0050 §5). */
export function allows(access: Access, role: Role): boolean {
  if (access === 'any') return true
  return role === 'operator' || (access === 'admin' && role === 'admin')
}

export function newWalk(): WalkState {
  return { stage: 0, said: [] }
}

/** The first form; a command without forms is done at once. Throws Denied, and what the command throws. */
export async function begin(walk: Walk): Promise<WalkStep> {
  mustBeAllowed(walk)
  return walk.command.stages.length === 0 ? finish(walk) : show(walk)
}

/**
 * The next turn. `submitted` is the form as it came (jabber:x:data, of type `submit`); only going back does without.
 * What is wrong in it is no error: the same form is there again, with the fault.
 * @throws WalkError, Denied, and what the command throws.
 */
export async function goOn(
  walk: Walk,
  action: WalkAction,
  submitted: Element | undefined
): Promise<WalkStep> {
  mustBeAllowed(walk)
  const { command, state } = walk
  const stage = command.stages[state.stage]
  if (!stage || state.finishing) throw new WalkError('session-expired', 'the dialogue has ended')
  const last = state.stage === command.stages.length - 1
  if (action === 'prev') return goBack(walk, stage, submitted)
  if (action === 'complete' && !last) throw new WalkError('bad-action', 'there are stages to come')
  if (action === 'next' && last) throw new WalkError('bad-action', 'this is the last stage')
  if (!submitted) throw new WalkError('bad-payload', 'the form is missing')
  const refused = await take(walk, stage, submitted)
  if (refused) return refused
  return last ? finish(walk) : show(walk, state.stage + 1)
}

function mustBeAllowed({ command, role }: Walk): Role {
  const has = role()
  if (!allows(command.access, has)) throw new Denied(command.access, has)
  return has
}

async function goBack(walk: Walk, stage: CommandStage, submitted: Element | undefined): Promise<WalkStep> {
  const { state } = walk
  if (state.stage === 0) throw new WalkError('bad-action', 'this is the first stage')
  if (submitted) {
    // What was typed is there again when they come back; it is checked then
    const def = await stage.form(before(walk, state.stage), walk.run)
    state.said[state.stage] = typedIn(def, submitted)
  }
  return show(walk, state.stage - 1)
}

/** Keeps what was filled in; returns the form once more where it cannot be taken. */
async function take(walk: Walk, stage: CommandStage, submitted: Element): Promise<WalkStep | undefined> {
  const { state, run } = walk
  const at = state.stage
  const def = await stage.form(before(walk, at), run)
  try {
    const values = parseSubmit(def, submitted, { formTypeOptional: true })
    await stage.check?.(joined([...state.said.slice(0, at), values]), run)
    state.said[at] = values
    return undefined
  } catch (error) {
    if (!(error instanceof FormError)) throw error
    return refuse(walk, { ...def, values: { ...def.values, ...typedIn(def, submitted) } }, error)
  }
}

/** The form again, and a line for the audit. */
async function refuse(walk: Walk, form: StageForm, fault: FormError): Promise<WalkStep> {
  const acts: Promise<void>[] = []
  const detail = tellable(form, fault, walk.host) ? fault.message : `${fault.field ?? 'the form'}: refused`
  tell(walk, 'refused', detail, { acts })
  await Promise.all(acts)
  return { status: 'executing', form, fault, ...waysOf(walk) }
}

/**
 * Whether what is wrong may be repeated to others. What is said about a password may tell something of it; and beside
 * one, any field may hold the password by mistake, unless all that is in it are addresses of this host.
 */
function tellable({ fields, values }: StageForm, fault: FormError, host: Host): boolean {
  const secrets = fields.filter(({ type }) => type === 'text-private')
  if (secrets.length === 0) return true
  if (fault.field === undefined || secrets.some(field => field.var === fault.field)) return false
  const typed = [values?.[fault.field] ?? []].flat().map(String)
  return typed.every(value => value === '' || isAccountOf(value, host))
}

/** P@ssw0rd is a name and a domain, too: it has to be this one. */
function isAccountOf(value: string, host: Host): boolean {
  const jid = JID.tryParse(value)
  return jid !== undefined && jid.local !== '' && jid.resource === '' && jid.domain === host.name
}

async function show(walk: Walk, at = walk.state.stage): Promise<WalkStep> {
  const { command, state, run } = walk
  const stage = command.stages[at]
  if (!stage) throw new StanzaError('internal-server-error')
  const def = await stage.form(before(walk, at), run)
  // Only now: whoever cannot be shown a stage stays where they are
  state.stage = at
  return {
    status: 'executing',
    form: { ...def, values: { ...def.values, ...state.said[at] } },
    ...waysOf(walk)
  }
}

function waysOf({ command, state }: Walk): { prev: boolean; next: boolean } {
  return { prev: state.stage > 0, next: state.stage < command.stages.length - 1 }
}

/** What was said in the stages before this one. */
function before({ state }: Walk, at: number): FormValues {
  return joined(state.said.slice(0, at))
}

function joined(said: readonly FormValues[]): FormValues {
  // without a prototype: field names come from the wire
  return Object.assign(Object.create(null), ...said) as FormValues
}

async function finish(walk: Walk): Promise<WalkStep> {
  const { command, state } = walk
  const again = state.reloaded ? await recheck(walk) : undefined
  if (again) return again
  // XEP-0133 §6: whatever happened since they began
  const role = mustBeAllowed(walk)
  // Two may have come this far: the stages before could wait
  if (state.finishing) throw new WalkError('session-expired', 'the dialogue has ended')
  const acts: Promise<void>[] = []
  const run: CommandRun = {
    ...walk.run,
    role,
    acts,
    serverWide: command.serverWide === true,
    reads: command.reads === true
  }
  state.finishing = true
  try {
    const result = (await command.finish(before(walk, command.stages.length), run)) ?? {}
    if (acts.length === 0) {
      const fault = result.notes?.find(({ type }) => type === 'error')
      tell(walk, fault ? 'failed' : 'done', fault?.text, run)
    }
    return { status: 'completed', result }
  } catch (error) {
    if (error instanceof FormError && state.stage < command.stages.length) {
      state.finishing = false
      const shown = await show(walk)
      return shown.status === 'executing' ? await refuse(walk, shown.form, error) : shown
    }
    if (acts.length === 0) tell(walk, isStanzaError(error) ? error.condition : 'failed', textOf(error), run)
    throw error
  } finally {
    await Promise.all(acts)
  }
}

/** Whether the forms of a new version take what was said to the one before; the first that does not, if any. */
async function recheck(walk: Walk): Promise<WalkStep | undefined> {
  const { command, state } = walk
  for (const [at, stage] of command.stages.entries()) {
    state.stage = at
    const def = await stage.form(before(walk, at), walk.run)
    const refused = await take(walk, stage, renderForm(def, state.said[at], 'submit'))
    if (refused) return refused
  }
  state.reloaded = false
  return undefined
}

function tell(walk: Walk, result: string, detail: string | undefined, run: Pick<CommandRun, 'acts'>): void {
  // What anybody may do is no act of administration
  if (walk.command.access === 'any') return
  const { node, serverWide = false, reads = false } = walk.command
  const what = { command: commandOf(node), on: '', result, serverWide, reads }
  const line = {
    by: walk.run.actor,
    command: what.command,
    result,
    ...(detail === undefined ? {} : { detail })
  }
  // What changes something has a line of its own
  if (result === 'done') walk.log.debug(line, 'administration')
  else walk.log.warn(line, 'administration: not done')
  const act = { at: Date.now(), by: actorOf(walk.run), ...what, ...(detail === undefined ? {} : { detail }) }
  tellOf(walk.host, walk.log, act, run)
}

function textOf(error: unknown): string | undefined {
  return isStanzaError(error) ? error.text : undefined
}
