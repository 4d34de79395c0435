import {
  NS,
  StanzaError,
  type Context as ModuleContext,
  type Element,
  type StanzaEvent,
  type Tx
} from '#core'
import { NO_WISH, type RatingsWish } from '../lib_channels'
import { PubsubService, type Outcome, type PubsubEvent } from '../lib_pubsub'
import { PUBSUB } from '../lib_pubsub/xml'
import { delivery, membershipNews, type Delivery } from './announce'
import { Bans } from './bans'
import type { ChannelsConfig } from './config'
import { channelDefinition, type Surroundings } from './definition'
import type { SummariesEvent } from './events'
import { channelDefaults } from './fields'
import { Following } from './following'
import { Limits } from './limits'
import type { ChannelNode, ItemColumns, RemovedItem } from './model'
import { REGISTER } from './names'
import { endDeserted } from './deserted'
import { Outbox } from './outbox'
import { Stamps } from './stamps'
import { FanOut } from './store/fan-out'
import type { MemberChange } from './store/journal'
import { ChannelReader } from './store/read-store'
import { openTables, type Tables } from './store/tables'
import { ChannelStore, type WriteService } from './store/write-store'

type Ctx = ModuleContext<ChannelsConfig>

/** Told by what the store remembers, not by the engine. */
const OURS: ReadonlySet<PubsubEvent['kind']> = new Set(['subscription', 'affiliation', 'retract'])

/** What came of a write: the result, and what is sent when it is answered. */
export interface Written<T> {
  readonly result: T
  readonly deliveries: readonly Delivery[]
}

/** The channels of one host: engine, tables, and how writes become messages. */
export class Channels {
  readonly tables: Tables
  readonly engine: PubsubService<ChannelNode, ItemColumns>
  readonly reader: ChannelReader
  readonly following: Following
  readonly outbox: Outbox
  readonly stamps = new Stamps()
  /** Who may ask for nothing, and is sent nothing. */
  readonly bans: Bans
  readonly limits: Limits
  /** Whether it is an account of the domains whose channels are here. */
  readonly isLocal: (bare: string) => boolean
  readonly #ctx: Ctx
  readonly #write: WriteService

  constructor(ctx: Ctx, around: Pick<Surroundings, 'isLocal' | 'kindOf' | 'isAccount'>) {
    const { db, host, config } = ctx
    this.#ctx = ctx
    this.tables = openTables(db, host.name)
    this.bans = new Bans(ctx)
    this.limits = new Limits(ctx)
    this.#write = {
      name: host.name,
      defaults: channelDefaults(config),
      fanOut: new FanOut(),
      kindOf: channel => around.kindOf(channel),
      memberNews: config.memberNews,
      maxNodes: config.nodesPerChannel
    }
    this.reader = new ChannelReader(this.tables, db.read, this.#write)
    this.following = new Following(jid => this.tables.members.following(db.read, jid, 'posts'))
    this.isLocal = bare => around.isLocal(bare)
    this.outbox = new Outbox(host.name, this.stamps, message => ctx.send(message))
    this.engine = new PubsubService(
      channelDefinition(
        {
          name: host.name,
          objectType: config.objectType,
          isLocal: this.isLocal,
          isAccount: (tx, channel) => around.isAccount(tx, channel),
          kindOf: channel => around.kindOf(channel),
          channelsOf: bare => this.limits.channelsOf(bare),
          canRate: () => host.hooks.has('channels/rate'),
          rate: event => ctx.run('channels/rate', event),
          published: async ({ store, node }, item, previous) => {
            const { tx } = store as ChannelStore
            await ctx.run(previous ? 'channels/edit' : 'channels/publish', { tx, node, item, previous })
          },
          retracted: async ({ store, node }) => {
            const channelStore = store as ChannelStore
            await this.raiseRetract(channelStore, node, channelStore.removed)
          }
        },
        config
      )
    )
  }

  /** Reads what administrators have said of people: before anything is answered. */
  async load(): Promise<void> {
    await this.bans.load()
    await this.limits.exceptions.load()
  }

  get name(): string {
    return this.#write.name
  }

  get config(): ChannelsConfig {
    return this.#ctx.config
  }

  /** What disco#info says: the engine's, without what channels do not do or that is no feature of XEP-0060. */
  features(): string[] {
    const not = new Set([`${PUBSUB}#moderator-affiliation`])
    const models = ['access-open', 'access-authorize', 'access-whitelist', 'multi-items']
    const features = this.engine.features().filter(feature => !not.has(feature))
    return [...new Set([...features, ...models.map(name => `${PUBSUB}#${name}`), NS.RSM, REGISTER])]
  }

  /** What somebody wants to see of ratings, where there are any. */
  granted(wish: RatingsWish): RatingsWish {
    if (wish === NO_WISH || this.#ctx.host.hooks.has('channels/summaries')) return wish
    throw new StanzaError('feature-not-implemented', 'ratings are not offered here')
  }

  /** How items are rated, for whoever may read them: an element for each, by their keys. */
  async summaries(jid: string, keys: readonly number[]): Promise<ReadonlyMap<number, Element>> {
    const event: SummariesEvent = { jid, keys }
    if (keys.length > 0) await this.#ctx.run('channels/summaries', event)
    return event.result ?? new Map()
  }

  /** Tells other modules what was deleted, inside the unit. */
  async raiseRetract({ tx }: ChannelStore, node: ChannelNode, items: readonly RemovedItem[]): Promise<void> {
    if (items.length > 0) await this.#ctx.run('channels/retract', { tx, node, items })
  }

  /** A store for one write unit. */
  store(tx: Tx, actor: string): ChannelStore {
    return new ChannelStore(this.tables, tx, this.#write, actor, this.engine.definition.now())
  }

  /**
   * One write unit: what the engine does, the log, and what is to be told to whom. Nothing is sent yet.
   * @param actor bare JID of who does it
   */
  async write<T>(
    actor: string,
    event: StanzaEvent | undefined,
    work: (store: ChannelStore) => Promise<Outcome<T> & { deliveries?: readonly Delivery[] }>
  ): Promise<Written<T>> {
    return await this.#ctx.db.write(async tx => {
      const store = this.store(tx, actor)
      const { result, notifications, deliveries = [] } = await work(store)
      const told = notifications.filter(one => !OURS.has(one.event.kind)).map(delivery)
      const news = await this.finish(store)
      return { result, deliveries: [...told, ...deliveries, ...news] }
    }, event)
  }

  /** Ends the work of a store: the log, the events of members, and what is outdated in memory after the commit. */
  async finish(store: ChannelStore): Promise<Delivery[]> {
    const changes = await store.finish()
    if (changes.length > 0) store.tx.afterCommit(() => this.#outdate(changes))
    const news = await membershipNews(store, changes)
    return [...news, ...(await endDeserted(store, changes))]
  }

  #outdate(changes: readonly MemberChange[]): void {
    for (const { jid } of changes) this.following.forget(jid)
  }

  /** Sends what a write came to; after its commit, and after its answer. Nothing goes to whoever is banned. */
  send(deliveries: readonly Delivery[]): void {
    this.outbox.send(this.bans.admitted(deliveries))
  }
}
