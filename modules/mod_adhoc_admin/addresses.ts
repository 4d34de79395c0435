import { JID, StanzaError, type Context, type FormField } from '#core'

/** Accounts that one command may name. */
const MAX_ACCOUNTS = 100

/** The field for one account of this host; what is read is its bare JID. */
export function accountField(ctx: Context, label: string): FormField {
  return {
    var: 'accountjid',
    type: 'jid-single',
    label,
    required: true,
    check: value => ownAccount(ctx, value).full
  }
}

/** The field for accounts of this host; what is read are bare JIDs, or with `resources` full ones too. */
export function accountsField(ctx: Context, label: string, { resources = false } = {}): FormField {
  return {
    var: 'accountjids',
    type: 'jid-multi',
    label,
    required: true,
    maxValues: MAX_ACCOUNTS,
    check: value => ownAccount(ctx, value, resources).full
  }
}

/** XEP-0133 §5 names no condition for it. */
export function noAccount(jid: JID): StanzaError {
  return new StanzaError('item-not-found', `there is no account ${jid.bare}`)
}

/** XEP-0133 §3: nobody administers the accounts of another host here. The error becomes a FormError. */
export function ownAccount(ctx: Context, value: string, resources = false): JID {
  const jid = JID.parse(value)
  const host = ctx.host.name
  if (jid.local === '') throw new Error(`${jid.full} is no account: name@${host} is expected`)
  if (jid.domain !== host) throw new Error(`${jid.bare} is not on ${host}: ask ${jid.domain}`)
  if (jid.resource !== '' && !resources)
    throw new Error(`${jid.full} names a resource: ${jid.bare} is expected`)
  return jid
}
