import {
  FormError,
  JID,
  StanzaError,
  z,
  type AdhocCommand,
  type CodedError,
  type Context,
  type FormDef,
  type FormValues
} from '#core'
import { actOnEach, ADMIN } from '../lib_admin'
import { accountField, accountsField, noAccount } from './addresses'
import { mustBeAllowed } from './rights'

/** What an administrator may tell about a new account (XEP-0133 §4.1). */
const Details = z.object({ email: z.string(), givenName: z.string(), surname: z.string() }).partial()

/** XEP-0133 §4.1, §4.2, §4.7. */
export function accountCommands(ctx: Context): AdhocCommand[] {
  return [addUser(ctx), deleteUser(ctx), changePassword(ctx)]
}

function addUser(ctx: Context): AdhocCommand {
  const details = ctx.store('details', Details, { owner: 'user' })
  const form: FormDef = {
    formType: ADMIN,
    title: 'Adding a User',
    instructions: 'Fill out this form to add a user.',
    fields: [
      accountField(ctx, 'The Jabber ID for the account to be added'),
      { var: 'password', type: 'text-private', label: 'The password for this account' },
      { var: 'password-verify', type: 'text-private', label: 'Retype password' },
      { var: 'email', type: 'text-single', label: 'Email address' },
      { var: 'given_name', type: 'text-single', label: 'Given name' },
      { var: 'surname', type: 'text-single', label: 'Family name' }
    ]
  }
  return {
    node: `${ADMIN}#add-user`,
    name: 'Add User',
    access: 'admin',
    onAccount: true,
    stages: [{ form: () => form, check: checkPasswords }],
    finish: (said, run) =>
      actOnEach({ ctx, run, command: 'add-user' }, [text(said.accountjid)], async target => {
        const jid = JID.parse(target)
        mustBeAllowed(ctx, run, jid)
        await accountFault(() => ctx.server.accounts.create(jid.local, jid.domain, text(said.password)))
        const told = detailsOf(said)
        if (Object.keys(told).length > 0) await details.set(jid.local, told)
        return 'was added'
      })
  }
}

/** An account without a password could never log in, so the optional field is asked for. */
function checkPasswords(said: FormValues): void {
  const password = text(said.password)
  if (password === '') throw new FormError('a password is needed', 'password')
  const again = said['password-verify']
  if (again !== undefined && again !== password)
    throw new FormError('is not the same as the password', 'password-verify')
}

function detailsOf(said: FormValues): z.infer<typeof Details> {
  const told = { email: text(said.email), givenName: text(said.given_name), surname: text(said.surname) }
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== ''))
}

function deleteUser(ctx: Context): AdhocCommand {
  const form: FormDef = {
    formType: ADMIN,
    title: 'Deleting a User',
    instructions: 'Fill out this form to delete a user.',
    fields: [accountsField(ctx, 'The Jabber ID(s) to delete')]
  }
  return {
    node: `${ADMIN}#delete-user`,
    name: 'Delete User',
    access: 'admin',
    onAccount: true,
    stages: [
      {
        form: () => form,
        check(said, { requester }) {
          if (requester && list(said.accountjids).includes(requester.bare)) {
            throw new FormError('your own account is deleted by another administrator', 'accountjids')
          }
        }
      }
    ],
    finish: (said, run) =>
      actOnEach({ ctx, run, command: 'delete-user' }, list(said.accountjids), async target => {
        const jid = JID.parse(target)
        mustBeAllowed(ctx, run, jid)
        if (!(await ctx.server.accounts.remove(jid.local, jid.domain))) throw noAccount(jid)
        return 'was deleted'
      })
  }
}

function changePassword(ctx: Context): AdhocCommand {
  const form: FormDef = {
    formType: ADMIN,
    title: 'Changing a User Password',
    instructions: "Fill out this form to change a user's password.",
    fields: [
      accountField(ctx, 'The Jabber ID for this account'),
      { var: 'password', type: 'text-private', label: 'The password for this account', required: true }
    ]
  }
  return {
    node: `${ADMIN}#change-user-password`,
    name: 'Change User Password',
    access: 'admin',
    onAccount: true,
    stages: [{ form: () => form }],
    finish: (said, run) =>
      actOnEach({ ctx, run, command: 'change-user-password' }, [text(said.accountjid)], async target => {
        const jid = JID.parse(target)
        mustBeAllowed(ctx, run, jid)
        const changed = await accountFault(() =>
          ctx.server.accounts.setPassword(jid.local, jid.domain, text(said.password))
        )
        if (!changed) throw noAccount(jid)
        return 'has a new password'
      })
  }
}

/** What cannot be done to an account, as the error of XEP-0133 §5. */
async function accountFault<T>(fn: () => Promise<T>): Promise<T> {
  try {
    return await fn()
  } catch (error) {
    const { code, message } = error as Partial<CodedError>
    if (code === 'ERR_ACCOUNT_EXISTS') throw new StanzaError('conflict', message)
    if (code === 'ERR_ACCOUNT_NAME') throw new StanzaError('jid-malformed', message)
    if (code === 'ERR_PASSWORD') throw new StanzaError('not-acceptable', message)
    throw error
  }
}

function text(value: FormValues[string]): string {
  return typeof value === 'string' ? value : ''
}

function list(value: FormValues[string]): string[] {
  return Array.isArray(value) ? value : []
}
