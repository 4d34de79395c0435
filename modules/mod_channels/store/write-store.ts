import type { Tx } from '#core'
import { isAtom, parseNodeName } from '../../lib_channels'
import {
  PubsubError,
  type NewNode,
  type NodeConfig,
  type Item,
  type ItemDraft,
  type Store,
  type Subscription,
  type SubscriptionState
} from '../../lib_pubsub'
import { defaultTitle } from '../fields'
import {
  STRANGER,
  type ChannelItem,
  type ChannelKind,
  type ChannelNode,
  type ItemColumns,
  type RemovedItem,
  type Standing
} from '../model'
import type { Publication } from '../publication'
import type { FanOut } from './fan-out'
import type { LightRow } from './item-table'
import type { MemberRow } from './member-table'
import { Journal, type MemberChange } from './journal'
import type { ChannelRow, ChannelText, Counters } from './node-table'
import { ChannelReader, type Service } from './read-store'
import type { Tables } from './tables'

/** What a writing store must know beside. */
export interface WriteService extends Service {
  readonly fanOut: FanOut
  /** What a channel of that name would be. */
  kindOf(channel: string): ChannelKind | undefined
  /** Followers up to whom all of them hear who comes and goes. */
  readonly memberNews: number
  /** Nodes of one channel, at most. */
  readonly maxNodes: number
}

/** Rows that are deleted by one statement. */
const BATCH = 500

/** The store of one write unit. It remembers what it changed, for the log and the events. */
export class ChannelStore extends ChannelReader implements Store<ChannelNode, ItemColumns> {
  readonly journal = new Journal()
  /** What was deleted in this unit, what went along included. */
  readonly removed: RemovedItem[] = []
  /** Keys of the channels that were made in this unit. */
  readonly made = new Set<number>()
  /** What is being created is an ephemeral channel. */
  ephemeral: 'named' | 'named here' | undefined
  /** What is being published, read before the unit began. */
  publication: Publication | undefined
  readonly #counters = new Map<number, Counters>()
  /** What starts the thread that was written in last in this unit. */
  #thread: number | undefined

  constructor(
    tables: Tables,
    readonly tx: Tx,
    override readonly service: WriteService,
    /** Bare JID of who does all this, for the log. */
    readonly actor: string,
    readonly now: number
  ) {
    super(tables, tx, service)
  }

  async lockNode(name: string): Promise<ChannelNode | undefined> {
    const parsed = parseNodeName(name)
    const row = parsed && (await this.tables.nodes.lock(this.tx, parsed))
    return row && this.toNode(row)
  }

  /** The channel's row; other writers wait until the unit ends. */
  channel(jid: string): Promise<ChannelRow | undefined> {
    return this.tables.nodes.lockChannel(this.tx, jid)
  }

  /** Channels of that kind that somebody created. */
  countCreated(jid: string, kind: ChannelKind): Promise<number> {
    return this.tables.nodes.countByCreator(this.tx, jid, kind)
  }

  async createNode({ name, creator, config }: NewNode): Promise<ChannelNode | undefined> {
    const { tables, tx, now } = this
    const parsed = parseNodeName(name)
    if (parsed === undefined) return undefined
    const { channel: jid, type } = parsed
    const kind = this.ephemeral ? 'ephemeral' : this.service.kindOf(jid)
    if (kind === undefined) return undefined
    const text = textOf(config, jid)
    const { channel, fresh } = await tables.nodes.openChannel(tx, { jid, kind, creator, text, now })
    if (fresh) this.made.add(channel.id)
    // somebody else made it meanwhile
    else if ((await tables.members.find(tx, channel.id, creator))?.affiliation !== 'owner') return undefined
    const siblings = await tables.nodes.ofChannel(tx, channel.id)
    if (siblings.some(node => node.type === type)) return undefined
    const places = new Set(siblings.map(node => node.place))
    const place = [...Array(this.service.maxNodes).keys()].find(number => !places.has(number))
    if (place === undefined) {
      throw new PubsubError('maxNodesExceeded', {
        text: `a channel has at most ${this.service.maxNodes} nodes`
      })
    }
    await tables.nodes.insertNode(tx, {
      channel: channel.id,
      type,
      place,
      advertise: config.advertise_node === true,
      now
    })
    await this.#log(jid, 'node', '', { created: type })
    return await this.lockNode(name)
  }

  async setConfig(node: ChannelNode, config: NodeConfig): Promise<void> {
    const { nodes } = this.tables
    const text = textOf(config, node.channel.jid)
    await nodes.describe(this.tx, node.channel.key, text, this.now)
    await nodes.advertise(this.tx, node.key, config.advertise_node === true)
    await this.#log(node.channel.jid, 'config', '', {
      ...text,
      node: node.type,
      advertise: config.advertise_node
    })
  }

  /** With all its nodes, for whoever is told of it; gives their names. */
  async deleteChannel({ key, jid }: ChannelNode['channel']): Promise<string[]> {
    const nodes = await this.nodesOf(key)
    await this.tables.nodes.deleteChannel(this.tx, key)
    for (const { type } of nodes) await this.#log(jid, 'node', '', { deleted: type, channel: true })
    return nodes.map(node => node.name)
  }

  async deleteNode(node: ChannelNode): Promise<void> {
    const { key, channel, type } = node
    const { channelToo } = await this.tables.nodes.delete(this.tx, { id: key, channel: channel.key })
    await this.#log(channel.jid, 'node', '', { deleted: type, channel: channelToo })
  }

  /** Who is none is no follower either, and who is banned is not invited. */
  async setAffiliation(node: ChannelNode, bare: string, affiliation: string): Promise<void> {
    await this.#change(node, bare, before => {
      const ends =
        (affiliation === 'none' && before.subscription === 'subscribed') ||
        (affiliation === 'outcast' && before.subscription === 'invited')
      return { ...before, affiliation, subscription: ends ? 'none' : before.subscription }
    })
  }

  /** Somebody may follow whom nobody has let in yet; `by` is a bare JID. */
  async invite(node: ChannelNode, jid: string, by: string): Promise<void> {
    await this.#change(node, jid, before => ({ ...before, subscription: 'invited', invitedBy: by }))
  }

  /** An account is made: what was banned under its name is banned again, and nobody is told. */
  async restoreBans(jid: string): Promise<void> {
    const { tables, tx, now } = this
    for (const channel of await tables.ghosts.take(tx, jid)) {
      const ban: Standing = { affiliation: 'outcast', subscription: 'none' }
      const row = await this.member(channel, jid)
      if (row) await tables.members.update(tx, row.id, ban, now)
      else await tables.members.insert(tx, channel, jid, ban, now)
      await tables.nodes.newMembers(tx, channel)
    }
  }

  /** Takes an invitation back, where there is one. */
  async withdraw(node: ChannelNode, jid: string): Promise<void> {
    const row = await this.member(node.channel.key, jid)
    if (row?.subscription === 'invited') await this.endInvitation(node, jid)
  }

  /** An invitation is declined or taken back. */
  async endInvitation(node: ChannelNode, jid: string): Promise<void> {
    await this.#change(node, jid, before => ({ ...before, subscription: 'none' }))
  }

  /** Somebody goes from all of the channel, and their role with them unless it is to stay. */
  async depart(node: ChannelNode, jid: string, affiliation: string): Promise<void> {
    await this.#change(node, jid, () => ({ affiliation, subscription: 'none' }))
  }

  /** Invitations that nobody has answered: of the channel, and of the person, each counted no further than the limit. */
  async countInvitations(node: ChannelNode, jid: string, limit: number): Promise<[number, number]> {
    const { members } = this.tables
    return [
      await members.countInvited(this.tx, node.channel.key, limit),
      await members.countOfPerson(this.tx, jid, ['invited'], limit)
    ]
  }

  async addSubscription(node: ChannelNode, jid: string, state: SubscriptionState): Promise<Subscription> {
    const key = await this.#change(node, jid, before => ({ ...before, subscription: state }))
    return { key, jid, state }
  }

  async setSubscription(node: ChannelNode, { jid }: Subscription, state: SubscriptionState): Promise<void> {
    await this.#change(node, jid, before => ({ ...before, subscription: state }))
  }

  async removeSubscription(node: ChannelNode, { jid }: Subscription): Promise<void> {
    await this.#change(node, jid, before => ({ ...before, subscription: 'none' }))
  }

  /** @returns the member's key, 0 where there is nothing to be kept of them */
  async #change(node: ChannelNode, jid: string, to: (before: Standing) => Standing): Promise<number> {
    const { tables, tx, now } = this
    const row = await this.member(node.channel.key, jid)
    const before: Standing = row ? standingOf(row) : STRANGER
    const after = to(before)
    this.journal.note(node, jid, before, after)
    const kept = after.affiliation !== 'none' || after.subscription !== 'none'
    if (row === undefined)
      return kept ? await tables.members.insert(tx, node.channel.key, jid, after, now) : 0
    if (kept) await tables.members.update(tx, row.id, after, now)
    else await tables.members.delete(tx, row.id)
    return kept ? row.id : 0
  }

  override async subscribers(
    node: ChannelNode,
    states: readonly SubscriptionState[]
  ): Promise<readonly string[]> {
    const { channel } = node
    const usual = states.length === 1 && states[0] === 'subscribed' && !this.journal.touches(channel)
    if (!usual) return await super.subscribers(node, states)
    const known = this.service.fanOut.get(channel)
    if (known) return known
    const jids = await super.subscribers(node, states)
    this.service.fanOut.put(channel, jids)
    return jids
  }

  /** Writes what the journal has to the log, and outdates what is kept of the members in memory. */
  async finish(): Promise<MemberChange[]> {
    const changes = this.journal.changes()
    for (const { node, jid, before, after } of changes) {
      const { affiliation, subscription } = after
      const kept = { affiliation: before.affiliation, subscription: before.subscription }
      await this.#log(node.channel.jid, 'membership', jid, { affiliation, subscription, before: kept })
    }
    for (const key of new Set(changes.map(change => change.node.channel.key))) {
      await this.tables.nodes.newMembers(this.tx, key)
    }
    return changes
  }

  async #log(
    channel: string,
    kind: 'membership' | 'config' | 'node',
    subject: string,
    data: object
  ): Promise<void> {
    await this.tables.log.add(this.tx, { channel, at: this.now, kind, subject, actor: this.actor, data })
  }

  async putItem(
    node: ChannelNode,
    draft: ItemDraft<ItemColumns>,
    previous: Item<ItemColumns> | undefined
  ): Promise<ChannelItem> {
    const { tables, tx } = this
    const columns = draft.extra
    if (columns === undefined) throw new Error('an item without columns')
    const counters = this.#countersOf(node)
    const seq = counters.seq + 1
    const { kind, parent, target, rating } = columns
    const payload = draft.payload
    let key = previous?.extra?.key
    if (key === undefined) {
      key = await tables.items.insert(tx, {
        node: node.key,
        itemId: this.local(node, draft.id) ?? draft.id,
        kind,
        author: draft.publisher,
        parent,
        target,
        rated: kind === 'rating' ? target : undefined,
        rating,
        created: draft.createdAt,
        updated: draft.updatedAt,
        seq,
        payload
      })
      if (parent !== undefined) await tables.items.bump(tx, parent, seq)
    } else {
      await tables.items.update(tx, {
        id: key,
        target: target ?? null,
        updated: draft.updatedAt,
        seq,
        thread: parent === undefined ? seq : null,
        payload: payload ?? null
      })
    }
    this.#thread = parent ?? key
    await this.#count(node, {
      ...counters,
      seq,
      items: counters.items + (previous ? 0 : 1),
      lastItem: draft.updatedAt,
      lastRoot: parent === undefined ? draft.updatedAt : counters.lastRoot
    })
    return { ...draft, seq, extra: { ...columns, key } }
  }

  async removeItem(node: ChannelNode, item: Item<ItemColumns>): Promise<void> {
    const local = this.local(node, item.id)
    const row = local === undefined ? undefined : await this.tables.items.byId(this.tx, node.key, local)
    // it may have gone with another one
    if (row) await this.removeRows(node, [row])
  }

  /** With what goes along: the answers in a thread, the ratings of a comment. */
  async removeRows(node: ChannelNode, rows: readonly LightRow[]): Promise<void> {
    const gone = new Set<number>()
    for (const row of rows) if (!gone.has(row.id)) await this.#removeRow(node, row, gone)
    const counters = this.#countersOf(node)
    await this.#count(node, {
      ...counters,
      items: counters.items - gone.size,
      tombstones: counters.tombstones + (isAtom(node.type) ? gone.size : 0)
    })
  }

  async #removeRow(node: ChannelNode, row: LightRow, gone: Set<number>): Promise<void> {
    const { tables, tx, now } = this
    const { id, item_id: itemId, parent_id } = row
    const startsThread = parent_id === null
    const parentItem = startsThread ? null : ((await tables.items.byKey(tx, parent_id))?.item_id ?? null)
    const others = await tables.items.dependents(tx, row)
    if (isAtom(node.type)) {
      await tables.tombstones.bury(tx, { id, startsThread, itemId, parentItem, deleted: now })
    }
    this.#remember(node, row, parentItem)
    for (const other of others) this.#remember(node, other, startsThread ? itemId : parentItem)
    // the others by foreign key
    await tables.items.delete(tx, [id])
    for (const one of [row, ...others]) gone.add(one.id)
  }

  #remember(node: ChannelNode, row: LightRow, parentItem: string | null): void {
    this.removed.push({
      key: row.id,
      id: this.wireId(node, row.item_id),
      kind: row.kind,
      parentId: parentItem === null ? undefined : this.wireId(node, parentItem),
      createdAt: row.created,
      removedAt: this.now
    })
  }

  /**
   * What was quiet for longest goes, with its thread, but never what makes room necessary: where nothing else is left,
   * that is refused (XEP-0060 §7.1.3.4).
   */
  async removeOldest(node: ChannelNode, number: number): Promise<readonly string[]> {
    const { tables, tx } = this
    const quietest = await tables.items.quietest(tx, node.key, Math.min(number, BATCH))
    const rows = quietest.filter(row => row.id !== this.#thread)
    const ids = rows.map(row => row.id)
    if (ids.length === 0) {
      if (quietest.length === 0) return []
      throw new PubsubError('nodeFull', { text: 'this thread alone fills the node: start another one' })
    }
    const answers = await tables.items.countAnswers(tx, ids)
    await tables.items.delete(tx, ids)
    const counters = this.#countersOf(node)
    await this.#count(node, { ...counters, items: counters.items - ids.length - answers })
    return rows.map(row => this.wireId(node, row.item_id))
  }

  async removeAllItems(node: ChannelNode): Promise<void> {
    await this.tables.items.deleteAll(this.tx, node.key)
    await this.#log(node.channel.jid, 'node', '', { purged: node.type })
    await this.#count(node, { ...this.#countersOf(node), items: 0 })
  }

  /** Whether an item of that name was deleted here. */
  async isBuried(node: ChannelNode, id: string): Promise<boolean> {
    const local = this.local(node, id)
    if (local === undefined || node.tombstones === 0) return false
    return (await this.tables.tombstones.byId(this.tx, node.key, local)) !== undefined
  }

  #countersOf(node: ChannelNode): Counters {
    return (
      this.#counters.get(node.key) ?? {
        seq: node.seq,
        items: node.itemCount,
        tombstones: node.tombstones,
        lastItem: node.lastItem,
        lastRoot: node.lastRoot
      }
    )
  }

  async #count(node: ChannelNode, counters: Counters): Promise<void> {
    this.#counters.set(node.key, counters)
    await this.tables.nodes.count(this.tx, node.key, counters)
  }
}

function standingOf({ affiliation, subscription, invited_by }: MemberRow): Standing {
  return { affiliation, subscription, ...(invited_by !== null && { invitedBy: invited_by }) }
}

/** What of a configuration is the channel's. The default title is not stored: it follows the name. */
function textOf(config: NodeConfig, channel: string): ChannelText {
  const { title, description, access_model, default_affiliation } = config
  return {
    title: title === defaultTitle(channel) ? '' : title,
    description,
    access_model,
    default_affiliation: String(default_affiliation)
  }
}
