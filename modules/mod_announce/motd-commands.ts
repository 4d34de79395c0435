import type { AdhocCommand, CommandRun, Context, FormDef, FormValues } from '#core'
import { ADMIN, done } from '../lib_admin'
import { textField } from '../lib_announce'
import type { AnnounceConfig } from './index'
import type { Motd } from './motd'
import type { Text } from './text'

/** XEP-0133 §4.24 to §4.26. */
export function motdCommands(ctx: Context<AnnounceConfig>, motd: Motd): AdhocCommand[] {
  const form = (title: string, instructions: string): FormDef => ({
    formType: ADMIN,
    title,
    instructions,
    fields: [{ ...textField('motd', 'Message of the Day', ctx.config.maxLength), required: true }]
  })
  return [
    {
      node: `${ADMIN}#set-motd`,
      name: 'Set Message of the Day',
      access: 'admin',
      onAccount: true,
      stages: [
        {
          form: () =>
            form('Setting the Message of the Day', 'Fill out this form to set the message of the day.')
        }
      ],
      async finish(said, run) {
        const sent = await motd.set(textOf(said, run))
        done({ ctx, run, command: 'set-motd' }, ctx.host.name, `sent to ${sent} users at once`)
        return { notes: [{ type: 'info', text: `It is set. Sent at once: ${sent}.` }] }
      }
    },
    {
      node: `${ADMIN}#edit-motd`,
      name: 'Edit Message of the Day',
      access: 'admin',
      onAccount: true,
      stages: [
        {
          // §4.25: SHOULD include the current one
          form: () => ({
            ...form('Editing the Message of the Day', 'Fill out this form to edit the message of the day.'),
            values: { motd: motd.current?.text }
          })
        }
      ],
      async finish(said, run) {
        const act = { ctx, run, command: 'edit-motd' }
        const text = textOf(said, run)
        if (await motd.edit(text)) {
          done(act, ctx.host.name)
          return {
            notes: [{ type: 'info', text: 'It is changed, for those who have not had it.' }]
          }
        }
        const sent = await motd.set(text)
        done(act, ctx.host.name, `there was none: sent to ${sent} users at once`)
        return { notes: [{ type: 'info', text: `There was none: it is set. Sent at once: ${sent}.` }] }
      }
    },
    {
      node: `${ADMIN}#delete-motd`,
      name: 'Delete Message of the Day',
      access: 'admin',
      onAccount: true,
      stages: [],
      async finish(_, run) {
        const deleted = await motd.delete()
        done({ ctx, run, command: 'delete-motd' }, ctx.host.name, deleted ? undefined : 'there was none')
        return { notes: [{ type: 'info', text: deleted ? 'It is deleted.' : 'There was none.' }] }
      }
    }
  ]
}

function textOf(said: FormValues, run: CommandRun): Text {
  return { text: said.motd as string, lang: run.lang, by: run.actor, at: Date.now() }
}
