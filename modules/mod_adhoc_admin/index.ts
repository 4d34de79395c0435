import { defineModule, z } from '#core'
import { accountCommands } from './accounts'
import { configCommands } from './config'
import { Administrators } from './administrators'
import { connectedCommands } from './connected'
import { countCommands } from './counts'
import { disablingCommands } from './disabling'
import { endingCommands } from './ending'
import { listCommands } from './lists'
import { roleCommands } from './roles'
import { Logins, type SavedLogins } from './logins'
import { lookupCommands } from './lookups'
import { moduleCommands } from './modules'
import { optionCommands } from './options'
import { sessionCommands } from './sessions'
import { streamCommands } from './streams'

const config = z.object({
  maxListed: z
    .number()
    .int()
    .min(25)
    .max(10_000)
    .default(1000)
    .describe('Addresses in a list of users, at most, also where the administrator asks for all of them.'),
  maxContacts: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(10_000)
    .describe('Contacts in one answer, at most, where several rosters are asked for.'),
  idleMinutes: z
    .number()
    .min(1)
    .max(10_080)
    .default(10)
    .describe('Minutes after which somebody who is online and does nothing counts as idle.')
})

export type AdminConfig = z.infer<typeof config>

/** XEP-0133, and the modules and the config by command. */
export default defineModule({
  name: 'adhoc_admin',
  description: 'Service administration by command (XEP-0133), modules and config too',
  on: ['virtual', 'component'],
  dependencies: ['adhoc'],
  config,
  async setup(ctx, saved) {
    const everywhere = [
      ...moduleCommands(ctx),
      ...optionCommands(ctx),
      ...configCommands(ctx),
      ...streamCommands(ctx)
    ]
    // A component has no accounts and answers for itself (XEP-0133 §3)
    const withAccounts = (logins: Logins, administrators: Administrators) => [
      ...accountCommands(ctx),
      ...disablingCommands(ctx),
      ...sessionCommands(ctx),
      ...connectedCommands(ctx),
      ...lookupCommands(ctx, logins),
      ...roleCommands(ctx, administrators),
      ...endingCommands(ctx),
      ...countCommands(ctx),
      ...listCommands(ctx)
    ]
    for (const command of everywhere) ctx.adhoc(command)
    ctx.reconfigure(() => true)
    if (ctx.host.type !== 'virtual') return
    const logins = new Logins(ctx, saved as SavedLogins | undefined)
    ctx.save(() => logins.saved())
    const administrators = new Administrators(ctx)
    await administrators.load()
    for (const command of withAccounts(logins, administrators)) ctx.adhoc(command)
  }
})
