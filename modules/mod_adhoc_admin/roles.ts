import {
  FormError,
  JID,
  type AdhocCommand,
  type CommandNote,
  type Context,
  type FormDef,
  type FormValues
} from '#core'
import { ADMIN, done } from '../lib_admin'
import type { Administrators } from './administrators'

/** Administrators of a host by command, at most. */
const MAX_ADMINISTRATORS = 100
const COMMAND = 'edit-admin'
const FIELD = 'adminjids'

/** XEP-0133 §4.29. */
export function roleCommands(ctx: Context, administrators: Administrators): AdhocCommand[] {
  const form: FormDef = {
    formType: ADMIN,
    title: 'Editing the Admin List',
    instructions: 'Fill out this form to edit the list of entities who have administrative privileges.',
    fields: [
      {
        var: FIELD,
        type: 'jid-multi',
        label: 'The admin list',
        maxValues: 2 * MAX_ADMINISTRATORS,
        check: bare
      }
    ]
  }
  return [
    {
      node: `${ADMIN}#${COMMAND}`,
      name: 'Edit Admin List',
      // Who administers one host does not decide who else does
      access: 'operator',
      onAccount: true,
      stages: [
        {
          form: () => ({
            ...form,
            values: { [FIELD]: [...administrators.named, ...administrators.granted] }
          }),
          check: async said => void (await chosen(ctx, administrators, said))
        }
      ],
      async finish(said, run) {
        const before = administrators.granted
        const after = await chosen(ctx, administrators, said)
        const added = after.filter(jid => !before.includes(jid))
        const removed = before.filter(jid => !after.includes(jid))
        if (added.length + removed.length > 0) await administrators.grant(after, run.actor)
        for (const jid of added) done({ ctx, run, command: COMMAND }, jid, 'administers the host')
        for (const jid of removed)
          done({ ctx, run, command: COMMAND }, jid, 'does not administer the host any more')
        const notes: CommandNote[] = [
          ...added.map(jid => ({ type: 'info' as const, text: `${jid} administers the host` })),
          ...removed.map(jid => ({
            type: 'info' as const,
            text: `${jid} does not administer the host any more`
          }))
        ]
        return { notes }
      }
    }
  ]
}

/** Whom the command makes administrators. Throws a FormError. */
async function chosen(ctx: Context, administrators: Administrators, said: FormValues): Promise<string[]> {
  const { named, granted } = administrators
  // A field that is left out keeps its value (XEP-0004 §3.5)
  if (said[FIELD] === undefined) return granted
  const jids = said[FIELD] as string[]
  const missing = named.find(jid => !jids.includes(jid))
  if (missing !== undefined)
    throw new FormError(`the config file names ${missing}: it has to be taken out there`, FIELD)
  const wanted = jids.filter(jid => !named.includes(jid))
  if (wanted.length > MAX_ADMINISTRATORS)
    throw new FormError(`more than ${MAX_ADMINISTRATORS} besides those of the config file`, FIELD)
  for (const jid of wanted) if (!granted.includes(jid)) await mustBeThere(ctx, JID.parse(jid))
  return wanted
}

/** Whoever made the account of somebody who is not there would be an administrator. */
async function mustBeThere({ server }: Context, jid: JID): Promise<void> {
  if (!server.isLocal(jid.domain) || (await server.accounts.exists(jid.local, jid.domain))) return
  throw new FormError(`there is no account ${jid.bare}`, FIELD)
}

function bare(value: string): string {
  const jid = JID.parse(value)
  if (jid.local === '') throw new Error(`${jid.full} is no account`)
  if (jid.resource !== '') throw new Error(`${jid.full} names a resource: ${jid.bare} is expected`)
  return jid.full
}
