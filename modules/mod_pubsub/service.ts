import { Allowances, type Context, type StanzaEvent, type Tx } from '#core'
import {
  defineService,
  PubsubError,
  PubsubService,
  rosterAccess,
  STANDARD_ACCESS,
  type Actor
} from '../lib_pubsub'
import { hasBody } from '../lib_pubsub/xml'
import { Availability } from './availability'
import { initialValues, type PubsubConfig } from './config'
import { Outbox } from './outbox'
import { Presences } from './presences'
import { LocalRosters } from './rosters'
import type { Sender } from './sender'
import { Departures } from './store/departures'
import { Occasions } from './store/occasions'
import { SqlReadStore, type PubsubNode } from './store/read-store'
import { SqlStore } from './store/store'
import { Tables } from './store/tables'

/** Bytes of an item's id: what an index carries on each database. */
const ITEM_ID = 512
const DAY = 86_400_000

export type PubsubContext = Context<PubsubConfig>

/** The service of one host: the engine, its tables, what it sends. */
export class Pubsub {
  readonly outbox: Outbox
  /** What is committed. */
  readonly stored: SqlReadStore
  readonly departures: Departures
  /** Who has told the host to be available. */
  readonly presences: Presences
  readonly availability: Availability
  readonly rosters: LocalRosters
  readonly occasions: Occasions
  /** How often somebody's arrival brings them items. */
  readonly arrivals = new Allowances()
  readonly tables: Tables
  engine: PubsubService<PubsubNode>

  /** @param saved what the version before knew of presence */
  constructor(
    readonly ctx: PubsubContext,
    saved?: unknown
  ) {
    this.presences = new Presences(saved)
    this.availability = new Availability(ctx, this.presences)
    this.rosters = new LocalRosters(ctx)
    this.engine = engineOf(ctx.config, this)
    this.tables = new Tables(
      ctx.db,
      ctx.host.name,
      () => this.engine.definition.defaults,
      () => this.engine.definition.multiSubscribe
    )
    this.occasions = new Occasions(ctx.db, ctx.host.name, this.tables.hashes)
    this.departures = new Departures(ctx.db, ctx.host.name, this.tables.hashes)
    this.stored = new SqlReadStore(this.tables, ctx.db.read)
    this.outbox = new Outbox({
      from: ctx.host.name,
      send: message => ctx.send(message),
      later: fn => void ctx.after(0, fn)
    })
  }

  /** Who acts when nobody asks: the host itself. */
  get self(): Actor {
    const { name } = this.ctx.host
    return { jid: name, bare: name, admin: true }
  }

  reconfigure(config: PubsubConfig): void {
    this.engine = engineOf(config, this)
    this.tables.audiences.clear()
  }

  /** Forgets where nodes have gone that were deleted before that moment (milliseconds UTC). */
  async expireRedirects(before: number): Promise<void> {
    await this.ctx.db.write(tx => this.tables.nodes.expireRedirects(tx, before))
  }

  /** Does something in a write unit, in the turn of `sender`. */
  write<T>(work: (store: SqlStore) => Promise<T>, sender?: StanzaEvent): Promise<T> {
    return this.ctx.db.write(tx => this.within(tx, work), sender)
  }

  /** The same in a unit of somebody else's. */
  async within<T>(tx: Tx, work: (store: SqlStore) => Promise<T>): Promise<T> {
    const store = new SqlStore(this.tables, tx)
    const result = await work(store)
    await store.finish()
    return result
  }
}

function engineOf(
  config: PubsubConfig,
  { presences, availability, rosters }: Pick<Pubsub, 'presences' | 'availability' | 'rosters'>
): PubsubService<PubsubNode> {
  return new PubsubService(
    defineService<PubsubNode>({
      access: { ...STANDARD_ACCESS, ...rosterAccess(rosters) },
      presence: availability,
      instantNodes: config.instantNodes,
      autoCreate: config.autoCreate,
      multiSubscribe: config.multiSubscribe,
      orderItems: true,
      options: {
        longestLease: config.leaseDays * DAY,
        reminder: DAY, // XEP-0060 §12.19
        leaseRequired: config.requireLease,
        patience: DAY,
        isPresent: jid => presences.has(jid),
        hasBody
      },
      defaults: initialValues(config),
      limits: {
        maxItems: config.itemsPerNode,
        payload: config.payloadBytes,
        nodeName: config.nodeNameBytes,
        itemId: ITEM_ID,
        page: config.pageSize,
        subscriptions: config.subscriptionsPerUser,
        perAddress: config.subscriptionsPerAddress
      },
      hooks: {
        mayCreate: (actor, _, store) => mayCreate(actor as Sender, store as SqlStore, config.nodesPerUser)
      }
    })
  )
}

/** XEP-0060 §8.1.1 */
async function mayCreate({ bare, admin, creates }: Sender, store: SqlStore, most: number): Promise<void> {
  if (!creates) throw new PubsubError('forbidden', { text: 'you may not create nodes here' })
  if (admin || (await store.countNodesOf(bare, most)) < most) return
  throw new PubsubError('maxNodesExceeded', { text: `you may have created ${most} nodes` })
}
