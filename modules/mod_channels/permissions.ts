import { nodeType, PERSONAL_NODES } from '../lib_channels'
import { admission, mayChange, roleOf, type AccessRule, type Role } from '../lib_pubsub'
import { channelAccess } from './access'
import { ACCESS_MODELS, type AccessModel, type ChannelKind } from './model'
import { CHANNEL_ROLES, mayInvite, mayPublish } from './roles'

/*
 * Who may do what, as tables to be read (protoXEP §5.2, §5.3, tables 5 to 7): made from what the engine asks, never
 * written by hand. docs/protocol.md shows them; a test tries every cell through the wire.
 */

/** Who is somebody to a channel; `elsewhere`: of a domain whose accounts have no channels here, and nobody to it. */
export const COLUMNS = ['owner', 'moderator', 'publisher', 'member', 'none', 'elsewhere', 'outcast'] as const
export type Column = (typeof COLUMNS)[number]

export interface PermissionRow {
  readonly property: string
  /** The access model for which it holds, or all. */
  readonly model: AccessModel | 'all'
  readonly cells: Readonly<Record<Column, string>>
}

export interface PermissionTable {
  readonly name: string
  readonly rows: readonly PermissionRow[]
}

type Ask = (who: { role: Role; affiliation: string; rule: AccessRule }) => string | boolean

const HERE = 'somebody@here'
const ELSEWHERE = 'somebody@elsewhere'
const ACCESS = channelAccess(bare => bare === HERE)
/** `own`, `any` of what may be deleted. */
const OTHERS: Readonly<Record<Role['retract'], string>> = { any: 'yes', own: 'no', none: 'no' }

const reads: Ask = ({ role, rule }) =>
  role.read === 'always' || (role.read === 'access' && rule.read === 'anyone')
const configures =
  (key: string): Ask =>
  ({ role: { configure } }) =>
    configure === 'all' || configure.includes(key)

/** protoXEP table 5. */
export function readTable(): PermissionTable {
  return {
    name: 'Reading (protoXEP table 5)',
    rows: [
      row('name, title, description', 'all', () => true),
      ...byModel('posts, replies, ratings', reads),
      ...byModel('followers, moderators, owners', reads),
      row('bans', 'all', ({ role }) => role.listAffiliations === 'all'),
      row('requests to follow, invitations', 'all', ({ role }) => role.manageSubscriptions),
      row('form of the configuration', 'all', ({ role }) => role.configure.length > 0),
      ...byModel('follow', ({ role, rule }) => {
        const state = admission(role, rule)
        return state === 'pending' ? 'asks' : state !== undefined
      })
    ]
  }
}

/** protoXEP table 6, and what it leaves out. */
export function writeTable(): PermissionTable {
  const owners = PERSONAL_NODES.filter(type => nodeType(type).publishers === 'owner' && type !== 'status')
  return {
    name: 'Writing (protoXEP table 6)',
    rows: [
      row('title', 'all', configures('title')),
      row('description', 'all', configures('description')),
      row('role of new followers', 'all', configures('default_affiliation')),
      row('access model', 'all', configures('access_model')),
      row('advertise a node', 'all', configures('advertise_node')),
      row('ban, and pardon', 'all', ({ role }) => mayChange(role, false, 'none', 'outcast')),
      row('approve requests', 'all', ({ role }) => role.manageSubscriptions),
      row('make moderators and owners', 'all', ({ role }) => mayChange(role, false, 'member', 'moderator')),
      row('invite', 'all', ({ affiliation, role }) =>
        mayInvite(affiliation, affiliation !== 'none' && role.read === 'always')
      ),
      row('publish on posts', 'all', publishes('posts', 'personal')),
      row('publish on status of a person', 'all', publishes('status', 'personal')),
      row('publish on status of a topic', 'all', publishes('status', 'topic')),
      ...owners.map(type => row(`publish on ${type}`, 'all', publishes(type, 'topic'))),
      row('delete own items', 'all', ({ role }) => role.retract !== 'none'),
      row('delete items of others', 'all', ({ role }) => OTHERS[role.retract]),
      row('purge a node', 'all', ({ role }) => role.purge),
      row('delete a node', 'all', ({ role }) => role.remove)
    ]
  }
}

/** Whose role each may change into what: lines from, columns to. */
export function changeTable(by: 'owner' | 'moderator'): {
  by: string
  from: Readonly<Record<string, readonly string[]>>
} {
  const role = roleOf(CHANNEL_ROLES, by)
  const names = Object.keys(CHANNEL_ROLES.roles)
  return {
    by,
    from: Object.fromEntries(names.map(from => [from, names.filter(to => mayChange(role, false, from, to))]))
  }
}

function publishes(type: string, kind: ChannelKind): Ask {
  return ({ role, affiliation }) =>
    mayPublish({ type, channel: { kind } }, affiliation) ?? role.publish === 'always'
}

function byModel(property: string, ask: Ask): PermissionRow[] {
  return ACCESS_MODELS.map(model => row(property, model, ask))
}

function row(property: string, model: PermissionRow['model'], ask: Ask): PermissionRow {
  const cells = COLUMNS.map(column => {
    const affiliation = column === 'elsewhere' ? 'none' : column
    const said = ask({
      role: roleOf(CHANNEL_ROLES, affiliation),
      affiliation,
      rule: ruleOf(model === 'all' ? 'open' : model, column)
    })
    return [column, said === true ? 'yes' : said === false ? 'no' : said] as const
  })
  return { property, model, cells: Object.fromEntries(cells) as Record<Column, string> }
}

function ruleOf(model: AccessModel, column: Column): AccessRule {
  const bare = column === 'elsewhere' ? ELSEWHERE : HERE
  const rule = ACCESS[model]?.rule
  if (rule === undefined) throw new Error(`there is no access model ${model}`)
  // those of channels look at the person alone, and at once
  const ask = rule as AccessRule | ((who: { jid: string; bare: string }) => AccessRule)
  return typeof ask === 'function' ? ask({ jid: bare, bare }) : ask
}

/** The tables as they stand in docs/protocol.md. */
export function renderPermissions(): string {
  const tables = [readTable(), writeTable()].map(({ name, rows }) => {
    const models = rows.some(one => one.model !== 'all')
    const head = [name, ...(models ? ['access model'] : []), ...COLUMNS]
    const lines = rows.map(({ property, model, cells }) => [
      property,
      ...(models ? [model] : []),
      ...COLUMNS.map(column => cells[column])
    ])
    return lined(head, lines)
  })
  const changes = (['owner', 'moderator'] as const).map(changeTable)
  const names = Object.keys(CHANNEL_ROLES.roles)
  const roles = lined(
    ['Somebody’s role (protoXEP table 7)', 'an owner makes of it', 'a moderator makes of it'],
    names.map(name => [name, ...changes.map(({ from }) => from[name]?.join(', ') || 'nothing')])
  )
  return [...tables, roles].join('\n\n')
}

function lined(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}
