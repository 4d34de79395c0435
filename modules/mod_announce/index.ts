import { defineModule, z } from '#core'
import { announceCommand } from './announce'
import { Motd } from './motd'
import { motdCommands } from './motd-commands'
import { Welcome } from './welcome'
import { welcomeCommands } from './welcome-commands'

const config = z.object({
  maxLength: z
    .number()
    .int()
    .min(1)
    .max(20_000)
    .default(4000)
    .describe('Characters in an announcement, a message of the day or a welcome message, at most.'),
  announcementSubject: z
    .string()
    .max(200)
    .default('Announcement')
    .describe('Subject of announcements; empty for none.'),
  motdSubject: z
    .string()
    .max(200)
    .default('Message of the day')
    .describe('Subject of the message of the day; empty for none.'),
  welcomeSubject: z
    .string()
    .max(200)
    .default('Welcome')
    .describe('Subject of the welcome message; empty for none.')
})

export type AnnounceConfig = z.infer<typeof config>

/** XEP-0133 §4.23 to §4.28: what administrators say to all users of a host. */
export default defineModule({
  name: 'announce',
  description: 'Announcements, message of the day and welcome message (XEP-0133)',
  on: ['virtual'],
  dependencies: ['adhoc', 'message', 'presence'],
  config,
  async setup(ctx) {
    const motd = new Motd(ctx)
    const welcome = new Welcome(ctx)
    await motd.load()
    await welcome.load()
    ctx.reconfigure(() => true)
    ctx.adhoc(announceCommand(ctx))
    for (const command of [...motdCommands(ctx, motd), ...welcomeCommands(ctx, welcome)]) ctx.adhoc(command)
    ctx.hook('presence/available', async ({ session, before }) => {
      // Whoever can be sent messages only now is there only now (RFC 6121 §8.5.2.1)
      if ((before ?? -1) >= 0 || (session.state.priority ?? -1) < 0) return
      await welcome.came(session.user)
      await motd.came(session.user)
    })
  }
})
