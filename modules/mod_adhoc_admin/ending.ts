import { randomUUID } from 'node:crypto'
import {
  StanzaError,
  type AdhocCommand,
  type CodedError,
  type CommandResult,
  type CommandRun,
  type Context,
  type EndingKind,
  type FormValues,
  type PlannedEnding,
  type StageForm
} from '#core'
import { ADMIN, done, OWN, refused, type Act } from '../lib_admin'
import { announcement, connectedAt, inSlices, textField } from '../lib_announce'

/** The name of a field that XEP-0133 does not have in a form of its FORM_TYPE (XEP-0068 §3.4). */
const REPLACES = `{${OWN}}replaces`
/** Characters in an announcement, at most. */
const MAX_TEXT = 4000
const DELAYS = [
  ['30', '30 seconds'],
  ['60', '60 seconds'],
  ['90', '90 seconds'],
  ['120', '2 minutes'],
  ['180', '3 minutes'],
  ['240', '4 minutes'],
  ['300', '5 minutes']
] as const
/** Seconds where none are chosen: the least there is. */
const DEFAULT_DELAY = 30

const TEXTS: Record<EndingKind, { name: string; title: string; instructions: string; delay: string }> = {
  restart: {
    name: 'Restart Service',
    title: 'Restarting the Service',
    instructions: 'Fill out this form to restart the service.',
    delay: 'Time delay before restarting'
  },
  shutdown: {
    name: 'Shut Down Service',
    title: 'Shutting Down the Service',
    instructions: 'Fill out this form to shut down the service.',
    delay: 'Time delay before shutting down'
  }
}

/** XEP-0133 §4.30, §4.31, for the whole server; and what takes them back. */
export function endingCommands(ctx: Context): AdhocCommand[] {
  return [endCommand(ctx, 'restart'), endCommand(ctx, 'shutdown'), cancelCommand(ctx)]
}

function endCommand(ctx: Context, kind: EndingKind): AdhocCommand {
  return {
    node: `${ADMIN}#${kind}`,
    name: TEXTS[kind].name,
    access: 'operator',
    onAccount: true,
    serverWide: true,
    stages: [
      {
        form(_, run) {
          mustBePossible({ ctx, run, command: kind }, kind)
          return endForm(kind, ctx.server.ending.planned)
        }
      }
    ],
    finish(said, run) {
      const act: Act = { ctx, run, command: kind }
      mustBePossible(act, kind)
      mustBeKnown(act, said)
      const seconds = Number(said.delay) || DEFAULT_DELAY
      const before = ctx.server.ending.planned
      const planned = plan(act, kind, seconds)
      const instead = before ? `, in place of the ${told(before)}` : ''
      done(act, 'server', `in ${seconds} s${instead}`)
      announceSoon(ctx, run, said.announcement, () => ctx.server.ending.planned === planned)
      return info(`The ${kind} is in ${seconds} seconds${instead}.`)
    }
  }
}

function cancelCommand(ctx: Context): AdhocCommand {
  const command = 'cancel-ending'
  return {
    node: `${OWN}#${command}`,
    name: 'Call off a restart or shutdown',
    access: 'operator',
    onAccount: true,
    serverWide: true,
    stages: [
      {
        form: () => {
          const { planned } = ctx.server.ending
          if (!planned) throw nothingPlanned()
          return {
            formType: OWN,
            title: 'Calling off a restart or shutdown',
            instructions: `This calls off the ${told(planned)}.`,
            fields: [{ var: 'planned', type: 'hidden' }, textField('announcement', 'Announcement', MAX_TEXT)],
            values: { planned: planned.id }
          }
        }
      }
    ],
    finish(said, run) {
      const act: Act = { ctx, run, command }
      const { planned } = ctx.server.ending
      if (!planned) throw nothingPlanned()
      if (planned.id !== said.planned) throw conflict(act, planned)
      ctx.server.ending.cancel()
      done(act, 'server', told(planned))
      announceSoon(ctx, run, said.announcement, () => ctx.server.ending.planned === undefined)
      return info(`The ${told(planned)} is called off.`)
    }
  }
}

/** As in the XEP while nothing is planned; else it says what it would replace. */
function endForm(kind: EndingKind, planned: PlannedEnding | undefined): StageForm {
  const { title, instructions, delay } = TEXTS[kind]
  return {
    formType: ADMIN,
    title,
    instructions: planned ? [instructions, `It takes the place of the ${told(planned)}.`] : instructions,
    fields: [
      {
        var: 'delay',
        // §4.30: the registry has list-multi, which would be several times at once
        type: 'list-single',
        label: delay,
        options: DELAYS.map(([value, label]) => ({ value, label }))
      },
      textField('announcement', 'Announcement', MAX_TEXT),
      ...(planned ? [{ var: REPLACES, type: 'hidden' as const }] : [])
    ],
    values: planned ? { [REPLACES]: planned.id } : {}
  }
}

/** XEP-0133 §5: `internal-server-error` if it cannot be done. */
function mustBePossible(act: Act, kind: EndingKind): void {
  if (kind === 'shutdown') return
  const { ending, config } = act.ctx.server
  const why = ending.restarts
    ? // A server that does not come back is worse than one that is not restarted
      faultOf(config.check())
    : 'nothing would start this server again: run it by `npm start`, or set BALCONY_RESTARTED_BY where a service manager does'
  if (why === undefined) return
  refused(act, 'server', why)
  throw new StanzaError('internal-server-error', why)
}

function faultOf({ ok, lines }: { ok: boolean; lines: string[] }): string | undefined {
  return ok ? undefined : `the server would not start again, for its config has faults:\n${lines.join('\n')}`
}

/** What is replaced is what the form has shown. */
function mustBeKnown(act: Act, said: FormValues): void {
  const { planned } = act.ctx.server.ending
  if (planned && planned.id !== said[REPLACES]) throw conflict(act, planned)
}

function conflict(act: Act, planned: PlannedEnding): StanzaError {
  const error = new StanzaError(
    'conflict',
    `there is the ${told(planned)}: begin again to replace it, or call it off`
  )
  refused(act, 'server', error)
  return error
}

function plan(act: Act, kind: EndingKind, seconds: number): PlannedEnding {
  try {
    return act.ctx.server.ending.plan({ kind, seconds, by: act.run.actor })
  } catch (error) {
    refused(act, 'server', error)
    throw new StanzaError('internal-server-error', (error as CodedError).message)
  }
}

/** Behind the answer (§4.30: it is completed first), to all who are connected, from their own host. */
function announceSoon(ctx: Context, run: CommandRun, said: unknown, stillTrue: () => boolean): void {
  if (typeof said !== 'string' || said === '') return
  const message = { text: said, subject: '', lang: run.lang, id: randomUUID(), momentary: true }
  ctx.after(0, async () => {
    for (const host of ctx.server.hosts()) {
      if (host.type !== 'virtual' || !stillTrue()) continue
      const origin = { kind: 'local', name: host.name } as const
      await inSlices([...host.sessions.users()], ctx.signal, some => {
        for (const user of some)
          for (const to of connectedAt(host, user))
            ctx.server.route(announcement(to, { ...message, from: host.name }), origin)
      })
    }
  })
}

function told({ kind, at, by }: PlannedEnding): string {
  const seconds = Math.max(0, Math.round((at - Date.now()) / 1000))
  return `${kind} in ${seconds} seconds that ${by} has asked for`
}

function nothingPlanned(): StanzaError {
  return new StanzaError('item-not-found', 'no restart and no shutdown is planned')
}

function info(text: string): CommandResult {
  return { notes: [{ type: 'info', text }] }
}
