import { childrenOf, el, JID, StanzaError, textOf, type Element } from '#core'

export type Subscription = 'none' | 'to' | 'from' | 'both'

/** One contact: an item of the roster (RFC 6121 §2.1.2), or only a request that waits for an answer. */
export interface RosterItem {
  /** Bare JID. */
  readonly jid: string
  readonly name: string | undefined
  readonly groups: readonly string[]
  readonly subscription: Subscription
  /** A request of ours waits for the contact's answer (RFC 6121 §2.1.2.2). */
  readonly ask: boolean
  /** Pre-approved (RFC 6121 §3.4). */
  readonly approved: boolean
  /** Whether it is an item of the roster; a request of a stranger makes none (RFC 6121 §3.1.3). */
  readonly listed: boolean
  /** The presence stanza that asks for a subscription and waits for the user's answer. */
  readonly request: string | undefined
  /** The roster's version when this changed last. */
  readonly version: number
}

/** What is known of somebody who is in no roster. */
export function stranger(jid: string): RosterItem {
  return {
    jid,
    name: undefined,
    groups: [],
    subscription: 'none',
    ask: false,
    approved: false,
    listed: false,
    request: undefined,
    version: 0
  }
}

export interface ItemLimits {
  nameLength: number
  groups: number
  /** Characters in name and groups together. */
  length: number
}

/** What a client asks for in a roster set (RFC 6121 §2.1.5, §2.3.3). */
export interface ItemRequest {
  jid: string
  remove: boolean
  name: string | undefined
  groups: string[]
}

/** Reads a roster set; throws the errors of RFC 6121 §2.3.3. */
export function readItem(query: Element, own: string, limits: ItemLimits): ItemRequest {
  const items = childrenOf(query)
  const [item] = items
  if (!item || items.length !== 1 || item.name !== 'item') {
    throw new StanzaError('bad-request', 'a roster set holds exactly one item')
  }
  const address = JID.tryParse(item.attrs.jid ?? '')
  if (!address) throw new StanzaError('bad-request', 'the jid of the item is not a JID')
  if (address.bare === own) throw new StanzaError('not-allowed', 'nobody is in their own roster')
  const name = item.attrs.name || undefined
  if (name && name.length > limits.nameLength) {
    throw new StanzaError('not-acceptable', `the name is longer than ${limits.nameLength} characters`)
  }
  const remove = item.attrs.subscription === 'remove'
  const groups = remove ? [] : readGroups(item, limits)
  const length = groups.reduce((sum, group) => sum + group.length, name?.length ?? 0)
  if (length > limits.length) {
    throw new StanzaError('not-acceptable', `name and groups are longer than ${limits.length} characters`)
  }
  return { jid: address.bare, remove, name, groups }
}

function readGroups(item: Element, limits: ItemLimits): string[] {
  const groups = childrenOf(item, 'group').map(textOf)
  if (new Set(groups).size !== groups.length) throw new StanzaError('bad-request', 'the same group twice')
  if (groups.length > limits.groups)
    throw new StanzaError('not-acceptable', `more than ${limits.groups} groups`)
  for (const group of groups) {
    if (group === '') throw new StanzaError('not-acceptable', 'a group without a name')
    if (group.length > limits.nameLength) {
      throw new StanzaError('not-acceptable', `a group longer than ${limits.nameLength} characters`)
    }
  }
  return groups
}

/** `<item/>` as results and pushes hold it. */
export function renderItem(item: RosterItem): Element {
  if (!item.listed) return el('item', { jid: item.jid, subscription: 'remove' })
  return el(
    'item',
    {
      jid: item.jid,
      name: item.name,
      subscription: item.subscription,
      ask: item.ask ? 'subscribe' : undefined,
      approved: item.approved ? 'true' : undefined
    },
    item.groups.map(group => el('group', null, group))
  )
}
