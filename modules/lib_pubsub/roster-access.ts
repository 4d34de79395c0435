import type { AccessModel, AccessRule } from './access'
import type { ErrorName } from './errors'
import type { Actor, Awaitable, Node, ReadStore } from './store'

/** What a roster says of a contact (RFC 6121 §2.1.2). */
export interface RosterContact {
  readonly subscription: 'none' | 'to' | 'from' | 'both'
  readonly groups: readonly string[]
}

/** A roster: contacts by bare JID. */
export type ContactList = ReadonlyMap<string, RosterContact>

/** How a service asks for rosters. */
export interface Rosters {
  /** Whether somebody's roster (a bare JID) could be. */
  isAvailable(): boolean
  /** Whether that one's can be, now. */
  isReachable(owner: string): boolean
  /** Their roster, `undefined` where it cannot be reached; `store` is that of the request. */
  rosterOf(owner: string, store: ReadStore): Awaitable<ContactList | undefined>
}

/** Owners whose rosters count, those that have been it longest. */
const OWNERS = 20
/** Groups that a form names; others can be written down. */
const GROUPS = 200

const ADMITTED: AccessRule = { subscribe: 'open', read: 'anyone', refusal: 'forbidden' }

/**
 * The models of XEP-0060 §4.5 that go by the owner's roster. Where a node has several owners, whoever is in the
 * roster of one of them is admitted. A roster that cannot be reached admits nobody.
 * @param owner the affiliation of owners
 */
export function rosterAccess(rosters: Rosters, owner = 'owner'): Record<'presence' | 'roster', AccessModel> {
  return {
    presence: model('presenceSubscriptionRequired', {
      label: 'Only those with a subscription to the presence of the owner may subscribe and retrieve items',
      admits: contact => contact.subscription === 'from' || contact.subscription === 'both'
    }),
    roster: model('notInRosterGroup', {
      label: 'Only those in a group of the roster of the owner may subscribe and retrieve items',
      admits: (contact, allowed) => contact.groups.some(group => allowed.includes(group))
    })
  }

  function model(
    refusal: ErrorName,
    { label, admits }: { label: string; admits(contact: RosterContact, groups: readonly string[]): boolean }
  ): AccessModel {
    const refused: AccessRule = { subscribe: 'closed', read: 'subscribers', refusal }
    const gate = async (node: Node, store: ReadStore): Promise<(bare: string) => boolean> => {
      const groups = groupsAllowed(node)
      const lists = await contactLists(node, store)
      return bare =>
        lists.some(list => {
          const contact = list.get(bare)
          return contact !== undefined && admits(contact, groups)
        })
    }
    return {
      label,
      rule: async (who: Actor, node: Node, store: ReadStore) =>
        (await gate(node, store))(who.bare) ? ADMITTED : refused,
      gate,
      isOffered: () => rosters.isAvailable(),
      isOfferedTo: owners => owners.some(jid => rosters.isReachable(jid)),
      groupsOf
    }
  }

  async function groupsOf(jid: string, store: ReadStore): Promise<readonly string[]> {
    const list = rosters.isReachable(jid) ? await rosters.rosterOf(jid, store) : undefined
    const groups = new Set<string>()
    for (const contact of list?.values() ?? []) {
      for (const group of contact.groups) if (groups.size < GROUPS) groups.add(group)
    }
    return [...groups]
  }

  async function contactLists(node: Node, store: ReadStore): Promise<ContactList[]> {
    const { rows } = await store.affiliations(node, { limit: OWNERS }, [owner])
    const reachable = rows.filter(({ jid }) => rosters.isReachable(jid))
    const lists: ContactList[] = []
    for (const { jid } of reachable) {
      const list = await rosters.rosterOf(jid, store)
      if (list) lists.push(list)
    }
    return lists
  }
}

/** `pubsub#roster_groups_allowed` */
function groupsAllowed({ config }: Node): readonly string[] {
  const groups = config.roster_groups_allowed
  return Array.isArray(groups) ? (groups as string[]) : []
}
