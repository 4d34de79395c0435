import { domainOption, z } from '#core'
import { ACCESS_MODELS } from './model'

/** Options of mod_channels. */
export const config = z.object({
  accountDomains: z
    .array(domainOption())
    .optional()
    .describe(
      'Hosts of this server whose accounts have their channels here; the host above this one unless given, or all where there is none.'
    ),
  topicDomains: z
    .array(domainOption())
    .optional()
    .describe(
      'Domains of topic channels, which this host answers for as well; topics.<the domain above> unless given.'
    ),
  accessModel: z.enum(ACCESS_MODELS).default('open').describe('Who may follow and read a new channel.'),
  defaultAffiliation: z
    .enum(['member', 'publisher'])
    .default('member')
    .describe(
      'What new followers of a new channel may do: read (member), or write too (publisher), which is an invitation to spam where strangers can follow.'
    ),
  newPublishers: z
    .enum(['everybody', 'local'])
    .default('everybody')
    .describe(
      'To whom a default role of publisher is given: to all new followers, or to those of accountDomains alone, and all others read.'
    ),
  objectType: z
    .enum(['note', 'post'])
    .default('note')
    .describe('What a post is called where its author says nothing (Activity Streams).'),
  itemBytes: z
    .number()
    .int()
    .min(1024)
    .max(1_048_576)
    .default(65_536)
    .describe('Bytes of the payload of an item, at most.'),
  itemsPerNode: z
    .number()
    .int()
    .min(1)
    .max(10_000_000)
    .default(10_000)
    .describe('Items that a node keeps; beyond that the thread that was quiet for longest goes.'),
  itemsPerPage: z.number().int().min(1).max(250).default(50).describe('Items in one answer, at most.'),
  listPage: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(250)
    .describe('Entries in one page of a list, at most.'),
  nodesPerChannel: z.number().int().min(7).max(64).default(16).describe('Nodes of one channel, at most.'),
  channelsPerUser: z.number().int().min(0).default(100).describe('Topic channels that one user may create.'),
  itemsPerMinute: z
    .number()
    .int()
    .min(0)
    .max(100_000)
    .default(300)
    .describe('Items that one user may publish in a minute, and as many at once; 0 for any number.'),
  ephemeralPerUser: z.number().int().min(0).default(20).describe('Ephemeral channels of one user at a time.'),
  followsPerUser: z.number().int().min(1).default(5000).describe('Channels that one user may follow.'),
  invitationsPerChannel: z
    .number()
    .int()
    .min(0)
    .default(200)
    .describe('Invitations to one channel that wait for an answer; its followers may use half of them.'),
  errorsToLeave: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(50)
    .describe(
      'Notifications to an address that come back over at least seven days until it follows nothing.'
    ),
  memberNews: z
    .number()
    .int()
    .min(0)
    .default(500)
    .describe(
      'Followers up to whom all of them hear who comes and goes; beyond that owner and moderators hear it.'
    ),
  retentionDays: z
    .number()
    .int()
    .min(0)
    .max(36_500)
    .default(0)
    .describe(
      'Days after its last news when a thread goes, whole and untold; 0 for never. The command "Retention" shows before what would go.'
    ),
  retentionItems: z
    .number()
    .int()
    .min(0)
    .max(10_000_000)
    .default(0)
    .describe(
      'Items to which nodes are cut, from the thread that was quiet for longest on; 0 for none but itemsPerNode, which is held at the next item.'
    ),
  historyDays: z
    .number()
    .int()
    .min(1)
    .max(3650)
    .default(90)
    .describe('Days for which tombstones and the log of membership and config changes are kept.')
})

export type ChannelsConfig = z.infer<typeof config>
