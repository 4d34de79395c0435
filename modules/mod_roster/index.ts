import {
  defineModule,
  el,
  StanzaError,
  z,
  type AccountEvent,
  type ClientSession,
  type Context,
  type Element,
  type JID,
  type StanzaEvent,
  type Traced
} from '#core'
import { readItem, renderItem, type RosterItem } from './item'
import { Rosters, type Change, type Roster } from './rosters'
import { RosterTable } from './table'

export type { RosterItem, Subscription } from './item'
export type { Change, Roster } from './rosters'

const ROSTER = 'jabber:iq:roster'

const config = z.object({
  maxItems: z.number().int().min(1).default(5000).describe('Items in one roster, at most.'),
  maxNameLength: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(1023)
    .describe('Characters in the name of an item or group.'),
  maxGroups: z.number().int().min(0).default(50).describe('Groups of one item, at most.'),
  maxItemLength: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(4096)
    .describe('Characters in the name and the groups of one item together.')
})

type RosterContext = Context<z.infer<typeof config>>

export interface RosterApi {
  /** The roster of an account; at once where it is in memory. */
  roster(user: string): Roster | Promise<Roster>
  /** The roster as its owner is sent it, without a version. */
  query(user: string): Promise<Element>
  /** One contact, also one that only has asked. */
  item(user: string, jid: string): RosterItem | undefined | Promise<RosterItem | undefined>
  /**
   * Changes what is kept of a contact and pushes it to the interested resources; resolves after the commit. `fn`
   * is pure and may run again. `beforePush` runs after the commit and before the push (RFC 6121 §3.1.6).
   * Rejects with `resource-constraint` where it would make more items than a roster may have.
   */
  change(
    user: string,
    jid: string,
    fn: (item: RosterItem, roster: { size: number }) => RosterItem,
    options?: { event?: StanzaEvent; beforePush?: (change: Change) => void }
  ): Promise<Change | undefined>
}

/** RFC 6121 §2: rosters with versions. */
export default defineModule({
  name: 'roster',
  description: 'Contact lists, with versions (RFC 6121 §2)',
  on: ['virtual'],
  config,
  setup(ctx): RosterApi {
    const table = new RosterTable(ctx.db, ctx.host.name)
    const rosters = new Rosters(ctx.db, table)
    ctx.add('event', {
      name: 'roster/removed',
      when: 'an item was removed from a roster: subscriptions end',
      payload: '{ user, item }',
      async: 'yes',
      handled: ''
    })
    ctx.add('stream-feature', { stage: 'bind', offer: () => el('ver', 'urn:xmpp:features:rosterver') })

    const change: RosterApi['change'] = async (user, jid, fn, options = {}) => {
      const bounded: typeof fn = (item, roster) => {
        const wanted = fn(item, roster)
        if (wanted.listed && !item.listed && roster.size >= ctx.config.maxItems) {
          throw new StanzaError('resource-constraint', `a roster has at most ${ctx.config.maxItems} items`)
        }
        return wanted
      }
      const changed = await rosters.change(user, jid, bounded, options.event)
      if (!changed) return undefined
      options.beforePush?.(changed)
      if (changed.visible) {
        push(ctx, user, changed)
        ctx.emit('roster/changed', user, ctx.host.name, jid)
      }
      return changed
    }

    ctx.iq('get', 'bare', ROSTER, 'query', async (event, query) => {
      own(event)
      return getRoster(ctx, await rosters.get(event.to.local), event, query)
    })
    ctx.iq('set', 'bare', ROSTER, 'query', async (event, query) => {
      own(event)
      await setItem(ctx, change, event, query)
    })
    const purge = async ({ user, tx }: AccountEvent): Promise<void> => {
      await table.purge(tx, user)
      tx.afterCommit(() => rosters.forget(user))
    }
    ctx.hook('account/removed', purge)
    // What came in while an account was being removed is not for the next one of that name
    ctx.hook('account/created', purge)

    return {
      roster: user => rosters.get(user),
      query: async user => el('query', { xmlns: ROSTER }, itemsOf(await rosters.get(user))),
      item(user, jid) {
        const roster = rosters.get(user)
        return roster instanceof Promise ? roster.then(({ items }) => items.get(jid)) : roster.items.get(jid)
      },
      change
    }
  }
})

/** RFC 6121 §2.1.3, §2.1.5: a roster is its account's alone. */
function own(event: StanzaEvent): void {
  if (event.from.bare !== event.to.bare || !event.origin.session) throw new StanzaError('forbidden')
}

function getRoster(
  ctx: RosterContext,
  roster: Roster,
  event: StanzaEvent,
  query: Element
): Element | undefined {
  const session = event.origin.session as ClientSession // `own` has asked for it
  session.state.interested = true
  const known = query.attrs.ver
  const since = known === undefined ? undefined : versionIn(roster, known)
  if (since === undefined) {
    // RFC 6121 §2.6.3: with the version, whether the client asked for it or not
    return el('query', { xmlns: ROSTER, ver: verOf(roster) }, itemsOf(roster))
  }
  // RFC 6121 §2.6.3: an empty result, then a push for each item that changed, oldest first.
  event.reply()
  const changed = [...roster.items.values()]
    .filter(item => item.version > since)
    .sort((a, b) => a.version - b.version)
  for (const item of changed) session.send(pushTo(session, item, verAt(roster, item.version)))
  ctx.log.debug({ user: event.to.local, changed: changed.length }, 'roster by version')
  return undefined
}

function itemsOf(roster: Roster): Element[] {
  return [...roster.items.values()].filter(item => item.listed).map(renderItem)
}

/** The version a client names, if it is one of this roster's. */
function versionIn(roster: Roster, ver: string): number | undefined {
  const [epoch, count] = ver.split(':')
  const version = Number(count)
  if (epoch !== roster.epoch || !Number.isSafeInteger(version) || version > roster.version) return undefined
  return version
}

function verOf(roster: Roster): string {
  return verAt(roster, roster.version)
}

function verAt(roster: Roster, version: number): string {
  return `${roster.epoch}:${version}`
}

async function setItem(
  ctx: RosterContext,
  change: RosterApi['change'],
  event: StanzaEvent,
  query: Element
): Promise<void> {
  const { maxNameLength, maxGroups, maxItemLength } = ctx.config
  const limits = { nameLength: maxNameLength, groups: maxGroups, length: maxItemLength }
  const wanted = readItem(query, event.to.bare, limits)
  const user = event.to.local
  if (wanted.remove) return remove(ctx, change, event, wanted.jid)
  await change(
    user,
    wanted.jid,
    item => ({ ...item, listed: true, name: wanted.name, groups: wanted.groups }),
    { event }
  )
}

/** RFC 6121 §2.5. */
async function remove(
  ctx: RosterContext,
  change: RosterApi['change'],
  event: StanzaEvent,
  jid: string
): Promise<void> {
  let before: RosterItem | undefined
  await change(
    event.to.local,
    jid,
    item => {
      if (!item.listed) throw new StanzaError('item-not-found', `${jid} is not in the roster`) // RFC 6121 §2.5.3
      before = item
      return {
        ...item,
        listed: false,
        name: undefined,
        groups: [],
        subscription: 'none',
        ask: false,
        approved: false
      }
    },
    { event }
  )
  if (before) await ctx.run('roster/removed', { user: event.to.local, item: before })
}

/** RFC 6121 §2.1.6: to every resource that has asked for the roster, the sender's too. */
function push(ctx: RosterContext, user: string, { after, roster }: Change): void {
  for (const session of ctx.host.sessions.of(user).values()) {
    if (session.state.interested) session.send(pushTo(session, after, verOf(roster)))
  }
}

function pushTo(session: ClientSession, item: RosterItem, ver: string): Element {
  const id = `push-${ver}`
  const to = (session.jid as JID).full // a session in the registry is bound
  return el('iq', { type: 'set', id, to }, el('query', { xmlns: ROSTER, ver }, renderItem(item)))
}

declare module '#core' {
  interface ModuleApis {
    roster: RosterApi
  }
  interface SessionState {
    /** The resource has asked for the roster and gets pushes (RFC 6121 §2.2). */
    interested?: boolean
  }
  interface HostEvents {
    /** An item was removed from a roster: subscriptions end (RFC 6121 §2.5.2). */
    'roster/removed': Traced & { readonly user: string; readonly item: RosterItem }
  }
}
