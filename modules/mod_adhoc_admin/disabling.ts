import { FormError, JID, type AdhocCommand, type Context, type FormDef } from '#core'
import { actOnEach, ADMIN } from '../lib_admin'
import { accountsField, noAccount } from './addresses'
import { mustBeAllowed } from './rights'

/** XEP-0133 §4.3 and §4.4. */
export function disablingCommands(ctx: Context): AdhocCommand[] {
  return [disableUser(ctx), reenableUser(ctx)]
}

function disableUser(ctx: Context): AdhocCommand {
  const form: FormDef = {
    formType: ADMIN,
    title: 'Disabling a User',
    instructions: 'Fill out this form to disable a user.',
    fields: [accountsField(ctx, 'The Jabber ID(s) to disable')]
  }
  return {
    node: `${ADMIN}#disable-user`,
    name: 'Disable User',
    access: 'admin',
    onAccount: true,
    stages: [
      {
        form: () => form,
        check(said, { requester }) {
          if (requester && (said.accountjids as string[]).includes(requester.bare)) {
            throw new FormError('your own account is disabled by another administrator', 'accountjids')
          }
        }
      }
    ],
    finish: (said, run) =>
      actOnEach({ ctx, run, command: 'disable-user' }, said.accountjids as string[], async target => {
        const jid = JID.parse(target)
        mustBeAllowed(ctx, run, jid)
        const changed = await ctx.server.accounts.setDisabled(jid.local, jid.domain, true)
        if (changed === undefined) throw noAccount(jid)
        return changed ? 'was disabled' : 'was disabled already'
      })
  }
}

function reenableUser(ctx: Context): AdhocCommand {
  const form: FormDef = {
    formType: ADMIN,
    title: 'Re-Enable a User',
    instructions: 'Fill out this form to re-enable a user.',
    fields: [accountsField(ctx, 'The Jabber ID(s) to re-enable')]
  }
  return {
    node: `${ADMIN}#reenable-user`,
    name: 'Re-Enable User',
    access: 'admin',
    onAccount: true,
    stages: [{ form: () => form }],
    finish: (said, run) =>
      actOnEach({ ctx, run, command: 'reenable-user' }, said.accountjids as string[], async target => {
        const jid = JID.parse(target)
        mustBeAllowed(ctx, run, jid)
        const changed = await ctx.server.accounts.setDisabled(jid.local, jid.domain, false)
        if (changed === undefined) throw noAccount(jid)
        return changed ? 'may log in again' : 'was not disabled'
      })
  }
}
