import { childOf, HANDLED, isStanzaError, type Handled, type ServerApi, type StanzaEvent } from '#core'
import type { Delivery } from './announce'
import { leave } from './definition'
import type { Channels } from './service'
import type { ChannelStore } from './store/write-store'

const DAY = 86_400_000
/** Milliseconds over which errors must have come until an address follows nothing. */
const LASTING = 7 * DAY
/** Milliseconds after which a new error begins a new series. */
export const FORGOTTEN = 14 * DAY
/** Milliseconds between notes of errors that change nothing: a flood of them is not a flood of writes. */
const NOTED = 3_600_000
/** Channels that an address leaves in one write. */
const BATCH = 50

const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
/** Conditions that say of an address that it is not there, and will not be. */
const GONE: readonly string[] = ['gone', 'item-not-found']

/**
 * A message of type error. It counts where its sender is who was notified and its id is one that was really given.
 * An address that is gone follows nothing any more, at once; what else may be wrong must last.
 */
export async function onBounce(
  channels: Channels,
  event: StanzaEvent,
  server: ServerApi
): Promise<Handled | void> {
  const { stanza, from } = event
  const stamp = channels.stamps.read(String(stanza.attrs.id ?? ''))
  // other errors are somebody else's
  if (stamp === undefined) return
  // a resource was not notified, the account was
  if (from.kind !== 'bare' || !vouched(event, server)) return HANDLED
  const error = childOf(stanza, 'error')
  const gone = GONE.some(name => error && childOf(error, name, STANZAS))
  const { result } = await channels.write(from.bare, event, store =>
    gone ? wasNotified(store, from.bare, stamp) : count(channels, store, from.bare, stamp)
  )
  if (!result) return HANDLED
  await leaveAll(channels, from.bare)
  return HANDLED
}

/** Whether the address has spoken itself, or core of an address that it could not reach. */
function vouched({ from, origin }: StanzaEvent, server: ServerApi): boolean {
  if (origin.kind === 'c2s') return origin.name === from.bare
  if (origin.kind === 'local') return server.host(from.domain) === undefined || origin.name === from.domain
  return (
    server.host(from.domain) === undefined || (origin.kind === 'component' && origin.name === from.domain)
  )
}

type Told = { result: boolean; notifications: [] }

function told(result: boolean): Told {
  return { result, notifications: [] }
}

/** Whether the address followed something already when that notification was sent. */
async function wasNotified({ tables, tx }: ChannelStore, jid: string, stamp: number): Promise<Told> {
  return told(await tables.members.followedBefore(tx, jid, Math.floor(stamp / 1000)))
}

/** Whether that was one too many. */
async function count({ config }: Channels, store: ChannelStore, jid: string, stamp: number): Promise<Told> {
  const { tables, tx, now } = store
  const row = await tables.bounces.find(tx, jid)
  if (row ? stamp <= row.stamp : !(await wasNotified(store, jid, stamp)).result) return told(false)
  const series = row && now - row.last < FORGOTTEN ? row : undefined
  const errors = Math.min((series?.count ?? 0) + 1, config.errorsToLeave)
  if (series && errors === config.errorsToLeave && now - series.first >= LASTING) return told(true)
  if (series?.count === errors && now - series.last < NOTED) return told(false)
  await tables.bounces.put(tx, jid, row, { count: errors, first: series?.first ?? now, last: now, stamp })
  return told(false)
}

/** The address leaves what it follows, some channels at a time; owners stay. */
async function leaveAll(channels: Channels, jid: string): Promise<void> {
  for (let after = -1, more = true; more;) {
    const { result, deliveries } = await channels.write(jid, undefined, async store => {
      const rows = (await store.tables.members.ofPerson(store.tx, jid))
        .filter(row => row.id > after && row.subscription !== 'none')
        .sort((a, b) => a.id - b.id)
        .slice(0, BATCH)
      for (const row of rows) await leaveOne(store, row.channel_id, jid)
      if (rows.length < BATCH) await store.tables.bounces.forget(store.tx, jid)
      return { result: { after: rows.at(-1)?.id ?? after, more: rows.length === BATCH }, notifications: [] }
    })
    ;({ after, more } = result)
    channels.send(withoutThem(deliveries, jid))
  }
}

async function leaveOne(store: ChannelStore, channel: number, jid: string): Promise<void> {
  const [any] = await store.nodesOf(channel)
  const node = any && (await store.lockNode(any.name))
  if (node === undefined) return
  const affiliation = await store.affiliation(node, jid)
  try {
    await store.depart(node, jid, await leave(jid, affiliation, node, store))
  } catch (error) {
    if (!isStanzaError(error)) throw error // a channel keeps its owner
  }
}

/** Nothing is told to an address that takes nothing. */
function withoutThem(deliveries: readonly Delivery[], jid: string): Delivery[] {
  return deliveries.map(one => ({ ...one, recipients: one.recipients.filter(other => other !== jid) }))
}
