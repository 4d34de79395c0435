import {
  FormError,
  renderTable,
  StanzaError,
  type AdhocCommand,
  type CommandResult,
  type CommandRun,
  type FormDef,
  type FormValues
} from '#core'
import { actOnEach, done, OWN } from '../../lib_admin'
import { Domains } from '../../lib_domains'
import { MAX_REASON } from '../bans'
import { COMMON, date, isRequester, limitOf, linesOf, MAX_ITEMS, patternOf, textOf, USUAL } from './common'
import type { Desk } from './index'

/** Accounts and domains in one request. */
const MOST = 100
/** Bans that a form offers to lift. */
const OFFERED = 250

const BAN: FormDef = {
  formType: OWN,
  title: 'Ban from the channel host',
  instructions:
    'Whoever is banned may ask for nothing here and is sent nothing. What they own, wrote and follow stays as it is: delete their channels with "Delete channels". Nobody else is told.',
  fields: [
    {
      var: 'who',
      type: 'text-multi',
      label: 'Accounts and domains, one a line (*.example.org: all domains below it)',
      required: true
    },
    { var: 'reason', label: 'Why; for administrators alone', maxLength: MAX_REASON }
  ]
}

const TABLE: FormDef = {
  formType: OWN,
  title: 'Banned from the channel host',
  fields: [
    { var: 'who', label: 'Account or domain' },
    { var: 'reason', label: 'Why' },
    { var: 'by', label: 'By whom' },
    { var: 'at', label: 'When' }
  ]
}

export function banCommands(desk: Desk): AdhocCommand[] {
  return [banCommand(desk), liftCommand(desk), listCommand(desk)]
}

function banCommand(desk: Desk): AdhocCommand {
  const { ctx, channels } = desk
  return {
    ...COMMON,
    node: `${OWN}#channel-ban`,
    name: 'Ban from the channel host',
    stages: [{ form: () => BAN, check: (said, run) => void patternsIn(desk, said, run) }],
    finish(said, run) {
      const ban = { by: run.actor, at: Date.now(), reason: textOf(said.reason) }
      return actOnEach({ ctx, run, command: 'channel-ban' }, patternsIn(desk, said, run), async who =>
        (await channels.bans.ban(who, ban)) ? 'was banned already; the reason is the new one' : 'is banned'
      )
    }
  }
}

/** Nobody shuts out themselves, another administrator, or the host. */
function patternsIn({ ctx, authority }: Desk, said: FormValues, run: CommandRun): string[] {
  const patterns = linesOf(said.who).map(line => patternOf(line, 'who'))
  if (patterns.length === 0) throw new FormError('nobody is named', 'who')
  if (patterns.length > MOST) throw new FormError(`at most ${MOST} at a time`, 'who')
  const administrators = ctx.server.administrators(ctx.host)
  for (const pattern of patterns) {
    const domains = new Domains([pattern])
    const covers = (bare: string): boolean =>
      bare === pattern || domains.has(bare.slice(bare.indexOf('@') + 1))
    if (isRequester(run, covers)) throw new FormError(`${pattern} is where you are yourself`, 'who')
    const other = administrators.find(covers)
    if (other !== undefined)
      throw new FormError(`${other}, who administers this host, would be banned`, 'who')
    for (const own of [ctx.host.name, ...authority.topics]) {
      if (covers(own)) throw new FormError(`${own} is this host itself`, 'who')
    }
  }
  return [...new Set(patterns)]
}

function liftCommand({ ctx, channels }: Desk): AdhocCommand {
  return {
    ...COMMON,
    node: `${OWN}#channel-unban`,
    name: 'Lift bans from the channel host',
    stages: [
      {
        form: () => ({
          formType: OWN,
          title: 'Lift bans from the channel host',
          instructions: 'What they own and follow here is theirs again at once.',
          fields: [
            {
              var: 'who',
              type: 'list-multi',
              label: 'Accounts and domains',
              required: true,
              open: true,
              maxValues: MOST,
              options: channels.bans
                .list()
                .slice(0, OFFERED)
                .map(([who, { reason }]) => ({
                  value: who,
                  label: reason === '' ? who : `${who}: ${reason}`
                }))
            }
          ]
        }),
        check(said) {
          for (const line of linesOf(said.who)) patternOf(line, 'who')
        }
      }
    ],
    finish(said, run) {
      const patterns = linesOf(said.who).map(line => patternOf(line, 'who'))
      return actOnEach({ ctx, run, command: 'channel-unban' }, patterns, async who => {
        if (await channels.bans.lift(who)) return 'is banned no more'
        const still = channels.bans.has(who) ? ' by itself: lift the ban of its domain' : ''
        throw new StanzaError('item-not-found', `was not banned${still}`)
      })
    }
  }
}

function listCommand({ ctx, channels }: Desk): AdhocCommand {
  return {
    ...COMMON,
    node: `${OWN}#channel-bans`,
    name: 'List bans from the channel host',
    reads: true,
    stages: [
      {
        form: () => ({
          formType: OWN,
          title: 'Bans from the channel host',
          instructions: 'By name. Empty fields do not matter.',
          fields: [
            { var: 'text', label: 'With this in the name or the reason', maxLength: 128 },
            MAX_ITEMS,
            { var: 'after', label: 'Only those after this one, with which the last page ended' }
          ],
          values: { max_items: USUAL }
        })
      }
    ],
    finish(said, run): CommandResult {
      const text = textOf(said.text).toLowerCase()
      const after = textOf(said.after)
      const limit = limitOf(said)
      const rest = channels.bans
        .list()
        .filter(([who, { reason }]) => who > after && `${who}\n${reason.toLowerCase()}`.includes(text))
      done({ ctx, run, command: 'channel-bans' }, ctx.host.name)
      const page = rest.slice(0, limit)
      const form = renderTable(
        TABLE,
        page.map(([who, { reason, by, at }]) => ({
          who,
          reason,
          by: by === '' ? 'an account that is gone' : by,
          at: date(at)
        }))
      )
      if (page.length === 0) return { form, notes: [{ type: 'info', text: 'There is no ban that fits.' }] }
      if (rest.length <= limit) return { form }
      return {
        form,
        notes: [
          {
            type: 'warn',
            text: `There are ${rest.length - limit} more. The next page is what comes after ${page.at(-1)?.[0]}.`
          }
        ]
      }
    }
  }
}
