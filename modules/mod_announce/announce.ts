import { randomUUID } from 'node:crypto'
import type { AdhocCommand, Context } from '#core'
import { ADMIN, done } from '../lib_admin'
import { announcement, connectedAt, inSlices, textField } from '../lib_announce'
import type { AnnounceConfig } from './index'

const COMMAND = 'announce'

/** XEP-0133 §4.23: to those alone who have a session now, so it is kept for nobody. */
export function announceCommand(ctx: Context<AnnounceConfig>): AdhocCommand {
  return {
    node: `${ADMIN}#${COMMAND}`,
    name: 'Send Announcement to Online Users',
    access: 'admin',
    onAccount: true,
    stages: [
      {
        form: () => ({
          formType: ADMIN,
          title: 'Making an Announcement',
          instructions: 'Fill out this form to make an announcement to all active users of this service.',
          fields: [{ ...textField('announcement', 'Announcement', ctx.config.maxLength), required: true }]
        })
      }
    ],
    async finish(said, run) {
      const users = [...ctx.host.sessions.users()]
      const message = {
        from: ctx.host.name,
        text: said.announcement as string,
        subject: ctx.config.announcementSubject,
        lang: run.lang,
        id: randomUUID(),
        momentary: true
      }
      let reached = 0
      await inSlices(users, ctx.signal, some => {
        for (const user of some) {
          const addresses = connectedAt(ctx.host, user)
          if (addresses.length > 0) reached++
          for (const to of addresses) ctx.send(announcement(to, message))
        }
      })
      done({ ctx, run, command: COMMAND }, ctx.host.name, `sent to ${reached} users`)
      return {
        notes: [{ type: 'info', text: `Sent to ${reached === 1 ? 'one user' : `${reached} users`}.` }]
      }
    }
  }
}
