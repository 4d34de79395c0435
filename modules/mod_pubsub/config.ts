import { domainOption, z } from '#core'
import type { ConfigChanges } from '../lib_pubsub'

const defaults = z.object({
  accessModel: z
    .enum(['open', 'authorize', 'whitelist'])
    .default('open')
    .describe('Who may subscribe and read: anybody, whom an owner approves, or those on a list.'),
  publishModel: z
    .enum(['publishers', 'subscribers', 'open'])
    .default('publishers')
    .describe('Who may publish: owners and publishers, subscribers too, or anybody.'),
  itemExpire: z
    .union([z.literal('max'), z.number().int().min(1).max(3_155_760_000)])
    .default('max')
    .describe('Seconds after which items are removed; `max`: they stay.'),
  persistItems: z.boolean().default(true).describe('Items are kept.'),
  maxItems: z
    .union([z.literal('max'), z.number().int().min(1)])
    .default('max')
    .describe('Items that are kept; `max` and what is more means `itemsPerNode`.'),
  whenFull: z
    .enum(['retract-oldest', 'discard-oldest', 'reject'])
    .default('retract-oldest')
    .describe(
      'What a publication to a full node does: the oldest item goes, goes unannounced, or it is refused.'
    ),
  deliverPayloads: z.boolean().default(true).describe('Events carry the payload.'),
  notificationType: z
    .enum(['headline', 'normal'])
    .default('headline')
    .describe('Type of the messages; headlines are not stored for those who are away.'),
  notifyRetract: z.boolean().default(true).describe('Subscribers are told when items are removed.'),
  notifyDelete: z.boolean().default(true).describe('Subscribers are told when the node is deleted.'),
  notifyConfig: z.boolean().default(false).describe('Subscribers are told when the configuration changes.'),
  notifySub: z.boolean().default(false).describe('Owners are told of new and lost subscribers.'),
  sendLastItem: z
    .enum(['never', 'on_sub', 'on_sub_and_presence'])
    .default('never')
    .describe(
      'When subscribers are sent the last item: never, when they are new, or when they come online too.'
    ),
  namePublisher: z.boolean().default(false).describe('Items name who published them.')
})

/** Options of mod_pubsub. */
export const config = z.object({
  createNodes: z
    .enum(['local', 'admins', 'anyone'])
    .default('local')
    .describe('Who may create nodes: accounts of this server, administrators alone, or anybody.'),
  creatorDomains: z
    .array(domainOption())
    .default([])
    .describe('Further domains whose accounts may create nodes.'),
  instantNodes: z.boolean().default(true).describe('A node that is created without a name is given one.'),
  autoCreate: z
    .boolean()
    .default(false)
    .describe('Publishing to a node that is not there creates it, for those who may create nodes.'),
  multiSubscribe: z
    .boolean()
    .default(false)
    .describe(
      'An address may subscribe to a node several times, with other options; SubIDs tell them apart.'
    ),
  subscriptionsPerAddress: z
    .number()
    .int()
    .min(1)
    .max(100)
    .default(10)
    .describe('Subscriptions of one address to one node, at most, with `multiSubscribe`.'),
  leaseDays: z
    .number()
    .min(1 / 1440)
    .max(36_500)
    .default(365)
    .describe('Days that a leased subscription lasts, at most; who asks for more is given these.'),
  requireLease: z
    .boolean()
    .default(false)
    .describe(
      'Subscriptions are for a time: one without end waits a day for its options, and sends nothing.'
    ),
  nodesPerUser: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(1000)
    .describe('Nodes that one account may have created, at most; those that left a redirect count.'),
  subscriptionsPerUser: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe('Subscriptions of one account on the service, at most.'),
  itemsPerNode: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe('Items that a node may keep, at most.'),
  payloadBytes: z
    .number()
    .int()
    .min(1)
    .max(10_485_760)
    .default(65_536)
    .describe('Bytes of the payload of an item, at most.'),
  nodeNameBytes: z
    .number()
    .int()
    .min(1)
    .max(3071)
    .default(1023)
    .describe('Bytes of the name of a node, at most.'),
  pageSize: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(250)
    .describe('Entries in one answer, items or others, at most.'),
  redirectDays: z
    .number()
    .int()
    .min(1)
    .max(36_500)
    .default(365)
    .describe('Days for which it is remembered where a deleted node has moved.'),
  defaults: defaults
    .prefault({})
    .describe('The configuration of new nodes, where their creator says nothing.')
})

export type PubsubConfig = z.infer<typeof config>

/** The defaults by the names of the node configuration. */
export function initialValues({ defaults: d, itemsPerNode }: PubsubConfig): ConfigChanges {
  return {
    access_model: d.accessModel,
    publish_model: d.publishModel,
    item_expire: d.itemExpire,
    persist_items: d.persistItems,
    max_items: d.maxItems === 'max' || d.maxItems > itemsPerNode ? 'max' : d.maxItems,
    publish_node_full: d.whenFull,
    deliver_payloads: d.deliverPayloads,
    notification_type: d.notificationType,
    notify_retract: d.notifyRetract,
    notify_delete: d.notifyDelete,
    notify_config: d.notifyConfig,
    notify_sub: d.notifySub,
    send_last_published_item: d.sendLastItem,
    itemreply: d.namePublisher ? 'publisher' : 'none'
  }
}
