import type { Context, StanzaEvent, Tx } from '#core'
import { defineService, PubsubService } from '../lib_pubsub'
import { initialValues, type PubsubConfig } from './config'
import { Outbox } from './outbox'
import { Departures } from './store/departures'
import { SqlReadStore, type PubsubNode } from './store/read-store'
import { SqlStore } from './store/store'
import { Tables } from './store/tables'

/** Bytes of an item's id: what an index carries on each database. */
const ITEM_ID = 512

export type PubsubContext = Context<PubsubConfig>

/** The service of one host: the engine, its tables, what it sends. */
export class Pubsub {
  readonly outbox: Outbox
  /** What is committed. */
  readonly stored: SqlReadStore
  readonly departures: Departures
  engine: PubsubService<PubsubNode>
  readonly #tables: Tables

  constructor(readonly ctx: PubsubContext) {
    this.engine = engineOf(ctx.config)
    this.#tables = new Tables(ctx.db, ctx.host.name, () => this.engine.definition.defaults)
    this.departures = new Departures(ctx.db, ctx.host.name, this.#tables.hashes)
    this.stored = new SqlReadStore(this.#tables, ctx.db.read)
    this.outbox = new Outbox({
      from: ctx.host.name,
      send: message => ctx.send(message),
      later: fn => void ctx.after(0, fn)
    })
  }

  reconfigure(config: PubsubConfig): void {
    this.engine = engineOf(config)
  }

  /** Forgets where nodes have gone that were deleted before that moment (milliseconds UTC). */
  async expireRedirects(before: number): Promise<void> {
    await this.ctx.db.write(tx => this.#tables.nodes.expireRedirects(tx, before))
  }

  /** Does something in a write unit, in the turn of `sender`. */
  write<T>(work: (store: SqlStore) => Promise<T>, sender?: StanzaEvent): Promise<T> {
    return this.ctx.db.write(tx => this.within(tx, work), sender)
  }

  /** The same in a unit of somebody else's. */
  async within<T>(tx: Tx, work: (store: SqlStore) => Promise<T>): Promise<T> {
    const store = new SqlStore(this.#tables, tx)
    const result = await work(store)
    await store.finish()
    return result
  }
}

function engineOf(config: PubsubConfig): PubsubService<PubsubNode> {
  return new PubsubService(
    defineService<PubsubNode>({
      instantNodes: config.instantNodes,
      defaults: initialValues(config),
      limits: {
        maxItems: config.itemsPerNode,
        payload: config.payloadBytes,
        nodeName: config.nodeNameBytes,
        itemId: ITEM_ID,
        page: config.pageSize,
        subscriptions: config.subscriptionsPerUser
      }
    })
  )
}
