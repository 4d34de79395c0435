import {
  JID,
  StanzaError,
  StreamError,
  type AdhocCommand,
  type ClientSession,
  type Context,
  type FormDef
} from '#core'
import { actOnEach, ADMIN } from '../lib_admin'
import { accountsField } from './addresses'
import { mustBeAllowed } from './rights'

/** XEP-0133 §4.5. */
export function sessionCommands(ctx: Context): AdhocCommand[] {
  const form: FormDef = {
    formType: ADMIN,
    title: 'Ending a User Session',
    instructions: "Fill out this form to end a user's session.",
    fields: [accountsField(ctx, 'The Jabber ID(s) for which to end sessions', { resources: true })]
  }
  return [
    {
      node: `${ADMIN}#end-user-session`,
      name: 'End User Session',
      access: 'admin',
      onAccount: true,
      stages: [{ form: () => form }],
      finish: (said, run) =>
        actOnEach({ ctx, run, command: 'end-user-session' }, said.accountjids as string[], target => {
          const jid = JID.parse(target)
          mustBeAllowed(ctx, run, jid)
          const sessions = sessionsOf(ctx, jid)
          if (sessions.length === 0) throw new StanzaError('item-not-found', 'has no session')
          for (const session of sessions) {
            // Whoever ends their own session is to have the answer first
            if (session === run.event?.origin.session) ctx.after(0, () => end(session))
            else end(session)
          }
          return sessions.length === 1 ? 'was disconnected' : `was disconnected, ${sessions.length} sessions`
        })
    }
  ]
}

/** All of an account, or the one of a full JID. */
function sessionsOf(ctx: Context, jid: JID): ClientSession[] {
  if (jid.resource === '') return [...ctx.host.sessions.of(jid.local).values()]
  const session = ctx.host.sessions.get(jid.local, jid.resource)
  return session ? [session] : []
}

function end(session: ClientSession): void {
  session.close(new StreamError('policy-violation', 'an administrator has ended this session'))
}
