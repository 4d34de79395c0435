import { randomUUID } from 'node:crypto'
import { StanzaError, type Tx } from '#core'
import {
  channelFault,
  dateTime,
  isAtom,
  isGlobal,
  isGoodLocalId,
  localId,
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
  type ReadStore
} from '../lib_pubsub'
import { channelAccess, type ChannelActor } from './access'
import { isUuid } from './ephemeral'
import { complete, type Composition } from './compose'
import type { ChannelsConfig } from './config'
import { CHANNEL_FIELDS, channelDefaults } from './fields'
import type { ChannelItem, ChannelKind, ChannelNode, ItemColumns } from './model'
import { CHANNEL_ROLES, mayPublish } from './roles'
import type { ChannelRow } from './store/node-table'
import type { ChannelStore } from './store/write-store'

/** What channels must know of the server they are on. */
export interface Surroundings extends Composition {
  /** The channel host's name. */
  readonly name: string
  /** Whether it is an account of the domains whose channels are here. */
  isLocal(bare: string): boolean
  /** What a channel of that name is, by its domain; `undefined` where none of that name can be here. */
  kindOf(channel: string): ChannelKind | undefined
  /** Topic channels that somebody may create. */
  channelsOf(bare: string): number
  /** Whether an account has that name, or may have it as far as this server knows; stays true within the unit. */
  isAccount(tx: Tx, channel: string): Promise<boolean>
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
      // a global id has the name of its node in it
      itemId: 4096,
      page: config.listPage,
      pageBytes: 60_000, // draft 2014-01 §7.4: a stanza is never above 64 KiB
      subscriptions: config.followsPerUser
    },
    instantNodes: false,
    subscribeCreator: true,
    ...(around.now && { now: () => around.now?.() ?? Date.now() }),
    hooks: {
      nodeName: given => nameOf(given).name,
      mayCreate: (actor, name, store) =>
        mayCreate(around, config, actor, nameOf(name), store as ChannelStore),
      newConfig: made,
      // the same moment that the store writes
      changedConfig: (changed, before, { store }) =>
        stamped(settled(changed, before), before, (store as ChannelStore).now),
      mayPublish: (_, node, affiliation) => mayPublish(node, affiliation),
      itemId: (given, node) => newItemId(service, node, given),
      namedItem: (id, node) => namedItem(service, node, id),
      complete: (draft, previous, context) =>
        complete(around, draft, previous as ChannelItem | undefined, context),
      published: (item, previous, context) =>
        around.published(context, item as ChannelItem, previous as ChannelItem | undefined),
      retracted: (_, context) => around.retracted(context),
      subscriberAffiliation: (jid, affiliation, { config: { default_affiliation: usual } }) => {
        if (affiliation !== 'none') return affiliation
        // protoXEP §10.2
        const limited = usual === 'publisher' && config.newPublishers === 'local' && !around.isLocal(jid)
        return limited ? 'member' : String(usual)
      },
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
  store: ChannelStore
): Promise<void> {
  const existing = await store.channel(channel)
  if (existing?.kind === 'ephemeral' || store.ephemeral) {
    return await mayCreateEphemeral(around, config, actor, channel, existing, store)
  }
  const kind = around.kindOf(channel)
  if (kind === undefined) {
    throw new StanzaError('not-acceptable', { type: 'modify', text: 'channels of that domain are not here' })
  }
  if (!(actor as ChannelActor).local) throw new PubsubError('forbidden')
  if (kind === 'personal') {
    if (channel !== actor.bare) throw new PubsubError('forbidden')
    return
  }
  if (existing) await mustOwn(existing, actor, store)
  else {
    const most = around.channelsOf(actor.bare)
    if ((await store.countCreated(actor.bare, kind)) < most) return
    throw new PubsubError('maxNodesExceeded', { text: `you may create ${most} channels` })
  }
}

async function mustOwn({ id }: { id: number }, actor: Actor, store: ChannelStore): Promise<void> {
  if ((await store.member(id, actor.bare))?.affiliation !== 'owner') throw new PubsubError('forbidden')
}

/** protoXEP §1.3: a random UUID, the server's or a client's, that is nobody's name. */
async function mayCreateEphemeral(
  around: Surroundings,
  config: ChannelsConfig,
  actor: Actor,
  channel: string,
  existing: ChannelRow | undefined,
  store: ChannelStore
): Promise<void> {
  if (!(actor as ChannelActor).local) throw new PubsubError('forbidden')
  if (existing) {
    await mustOwn(existing, actor, store)
    if (existing.kind !== 'ephemeral') throw new PubsubError('nodeExists')
    store.ephemeral = 'named'
    return
  }
  if (around.kindOf(channel) === undefined || !isUuid(channel)) {
    throw new StanzaError('not-acceptable', {
      type: 'modify',
      text: 'an ephemeral channel is a UUID at a domain of this service; without a name it is given one'
    })
  }
  // what has just been made up is nobody's name
  if (store.ephemeral === 'named' && (await around.isAccount(store.tx, channel)))
    throw new PubsubError('nodeExists')
  if ((await store.countCreated(actor.bare, 'ephemeral')) >= config.ephemeralPerUser) {
    throw new PubsubError('maxNodesExceeded', {
      text: `you may have ${config.ephemeralPerUser} ephemeral channels at a time`
    })
  }
}

/** What the server sets in the configuration of a new node: an ephemeral channel is in no list. */
function made(config: NodeConfig): NodeConfig {
  if (config.ephemeral === true) return { ...config, default_affiliation: 'moderator', advertise_node: false }
  mayBeDefault(config)
  return config
}

/** What cannot be changed once a channel is there. */
function settled(config: NodeConfig, { ephemeral }: NodeConfig): NodeConfig {
  if (ephemeral === true) return made({ ...config, ephemeral })
  mayBeDefault(config)
  return { ...config, ephemeral: false }
}

/** Up to follower+post; only whoever takes part in an ephemeral channel manages it at once. */
function mayBeDefault({ default_affiliation }: NodeConfig): void {
  if (default_affiliation !== 'moderator') return
  throw new PubsubError('invalidConfiguration', { text: 'moderators are made one by one' })
}

/** protoXEP table 1: the date of the last change is the server's. */
function stamped(config: NodeConfig, before: NodeConfig, now: number): NodeConfig {
  if (Object.keys(config).every(key => sameValue(config[key], before[key]))) return config
  const updated = dateTime(now)
  return { ...config, updated_date: updated, last_updated: updated }
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

/** Who leaves is none; a ban stays, and a channel keeps its owner, unless it goes with its last participant. */
export async function leave(
  jid: string,
  affiliation: string,
  node: ChannelNode,
  store: ReadStore<ChannelNode, ItemColumns>
): Promise<string> {
  if (affiliation === 'outcast') return affiliation
  if (affiliation !== 'owner' || node.channel.kind === 'ephemeral') return 'none'
  const { rows } = await store.affiliations(node, { limit: 2 }, ['owner'])
  if (rows.length > 1 && jid !== node.channel.jid) return 'none'
  throw channelFault('node-must-have-owner')
}
