import {
  FormError,
  JID,
  renderForm,
  type AdhocCommand,
  type CommandResult,
  type Context,
  type FormDef,
  type FormField
} from '#core'
import { ADMIN, done, OWN } from '../lib_admin'
import { activeUsers, idleUsers, onlineUsers } from './activity'
import { ownAccount } from './addresses'
import type { AdminConfig } from './index'

/** The name of a field that XEP-0133 does not have in a form of its FORM_TYPE (XEP-0068 §3.4). */
const AFTER = `{${OWN}}after`

interface Page {
  /** The account, by name, with which the page before ended. */
  after: string | undefined
  limit: number
}

/** Some accounts of many. */
interface Listed {
  names: string[]
  /** There are others behind these. */
  more: boolean
  /** On all pages. */
  total: number
}

interface List {
  command: string
  /** What the examples of XEP-0133 call them: `registered`, `idle`. */
  what: string
  field: FormField
  list(page: Page): Listed | Promise<Listed>
  /** Refuses the end of a page that is not there any more. */
  check?(after: string): Promise<void>
}

/** XEP-0133 §4.18 to §4.22. */
export function listCommands(ctx: Context<AdminConfig>): AdhocCommand[] {
  return [
    listCommand(ctx, {
      command: 'get-registered-users-list',
      what: 'registered',
      field: { var: 'registereduserjids', type: 'jid-multi', label: 'The list of all users' },
      ...kept(ctx, false)
    }),
    listCommand(ctx, {
      command: 'get-disabled-users-list',
      what: 'disabled',
      field: { var: 'disableduserjids', type: 'jid-multi', label: 'The list of all disabled users' },
      ...kept(ctx, true)
    }),
    listCommand(ctx, {
      command: 'get-online-users-list',
      what: 'online',
      field: { var: 'onlineuserjids', type: 'jid-multi', label: 'The list of all online users' },
      list: page => pageOf(onlineUsers(ctx), page)
    }),
    // §4.21, §4.22: these nodes do not end in -list
    listCommand(ctx, {
      command: 'get-active-users',
      what: 'active',
      field: { var: 'activeuserjids', type: 'jid-multi', label: 'The list of active users' },
      list: page => pageOf(activeUsers(ctx), page)
    }),
    listCommand(ctx, {
      command: 'get-idle-users',
      what: 'idle',
      // §4.22, §8.2: there is no field of another name
      field: { var: 'activeuserjids', type: 'jid-multi', label: 'The list of idle users' },
      list: page => pageOf(idleUsers(ctx), page)
    })
  ]
}

/** Accounts in the order in which they were made. */
function kept(ctx: Context, disabled: boolean): Pick<List, 'list' | 'check'> {
  const { accounts } = ctx.server
  const host = ctx.host.name
  return {
    async check(after) {
      if ((await accounts.place(after, host)) === undefined)
        throw new FormError(`there is no account ${after}@${host} any more`, AFTER)
    },
    async list({ after, limit }) {
      const place = after === undefined ? 0 : ((await accounts.place(after, host)) ?? 0)
      const found = await accounts.list(host, { after: place, limit: limit + 1, disabled })
      const names = found.slice(0, limit).map(({ user }) => user)
      return { names, more: found.length > limit, total: await accounts.count(host, { disabled }) }
    }
  }
}

/** Accounts by name. */
function pageOf(names: string[], { after, limit }: Page): Listed {
  names.sort()
  const begin = after === undefined ? 0 : names.findIndex(name => name > after)
  const rest = begin === -1 ? [] : names.slice(begin)
  return { names: rest.slice(0, limit), more: rest.length > limit, total: names.length }
}

function listCommand(ctx: Context<AdminConfig>, wanted: List): AdhocCommand {
  const { command, what, field } = wanted
  const title = `List of ${what.charAt(0).toUpperCase()}${what.slice(1)} Users`
  const options = ['25', '50', '75', '100', '150', '200'].map(value => ({ value, label: value }))
  const form: FormDef = {
    formType: ADMIN,
    title: `Requesting ${title}`,
    instructions: `Fill out this form to request the ${what} users of this service.`,
    fields: [
      {
        var: 'max_items',
        type: 'list-single',
        label: 'Maximum number of items to show',
        options: [...options, { value: 'none', label: 'None' }]
      },
      {
        var: AFTER,
        type: 'jid-single',
        label: 'Only those after this one, with which the last page ended',
        check: value => ownAccount(ctx, value).full
      }
    ]
  }
  return {
    node: `${ADMIN}#${command}`,
    name: `Get ${title}`,
    access: 'admin',
    onAccount: true,
    reads: true,
    stages: [
      {
        form: () => form,
        async check(said) {
          const after = userIn(said[AFTER])
          if (after !== undefined) await wanted.check?.(after)
        }
      }
    ],
    async finish(said, run): Promise<CommandResult> {
      const asked = Number(said.max_items) || Infinity // `none`, or nothing was chosen
      const { names, more, total } = await wanted.list({
        after: userIn(said[AFTER]),
        limit: Math.min(asked, ctx.config.maxListed)
      })
      done({ ctx, run, command }, ctx.host.name)
      const jids = names.map(user => `${user}@${ctx.host.name}`)
      return {
        form: renderForm({ formType: ADMIN, fields: [field] }, { [field.var]: jids }, 'result'),
        ...(more ? { notes: [{ type: 'warn', text: moreThan(jids, total) }] } : {})
      }
    }
  }
}

function userIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? JID.parse(value).local : undefined
}

function moreThan(jids: string[], total: number): string {
  return `These are ${jids.length} of ${total}. The next page is what comes after ${jids.at(-1) ?? 'the last one'}.`
}
