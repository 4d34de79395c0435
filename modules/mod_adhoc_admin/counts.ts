import { renderForm, type AdhocCommand, type Context, type FormField } from '#core'
import { ADMIN, done } from '../lib_admin'
import { activeUsers, idleUsers, onlineUsers } from './activity'
import type { AdminConfig } from './index'

interface Count {
  command: string
  name: string
  field: FormField
  count(): number | Promise<number>
}

/** XEP-0133 §4.13 to §4.17: they come at once, without a form. */
export function countCommands(ctx: Context<AdminConfig>): AdhocCommand[] {
  const { accounts } = ctx.server
  return [
    countCommand(ctx, {
      command: 'get-registered-users-num',
      name: 'Get Number of Registered Users',
      field: { var: 'registeredusersnum', label: 'The number of registered users' },
      count: () => accounts.count(ctx.host.name)
    }),
    countCommand(ctx, {
      command: 'get-disabled-users-num',
      name: 'Get Number of Disabled Users',
      field: { var: 'disabledusersnum', label: 'The number of disabled users' },
      count: () => accounts.count(ctx.host.name, { disabled: true })
    }),
    countCommand(ctx, {
      command: 'get-online-users-num',
      name: 'Get Number of Online Users',
      field: { var: 'onlineusersnum', label: 'The number of online users' },
      count: () => onlineUsers(ctx).length
    }),
    countCommand(ctx, {
      command: 'get-active-users-num',
      name: 'Get Number of Active Users',
      field: { var: 'activeusersnum', label: 'The number of active users' },
      count: () => activeUsers(ctx).length
    }),
    countCommand(ctx, {
      command: 'get-idle-users-num',
      name: 'Get Number of Idle Users',
      field: { var: 'idleusersnum', label: 'The number of idle users' },
      count: () => idleUsers(ctx).length
    })
  ]
}

function countCommand(ctx: Context, { command, name, field, count }: Count): AdhocCommand {
  return {
    node: `${ADMIN}#${command}`,
    name,
    access: 'admin',
    onAccount: true,
    reads: true,
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
