import { ATOM, dateTime, nodeType } from '../lib_channels'
import {
  completeConfig,
  initialConfig,
  standardFields,
  type ConfigField,
  type NodeConfig
} from '../lib_pubsub'
import { ACCESS_LABELS } from './access'
import type { NodeRow } from './store/node-table'

/*
 * The configuration of a channel (protoXEP §4.3, table 1). Title, description, access model and default role are the
 * channel's, whichever node they are set on; what the server sets is shown and stays (`fixed`).
 */

const ACCESS_OPTIONS = Object.entries(ACCESS_LABELS).map(([value, label]) => ({ value, label }))

/** Roles of new followers. */
const NEW_ROLES: readonly { readonly value: string; readonly label: string }[] = [
  { value: 'member', label: 'Read' },
  // protoXEP §10.2
  { value: 'publisher', label: 'Read and write: an invitation to spam where strangers can follow' },
  // of ephemeral channels alone (`shownFields`)
  { value: 'moderator', label: 'Read, write and manage the channel' }
]

/** What moderators may change (protoXEP table 6). */
export const MODERATED: readonly string[] = ['title', 'description', 'default_affiliation']

export const CHANNEL_FIELDS: readonly ConfigField[] = [
  {
    key: 'title',
    form: { var: 'pubsub#title', label: 'Title of the channel, one short sentence', maxLength: 128 },
    initial: '',
    metadata: true
  },
  {
    key: 'description',
    form: { var: 'pubsub#description', label: 'What the channel is about', maxLength: 1024 },
    initial: '',
    metadata: true
  },
  {
    key: 'access_model',
    form: {
      var: 'pubsub#access_model',
      type: 'list-single',
      label: 'Who may follow the channel and read it',
      options: ACCESS_OPTIONS,
      check: chosen
    },
    initial: 'open',
    metadata: true
  },
  {
    key: 'default_affiliation',
    form: {
      var: 'buddycloud#default_affiliation',
      type: 'list-single',
      label: 'What new followers may do',
      options: NEW_ROLES,
      check: chosen
    },
    initial: 'member',
    metadata: true
  },
  {
    key: 'ephemeral',
    form: {
      var: 'buddycloud#ephemeral',
      type: 'boolean',
      label: 'Whether the channel goes with its last participant; said when it is made'
    },
    initial: false,
    metadata: true
  },
  {
    key: 'advertise_node',
    form: { var: 'buddycloud#advertise_node', type: 'boolean', label: 'Show this node in public lists' },
    initial: true,
    metadata: true
  },
  shown('type', 'pubsub#type', 'Payload namespace', true),
  shown('channel_type', 'buddycloud#channel_type', 'Type of the channel', true),
  shown('creator', 'pubsub#creator', 'Who created the channel'),
  // the old servers' name for it
  {
    key: 'owner',
    form: { var: 'pubsub#owner', type: 'jid-multi', label: 'Who owns the channel' },
    initial: [],
    fixed: true
  },
  shown('creation_date', 'pubsub#creation_date', 'When the channel was created'),
  shown('updated_date', 'buddycloud#updated_date', 'When the configuration was last changed', true),
  // the old servers' name for it
  shown('last_updated', 'buddycloud#last_updated', 'When the configuration was last changed', true)
]

/** Set by the server. */
function shown(key: string, name: string, label: string, metadata = false): ConfigField {
  return { key, form: { var: name, label }, initial: '', fixed: true, metadata }
}

/** The fields as they are shown for a channel: with the roles that its followers can be given. */
export function shownFields(
  ephemeral: boolean,
  newPublishers: 'everybody' | 'local'
): readonly ConfigField[] {
  return CHANNEL_FIELDS.map(field => {
    if (field.key !== 'default_affiliation') return field
    const options = NEW_ROLES.filter(({ value }) => (value === 'moderator') === ephemeral).map(option =>
      option.value === 'publisher' && newPublishers === 'local'
        ? { ...option, label: 'Read and write, for the users of this server; all others read' }
        : option
    )
    return { ...field, form: { ...field.form, options } }
  })
}

function chosen(value: string): string {
  if (value === '') throw new Error('a value is required')
  return value
}

/** What all nodes of channels have in common, the engine's own settings included. */
export function channelDefaults(options: {
  accessModel: string
  defaultAffiliation: string
  itemBytes: number
}): NodeConfig {
  const engine = initialConfig(standardFields({ access: {}, maxItems: 1, maxPayload: options.itemBytes }))
  return completeConfig(engine, {
    ...initialConfig(CHANNEL_FIELDS),
    access_model: options.accessModel,
    default_affiliation: options.defaultAffiliation,
    publish_model: 'publishers',
    max_items: 'max',
    publish_node_full: 'discard-oldest',
    notification_type: 'headline',
    notify_config: true,
    type: ATOM
  })
}

/** The configuration of a node, of what is stored and what follows from its type. */
export function nodeConfig(defaults: NodeConfig, row: NodeRow): NodeConfig {
  const { ns, single } = nodeType(row.type)
  const updated = dateTime(row.channel_updated)
  return {
    ...defaults,
    title: row.title === '' ? defaultTitle(row.jid) : row.title,
    description: row.description,
    access_model: row.access_model,
    default_affiliation: row.default_affiliation,
    advertise_node: row.advertise === 1,
    ephemeral: row.kind === 'ephemeral',
    type: ns,
    max_items: single ? 1 : 'max',
    channel_type: row.kind,
    creator: row.creator,
    creation_date: dateTime(row.channel_created),
    updated_date: updated,
    last_updated: updated
  }
}

/** protoXEP table 1 */
export function defaultTitle(channel: string): string {
  return `${channel}'s Buddycloud channel`
}
