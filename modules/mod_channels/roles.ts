import { nodeType } from '../lib_channels'
import type { Role, RoleTable, Transitions } from '../lib_pubsub'
import { MODERATED } from './fields'
import type { ChannelKind } from './model'

/*
 * protoXEP tables 5, 6 and 7: who may do what in a channel. What is said of posts holds for every node, but on
 * those that are about the owner only the owner publishes (`mayPublish`).
 */

const EVERYBODY = ['owner', 'moderator', 'publisher', 'member', 'none', 'outcast'] as const
/** Whom moderators manage, and what they may make of them. */
const MANAGED = ['publisher', 'member', 'none', 'outcast'] as const
/** Followers, moderators and owners are listed to whoever may read; a ban is the managers' to know. */
export const PUBLIC_ROLES: readonly string[] = ['owner', 'moderator', 'publisher', 'member']

function anyOf(roles: readonly string[]): Transitions {
  return Object.fromEntries(roles.map(role => [role, roles.filter(other => other !== role)]))
}

const READER: Role = {
  subscribe: 'always',
  read: 'always',
  publish: 'never',
  // whoever was made a follower again still deletes what they wrote
  retract: 'own',
  purge: false,
  remove: false,
  configure: [],
  manageSubscriptions: false,
  listAffiliations: PUBLIC_ROLES
}
const WRITER: Role = { ...READER, publish: 'always' }

export const CHANNEL_ROLES: RoleTable = {
  owner: 'owner',
  roles: {
    owner: {
      ...WRITER,
      retract: 'any',
      purge: true,
      remove: true,
      configure: 'all',
      manageSubscriptions: true,
      listAffiliations: 'all',
      transitions: { others: anyOf(EVERYBODY) }
    },
    moderator: {
      ...WRITER,
      retract: 'any',
      configure: MODERATED,
      manageSubscriptions: true,
      listAffiliations: 'all',
      transitions: { others: anyOf(MANAGED) }
    },
    /** follower+post */
    publisher: WRITER,
    /** follower */
    member: READER,
    none: { ...READER, subscribe: 'access', read: 'access', retract: 'none' },
    outcast: { ...READER, subscribe: 'never', read: 'never', retract: 'none', listAffiliations: [] }
  }
}

/** Those who approve followers and hear of bans and requests. */
export const MANAGERS: readonly string[] = ['owner', 'moderator']

/** What is about the owner is the owner's to say, whatever somebody's role in the channel; else their role says. */
export function mayPublish(
  { type, channel }: { type: string; channel: { kind: ChannelKind } },
  affiliation: string
): boolean | undefined {
  const { publishers, topicModerators } = nodeType(type)
  if (publishers === 'writers' || affiliation === 'owner') return undefined
  return affiliation === 'moderator' && topicModerators && channel.kind !== 'personal'
}

/** Who may invite: those who approve followers, and whoever follows. */
export function mayInvite(affiliation: string, follows: boolean): boolean {
  return MANAGERS.includes(affiliation) || (follows && affiliation !== 'outcast')
}
