import { randomUUID } from 'node:crypto'
import { StanzaError } from '#core'
import {
  channelFault,
  dateTime,
  isAtom,
  isGlobal,
  isGoodLocalId,
  localId,
  nodeType,
  parseNodeName,
  parseTag,
  tagOf,
  type NodeName
} from '../lib_channels'
import {
  defineService,
  PubsubError,
  sameValue,
  type Actor,
  type Definition,
  type HookContext,
  type NodeConfig,
  type ReadStore,
  type Store
} from '../lib_pubsub'
import { channelAccess, type ChannelActor } from './access'
import { complete, type Composition } from './compose'
import type { ChannelsConfig } from './config'
import { CHANNEL_FIELDS, channelDefaults } from './fields'
import type { ChannelItem, ChannelKind, ChannelNode, ItemColumns } from './model'
import { CHANNEL_ROLES } from './roles'
import type { ChannelStore } from './store/write-store'

/** What channels must know of the server they are on. */
export interface Surroundings extends Composition {
  /** The channel host's name. */
  readonly name: string
  /** Whether it is an account of the domains whose channels are here. */
  isLocal(bare: string): boolean
  /** What a channel of that name is, by its domain; `undefined` where none of that name can be here. */
  kindOf(channel: string): ChannelKind | undefined
  /** Items were stored, overwritten or deleted; inside the write unit. */
  published(context: Context, item: ChannelItem, previous: ChannelItem | undefined): Promise<void>
  retracted(context: Context): Promise<void>
  now?(): number
}

export type Context = HookContext<ChannelNode, ItemColumns>
type ChannelDefinition = Definition<ChannelNode, ItemColumns>

/** XEP-0060's engine with the roles, names, rights and payloads of channels. */
export function channelDefinition(around: Surroundings, config: ChannelsConfig): ChannelDefinition {
  const { name: service } = around
  return defineService<ChannelNode, ItemColumns>({
    roles: CHANNEL_ROLES,
    access: channelAccess(bare => around.isLocal(bare)),
    fields: CHANNEL_FIELDS,
    defaults: channelDefaults(config),
    limits: {
      maxItems: config.itemsPerNode,
      payload: config.itemBytes,
      nodeName: 3071,
      page: config.listPage,
      pageBytes: 60_000, // draft 2014-01 §7.4: a stanza is never above 64 KiB
      subscriptions: config.followsPerUser
    },
    instantNodes: false,
    subscribeCreator: true,
    ...(around.now && { now: () => around.now?.() ?? Date.now() }),
    hooks: {
      nodeName: given => nameOf(given).name,
      mayCreate: (actor, name, store) => mayCreate(around, config, actor, nameOf(name), store),
      // the same moment that the store writes
      changedConfig: (changed, before, { store }) => stamped(changed, before, (store as ChannelStore).now),
      mayPublish: (_, node, affiliation) => mayPublish(node, affiliation),
      itemId: (given, node) => newItemId(service, node, given),
      namedItem: (id, node) => namedItem(service, node, id),
      complete: (draft, previous, context) =>
        complete(around, draft, previous as ChannelItem | undefined, context),
      published: (item, previous, context) =>
        around.published(context, item as ChannelItem, previous as ChannelItem | undefined),
      retracted: (_, context) => around.retracted(context),
      subscriberAffiliation: (_, affiliation, node) =>
        affiliation === 'none' ? String(node.config.default_affiliation) : affiliation,
      leaverAffiliation: leave
    }
  })
}

function nameOf(name: string): NodeName {
  const parsed = parseNodeName(name)
  if (parsed === undefined) throw channelFault('invalid-node-format', 'a node is /user/<bare JID>/<type>')
  return parsed
}

/** protoXEP §1.3: the domain decides what a channel is, and who makes it. */
async function mayCreate(
  around: Surroundings,
  config: ChannelsConfig,
  actor: Actor,
  { channel }: NodeName,
  store: Store<ChannelNode, ItemColumns>
): Promise<void> {
  const kind = around.kindOf(channel)
  if (kind === undefined) {
    throw new StanzaError('not-acceptable', { type: 'modify', text: 'channels of that domain are not here' })
  }
  if (!(actor as ChannelActor).local) throw new PubsubError('forbidden')
  if (kind === 'personal') {
    if (channel !== actor.bare) throw new PubsubError('forbidden')
    return
  }
  const channels = store as ChannelStore
  const existing = await channels.channel(channel)
  if (existing) {
    const member = await channels.member(existing.id, actor.bare)
    if (member?.affiliation !== 'owner') throw new PubsubError('forbidden')
  } else if ((await channels.countCreated(actor.bare, kind)) >= config.channelsPerUser) {
    throw new PubsubError('maxNodesExceeded', { text: `you may create ${config.channelsPerUser} channels` })
  }
}

/** protoXEP table 1: the date of the last change is the server's. */
function stamped(config: NodeConfig, before: NodeConfig, now: number): NodeConfig {
  if (Object.keys(config).every(key => sameValue(config[key], before[key]))) return config
  const updated = dateTime(now)
  return { ...config, updated_date: updated, last_updated: updated }
}

/** What is about the owner is the owner's to say, whatever somebody's role in the channel. */
function mayPublish({ type, channel }: ChannelNode, affiliation: string): boolean | undefined {
  const { publishers, topicModerators } = nodeType(type)
  if (publishers === 'writers' || affiliation === 'owner') return undefined
  return affiliation === 'moderator' && topicModerators && channel.kind === 'topic'
}

/** A client keeps its own id where that can be the local part of a global one. */
function newItemId(service: string, { name, type }: ChannelNode, given: string | undefined): string {
  if (!isAtom(type)) return given !== undefined && isGoodLocalId(given) ? given : randomUUID()
  const local = given === undefined ? undefined : localId(given, service, name)
  return tagOf(service, name, local ?? randomUUID())
}

/** Requests may name an item by either form of its id. */
function namedItem(service: string, { name, type }: ChannelNode, id: string): string {
  const local = localId(id, service, name)
  if (local !== undefined) return isAtom(type) ? tagOf(service, name, local) : local
  if (isGlobal(id) && parseTag(id) === undefined) throw channelFault('global-id-error', 'no global item id')
  throw new PubsubError('itemNotFound')
}

/** Who leaves is none; a ban stays, and a channel keeps its owner. */
async function leave(
  jid: string,
  affiliation: string,
  node: ChannelNode,
  store: ReadStore<ChannelNode, ItemColumns>
): Promise<string> {
  if (affiliation === 'outcast') return affiliation
  if (affiliation !== 'owner') return 'none'
  const { rows } = await store.affiliations(node, { limit: 2 }, ['owner'])
  if (rows.length > 1 && jid !== node.channel.jid) return 'none'
  throw channelFault('node-must-have-owner')
}
