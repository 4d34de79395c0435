/*
 * What the nodes of a channel hold (protoXEP §4.4, table 4), and which of them are the owner's alone: what they
 * say is about the owner, whoever may write in the channel.
 */
export const ATOM = 'http://www.w3.org/2005/Atom'
const GEOLOC = 'http://jabber.org/protocol/geoloc'

export interface NodeType {
  /** Namespace and local name of the payload's root element. */
  readonly ns: string
  readonly root: string
  /** Holds one item: a new one takes its place. */
  readonly single: boolean
  /** Who publishes: those who may write in the channel, or the owner alone. */
  readonly publishers: 'writers' | 'owner'
  /** On a topic channel its moderators publish as well. */
  readonly topicModerators: boolean
}

const ACTIVITY: NodeType = {
  ns: ATOM,
  root: 'entry',
  single: false,
  publishers: 'writers',
  topicModerators: true
}
const PLACE: NodeType = {
  ns: GEOLOC,
  root: 'geoloc',
  single: false,
  publishers: 'owner',
  topicModerators: false
}

const WELL_KNOWN: Readonly<Record<string, NodeType>> = {
  posts: ACTIVITY,
  status: { ...ACTIVITY, single: true, publishers: 'owner' },
  geoloc: { ...PLACE, single: true },
  'geoloc-past': PLACE,
  'geoloc-future': PLACE,
  'public-key': {
    ns: 'urn:xmpp:pubkey:2', // XEP-0189 §4
    root: 'pubkey',
    single: false,
    publishers: 'owner',
    topicModerators: false
  },
  mood: {
    ns: 'http://jabber.org/protocol/mood', // XEP-0107 §2.1
    root: 'mood',
    single: true,
    publishers: 'owner',
    topicModerators: false
  }
}

/** The nodes of a personal channel, in the order in which they are made. */
export const PERSONAL_NODES: readonly string[] = Object.keys(WELL_KNOWN)

/** What a node of that type holds. Types that nobody knows hold activities, as posts do. */
export function nodeType(type: string): NodeType {
  return (Object.hasOwn(WELL_KNOWN, type) ? WELL_KNOWN[type] : undefined) ?? ACTIVITY
}

export function isAtom(type: string): boolean {
  return nodeType(type).ns === ATOM
}
