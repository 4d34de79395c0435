import {
  renderForm,
  type AdhocCommand,
  type CommandResult,
  type Context,
  type FormDef,
  type FormField
} from '#core'
import { ADMIN, done } from '../lib_admin'
import type { AdminConfig } from './index'

/** Some addresses of many. */
interface Listed {
  names: string[]
  total: number
}

/** The counts and lists of XEP-0133 §4.13, §4.15, §4.18 and §4.20. */
export function listCommands(ctx: Context<AdminConfig>): AdhocCommand[] {
  return [
    countCommand(ctx, {
      command: 'get-registered-users-num',
      name: 'Get Number of Registered Users',
      field: { var: 'registeredusersnum', label: 'The number of registered users' },
      count: () => ctx.server.accounts.count(ctx.host.name)
    }),
    countCommand(ctx, {
      command: 'get-online-users-num',
      name: 'Get Number of Online Users',
      field: { var: 'onlineusersnum', label: 'The number of online users' },
      count: () => online(ctx).length
    }),
    listCommand(ctx, {
      command: 'get-registered-users-list',
      name: 'Get List of Registered Users',
      title: 'Requesting List of Registered Users',
      instructions: 'Fill out this form to request the registered users of this service.',
      field: { var: 'registereduserjids', type: 'jid-multi', label: 'The list of all users' },
      list: async limit => ({
        names: (await ctx.server.accounts.list(ctx.host.name, { limit })).map(account => account.user),
        total: await ctx.server.accounts.count(ctx.host.name)
      })
    }),
    listCommand(ctx, {
      command: 'get-online-users-list',
      name: 'Get List of Online Users',
      title: 'Requesting List of Online Users',
      instructions: 'Fill out this form to request the online users of this service.',
      field: { var: 'onlineuserjids', type: 'jid-multi', label: 'The list of all online users' },
      list(limit) {
        const names = online(ctx)
        return { names: names.sort().slice(0, limit), total: names.length }
      }
    })
  ]
}

/** XEP-0133 §4.15: an account with at least one connected resource. */
function online(ctx: Context): string[] {
  return [...ctx.host.sessions.users()]
}

interface Count {
  command: string
  name: string
  field: FormField
  count(): number | Promise<number>
}

function countCommand(ctx: Context, { command, name, field, count }: Count): AdhocCommand {
  return {
    node: `${ADMIN}#${command}`,
    name,
    access: 'admin',
    onAccount: true,
    stages: [],
    async finish(_, run) {
      const number = await count()
      done({ ctx, run, command }, ctx.host.name)
      return {
        form: renderForm({ formType: ADMIN, fields: [field] }, { [field.var]: String(number) }, 'result')
      }
    }
  }
}

interface List {
  command: string
  name: string
  title: string
  instructions: string
  field: FormField
  list(limit: number): Listed | Promise<Listed>
}

function listCommand(ctx: Context<AdminConfig>, wanted: List): AdhocCommand {
  const { command, name, title, instructions, field } = wanted
  const options = ['25', '50', '75', '100', '150', '200'].map(value => ({ value, label: value }))
  const form: FormDef = {
    formType: ADMIN,
    title,
    instructions,
    fields: [
      {
        var: 'max_items',
        type: 'list-single',
        label: 'Maximum number of items to show',
        options: [...options, { value: 'none', label: 'None' }]
      }
    ]
  }
  return {
    node: `${ADMIN}#${command}`,
    name,
    access: 'admin',
    onAccount: true,
    stages: [{ form: () => form }],
    async finish(said, run): Promise<CommandResult> {
      const asked = Number(said.max_items) || Infinity // `none`, or nothing was chosen
      const { names, total } = await wanted.list(Math.min(asked, ctx.config.maxListed))
      done({ ctx, run, command }, ctx.host.name)
      const jids = names.map(user => `${user}@${ctx.host.name}`)
      return {
        form: renderForm({ formType: ADMIN, fields: [field] }, { [field.var]: jids }, 'result'),
        ...(jids.length < total
          ? { notes: [{ type: 'warn', text: `These are ${jids.length} of ${total}.` }] }
          : {})
      }
    }
  }
}
