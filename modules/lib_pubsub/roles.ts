/*
 * Who may do what. A service gives the engine one table: its affiliations, what each may do, and which changes
 * each may make to whom. The engine asks the table and nothing else.
 */

/** What an affiliation allows. `access` and `model` leave it to the node's access or publish model. */
export interface Role {
  /**
   * `always`: on the list of a closed node, needs no approval; `access`: as the access model says; `never`:
   * may not, and existing subscriptions end.
   */
  subscribe: 'always' | 'access' | 'never'
  /** `always`: also without a subscription; `access`: as the access model says; `never`: refused everywhere. */
  read: 'always' | 'access' | 'never'
  /** `model`: as the publish model says. */
  publish: 'always' | 'model' | 'never'
  /** Which items may be deleted. Whoever may publish by the publish model may delete what is their own. */
  retract: 'any' | 'own' | 'none'
  purge: boolean
  /** Delete the node. */
  remove: boolean
  /** All of the configuration, or only these keys. */
  configure: 'all' | readonly string[]
  /** Approve, deny, list, add and end subscriptions of others. */
  manageSubscriptions: boolean
  /** Which affiliations of others are listed: all, or these (to those who may read the node). */
  listAffiliations: 'all' | readonly string[]
  /** Which affiliations may be changed into which, of others and one's own; nothing where it is left out. */
  transitions?: { others?: Transitions; self?: Transitions }
}

/** From an affiliation to those it may become. */
export type Transitions = Readonly<Record<string, readonly string[]>>

/** The affiliations of a service. `none` is always there: it is what everybody has who is in no list. */
export interface RoleTable {
  roles: Readonly<Record<string, Role>> & { readonly none: Role }
  /** What the creator of a node becomes; a node is never without one of them. */
  owner: string
}

const NOTHING = {
  retract: 'none',
  purge: false,
  remove: false,
  configure: [],
  manageSubscriptions: false,
  listAffiliations: []
} as const

/** XEP-0060 §4.1, tables 1 and 2. */
export const PUBSUB_ROLES: RoleTable = {
  owner: 'owner',
  roles: {
    owner: {
      subscribe: 'always',
      read: 'always',
      publish: 'always',
      retract: 'any',
      purge: true,
      remove: true,
      configure: 'all',
      manageSubscriptions: true,
      listAffiliations: 'all',
      transitions: {
        others: {
          outcast: ['none', 'member', 'publisher', 'publish-only', 'owner'],
          none: ['outcast', 'member', 'publisher', 'publish-only', 'owner'],
          member: ['outcast', 'none', 'publisher', 'publish-only', 'owner'],
          publisher: ['outcast', 'none', 'owner'],
          // the chart has no row for it: as publisher, and back among the readers
          'publish-only': ['outcast', 'none', 'member', 'publisher', 'owner']
        },
        self: { owner: ['none'] }
      }
    },
    publisher: { ...NOTHING, subscribe: 'always', read: 'always', publish: 'always', retract: 'own' },
    'publish-only': { ...NOTHING, subscribe: 'never', read: 'never', publish: 'always', retract: 'own' },
    member: { ...NOTHING, subscribe: 'always', read: 'access', publish: 'model' },
    none: { ...NOTHING, subscribe: 'access', read: 'access', publish: 'model' },
    outcast: { ...NOTHING, subscribe: 'never', read: 'never', publish: 'never' }
  }
}

/** Whether somebody with `actor` may turn `from` into `to`; `self`: it is their own. */
export function mayChange(actor: Role, self: boolean, from: string, to: string): boolean {
  const table = self ? actor.transitions?.self : actor.transitions?.others
  return (
    table !== undefined && Object.hasOwn(table, from) && table[from] !== undefined && table[from].includes(to)
  )
}

/** The role of that name; what the table does not know has no rights beyond those of a stranger. */
export function roleOf(table: RoleTable, affiliation: string): Role {
  return hasRole(table, affiliation) ? (table.roles[affiliation] ?? table.roles.none) : table.roles.none
}

export function hasRole(table: RoleTable, affiliation: string): boolean {
  return Object.hasOwn(table.roles, affiliation)
}
