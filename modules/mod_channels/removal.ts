import { el, frozen } from '#core'
import { EVENT } from '../lib_pubsub/xml'
import { deletions, MAX_MANAGERS, publicly, retractions, type Delivery } from './announce'
import type { ChannelNode } from './model'
import { MANAGERS } from './roles'
import type { Channels } from './service'
import type { MemberRow } from './store/member-table'
import type { ChannelStore } from './store/write-store'

/** Items of one node that are taken out at a time. */
const BATCH = 200
/** Ids of deleted items of a node that are told; a copy elsewhere that has more is fetched anew anyway. */
const MAX_TOLD = 1000

/**
 * Takes somebody out of a channel host: their channel, channels that nobody else owns, what they wrote elsewhere
 * with its threads, their memberships, and their name in whatever is left.
 */
export class Removal {
  readonly #deliveries: Delivery[] = []

  constructor(
    private readonly channels: Channels,
    private readonly store: ChannelStore,
    private readonly jid: string,
    /** The account goes as well, and its name must stay nowhere; else its bans are kept as they are. */
    private readonly account: boolean
  ) {}

  /** Inside a write unit; gives what is to be told after the commit. */
  async run(): Promise<readonly Delivery[]> {
    const { store, jid, channels } = this
    const { tables, tx } = store
    const own = await store.channel(jid)
    if (own) await this.#removeChannel(own.id)
    for (const member of await tables.members.ofPerson(tx, jid)) await this.#leave(member)
    for (const node of await tables.items.nodesOfAuthor(tx, store.service.name, jid))
      await this.#removeItems(node)
    await tables.nodes.forgetCreator(tx, jid)
    await tables.members.forgetInviter(tx, jid)
    await tables.bounces.forget(tx, jid)
    await tables.log.purge(tx, jid)
    tx.afterCommit(() => channels.following.clear())
    return this.#deliveries
  }

  async #removeChannel(key: number): Promise<void> {
    const { store } = this
    const names = (await store.nodesOf(key)).map(node => node.name)
    const told = await store.tables.members.fanOut(store.tx, key, ['subscribed', 'pending', 'invited'])
    this.#deliveries.push(
      ...deletions(
        names,
        told.filter(one => one !== this.jid)
      )
    )
    await store.tables.nodes.deleteChannel(store.tx, key)
  }

  async #leave(member: MemberRow): Promise<void> {
    const { store, jid } = this
    const { tables, tx } = store
    const { channel_id: channel } = member
    const [node] = await store.nodesOf(channel)
    if (node === undefined) return
    // a ban is not evaded by leaving, nor by making the account anew
    if (member.affiliation === 'outcast') {
      if (!this.account) return
      await tables.ghosts.add(tx, channel, jid)
    }
    const { rows } = await store.affiliations(node, { limit: 2 }, ['owner'])
    const ephemeral = node.channel.kind === 'ephemeral'
    if (!ephemeral && rows.length === 1 && rows[0]?.jid === jid) return await this.#removeChannel(channel)
    await tables.members.delete(tx, member.id)
    await tables.nodes.newMembers(tx, channel)
    if (ephemeral && (await tables.members.countSubscribed(tx, channel)) === 0) {
      return await this.#removeChannel(channel)
    }
    await this.#tell(node, member)
  }

  /** Managers hear that somebody is gone; all others where they knew that they were there (protoXEP §5.1). */
  async #tell(node: ChannelNode, member: MemberRow): Promise<void> {
    const { store, jid } = this
    const { tables, tx } = store
    const event = el(
      'event',
      EVENT,
      el('subscription', { node: node.name, jid, subscription: 'none' }),
      el(
        'affiliations',
        { node: node.name },
        el('affiliation', { node: node.name, jid, affiliation: 'none' })
      )
    )
    const managers = await store.affiliations(node, { limit: MAX_MANAGERS }, MANAGERS)
    const told = new Set(managers.rows.map(row => row.jid))
    const seen = publicly(member)
    if (seen.subscription !== 'none' || seen.affiliation !== 'none') {
      for (const one of await tables.members.fanOut(tx, node.channel.key, ['subscribed'])) told.add(one)
    }
    this.#deliveries.push({ recipients: [...told], type: 'headline', content: [frozen(event)] })
  }

  async #removeItems(key: number): Promise<void> {
    const { store, channels } = this
    const node = await store.nodeByKey(key)
    if (node === undefined) return
    const before = store.removed.length
    for (;;) {
      const rows = await store.tables.items.ofAuthor(store.tx, this.jid, key, BATCH)
      if (rows.length === 0) break
      await store.removeRows(node, rows)
    }
    const gone = store.removed.splice(before)
    await channels.raiseRetract(store, node, gone)
    const recipients = await followers(store, node)
    this.#deliveries.push(...retractions(channels.name, node.name, recipients, gone.slice(0, MAX_TOLD)))
  }
}

async function followers(store: ChannelStore, { channel }: ChannelNode): Promise<readonly string[]> {
  return await store.tables.members.fanOut(store.tx, channel.key, ['subscribed'])
}
