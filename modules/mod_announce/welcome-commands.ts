import type { AdhocCommand, Context } from '#core'
import { ADMIN, done } from '../lib_admin'
import { textField } from '../lib_announce'
import type { AnnounceConfig } from './index'
import type { Welcome } from './welcome'

/** XEP-0133 §4.27, §4.28. */
export function welcomeCommands(ctx: Context<AnnounceConfig>, welcome: Welcome): AdhocCommand[] {
  return [
    {
      node: `${ADMIN}#set-welcome`,
      name: 'Set Welcome Message',
      access: 'admin',
      onAccount: true,
      stages: [
        {
          form: () => ({
            formType: ADMIN,
            title: 'Setting Welcome Message',
            instructions: 'Fill out this form to set the welcome message for this service.',
            fields: [{ ...textField('welcome', 'Welcome Message', ctx.config.maxLength), required: true }],
            // §4.27: SHOULD include the current one
            values: { welcome: welcome.current?.text }
          })
        }
      ],
      async finish(said, run) {
        await welcome.set({ text: said.welcome as string, lang: run.lang, by: run.actor, at: Date.now() })
        done({ ctx, run, command: 'set-welcome' }, ctx.host.name)
        return {
          notes: [{ type: 'info', text: 'It is set: accounts that are new get it at their first login.' }]
        }
      }
    },
    {
      node: `${ADMIN}#delete-welcome`,
      name: 'Delete Welcome Message',
      access: 'admin',
      onAccount: true,
      stages: [],
      async finish(_, run) {
        const deleted = await welcome.delete()
        done({ ctx, run, command: 'delete-welcome' }, ctx.host.name, deleted ? undefined : 'there was none')
        return { notes: [{ type: 'info', text: deleted ? 'It is deleted.' : 'There was none.' }] }
      }
    }
  ]
}
