import {
  FormError,
  renderTable,
  type AdhocCommand,
  type CommandResult,
  type FormDef,
  type FormValues
} from '#core'
import { done, OWN } from '../../lib_admin'
import type { Exception } from '../limits'
import { COMMON, date, limitOf, MAX_ITEMS, patternOf, textOf, USUAL } from './common'
import type { Desk } from './index'

const TABLE: FormDef = {
  formType: OWN,
  title: 'Limits of users',
  fields: [
    { var: 'who', label: 'Who' },
    { var: 'channels', label: 'Topic channels' },
    { var: 'itemsperminute', label: 'Items a minute' },
    { var: 'itembytes', label: 'Bytes of an item' },
    { var: 'ephemeral', label: 'Ephemeral channels at a time' },
    { var: 'follows', label: 'Channels followed' },
    { var: 'by', label: 'Set by' },
    { var: 'at', label: 'When' }
  ]
}

const NUMBER = { datatype: 'xs:integer', min: 0, max: 100_000 } as const

export function limitCommands(desk: Desk): AdhocCommand[] {
  return [showCommand(desk), setCommand(desk)]
}

/** What the config says of everybody, and what was said of accounts and domains. */
function showCommand({ ctx, channels }: Desk): AdhocCommand {
  return {
    ...COMMON,
    node: `${OWN}#channel-limits`,
    name: 'Show limits of users',
    reads: true,
    stages: [
      {
        form: () => ({
          formType: OWN,
          title: 'Limits of users',
          instructions:
            'What the config says of everybody, and what was set for accounts and domains, by name.',
          fields: [
            MAX_ITEMS,
            { var: 'after', label: 'Only those after this one, with which the last page ended' }
          ],
          values: { max_items: USUAL }
        })
      }
    ],
    finish(said, run): CommandResult {
      const { config } = ctx
      const after = textOf(said.after)
      const rest = channels.limits.exceptions.list().filter(([who]) => who > after)
      const page = rest.slice(0, limitOf(said))
      const everybody = {
        who: 'everybody',
        channels: String(config.channelsPerUser),
        itemsperminute: rate(config.itemsPerMinute),
        itembytes: String(config.itemBytes),
        ephemeral: String(config.ephemeralPerUser),
        follows: String(config.followsPerUser),
        by: 'the config file'
      }
      done({ ctx, run, command: 'channel-limits' }, ctx.host.name)
      const form = renderTable(TABLE, [everybody, ...page.map(([who, set]) => rowOf(who, set))])
      if (rest.length <= page.length) return { form }
      const text = `There is more. The next page is what comes after ${page.at(-1)?.[0]}.`
      return { form, notes: [{ type: 'warn', text }] }
    }
  }
}

function rowOf(who: string, { channels, itemsPerMinute, by, at }: Exception): FormValues {
  return {
    who,
    channels: channels === undefined ? '' : String(channels),
    itemsperminute: itemsPerMinute === undefined ? '' : rate(itemsPerMinute),
    by: by === '' ? 'an account that is gone' : by,
    at: date(at)
  }
}

function rate(itemsPerMinute: number): string {
  return itemsPerMinute === 0 ? 'any number' : String(itemsPerMinute)
}

function setCommand({ ctx, channels }: Desk): AdhocCommand {
  return {
    ...COMMON,
    node: `${OWN}#channel-limit-set`,
    name: 'Set limits of a user or a domain',
    stages: [
      {
        form: () => ({
          formType: OWN,
          title: 'Limits of a user or a domain',
          instructions:
            'In place of what the config says, at once and after a restart. The narrowest one counts; where both numbers are left empty, what was set is taken back.',
          fields: [
            {
              var: 'who',
              label: 'An account, or a domain for each one in it (*.example.org: all domains below it)',
              required: true
            },
            { var: 'channels', label: 'Topic channels that they may create', ...NUMBER },
            { var: 'itemsperminute', label: 'Items a minute; 0 for any number', ...NUMBER }
          ]
        }),
        check: said => void patternOf(textOf(said.who), 'who')
      }
    ],
    async finish(said, run): Promise<CommandResult> {
      const who = patternOf(textOf(said.who), 'who')
      const { exceptions } = channels.limits
      const act = { ctx, run, command: 'channel-limit-set' }
      const most = numberIn(said, 'channels')
      const items = numberIn(said, 'itemsperminute')
      if (most === undefined && items === undefined) {
        const was = await exceptions.delete(who)
        if (!was) throw new FormError(`nothing is set for ${who}`, 'who')
        done(act, who, 'as the config says')
        return { notes: [{ type: 'info', text: `For ${who} the config decides again.` }] }
      }
      await exceptions.set(who, {
        by: run.actor,
        at: Date.now(),
        ...(most !== undefined && { channels: most }),
        ...(items !== undefined && { itemsPerMinute: items })
      })
      const text = [
        most !== undefined && `${most} channels`,
        items !== undefined && `${rate(items)} items a minute`
      ]
      const what = text.filter(Boolean).join(', ')
      done(act, who, what)
      return { notes: [{ type: 'info', text: `${who} may have ${what}.` }] }
    }
  }
}

function numberIn(said: FormValues, field: string): number | undefined {
  const text = textOf(said[field])
  return text === '' ? undefined : Number(text)
}
