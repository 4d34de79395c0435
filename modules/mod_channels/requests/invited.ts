import { childOf, childrenOf, el, JID, nsOf, type Element } from '#core'
import { PubsubError } from '../../lib_pubsub'
import { OWNER } from '../../lib_pubsub/xml'

/** A request without the invitations in it, and the bare JIDs of those who are invited. */
export interface Uninvited {
  readonly element: Element
  readonly invited: readonly string[]
}

/**
 * `invited` is no state of a subscription in XEP-0060 (draft 2014-12 has it from the deployed servers): it is taken
 * out of a request before the rest is read by that protocol.
 */
export function takeInvitations(element: Element): Uninvited {
  const list = nsOf(element) === OWNER ? childOf(element, 'subscriptions', OWNER) : undefined
  const rows = list ? childrenOf(list) : []
  const invitations = rows.filter(row => row.name === 'subscription' && row.attrs.subscription === 'invited')
  if (list === undefined || invitations.length === 0) return { element, invited: [] }
  const invited = invitations.map(row => {
    const jid = JID.tryParse(String(row.attrs.jid ?? ''))
    if (jid === undefined) throw new PubsubError('invalidJid')
    return jid.bare
  })
  const others = childrenOf(element).filter(child => child !== list)
  const rest = rows.filter(row => !invitations.includes(row))
  return {
    element: el('pubsub', OWNER, el('subscriptions', { ...list.attrs }, rest), others),
    invited
  }
}
