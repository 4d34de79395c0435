import type { FormField, FormValue, FormValues } from '#core'
import type { AccessModels, PublishModel } from './access'

export type ConfigValue = string | number | boolean | readonly string[]

/** The configuration of a node (XEP-0060 §16.4.4): what the engine goes by. Services may add keys. */
export interface NodeConfig {
  readonly [key: string]: ConfigValue
  readonly title: string
  readonly description: string
  /** Namespace of the payload; where it is not empty, others are refused (§7.1.3.6). */
  readonly type: string
  readonly language: string
  /** Bare JIDs. */
  readonly contact: readonly string[]
  /** Name in the service's table of access models. */
  readonly access_model: string
  readonly publish_model: PublishModel
  readonly persist_items: boolean
  /** `max`: as many as the service allows. */
  readonly max_items: number | 'max'
  /** Seconds after its last publication at which an item ends; `max`: it does not. */
  readonly item_expire: number | 'max'
  /** Bytes of serialised payload. */
  readonly max_payload_size: number
  readonly publish_node_full: 'retract-oldest' | 'discard-oldest' | 'reject'
  readonly deliver_notifications: boolean
  readonly deliver_payloads: boolean
  readonly notification_type: 'normal' | 'headline'
  readonly notify_retract: boolean
  readonly notify_delete: boolean
  readonly notify_config: boolean
  readonly notify_sub: boolean
  readonly send_last_published_item: 'never' | 'on_sub' | 'on_sub_and_presence'
  readonly itemreply: 'publisher' | 'none'
  /** Whether subscriptions are taken at all. */
  readonly subscribe: boolean
}

/** Values to be set; what is left out keeps its value (XEP-0004 §3.5). */
export type ConfigChanges = Readonly<Record<string, ConfigValue>>

/**
 * One field of the node configuration, defined once: how the form shows it, how a submission is read, what it
 * is at first.
 */
export interface ConfigField {
  /** Key in NodeConfig; on the wire it is `form.var`. */
  key: string
  form: FormField
  initial: ConfigValue
  /** From the form, whose own checks have passed. Default: as it is. */
  read?: (value: FormValue) => ConfigValue
  /** For the form. Default: as it is. */
  show?: (value: ConfigValue) => FormValue
  /** Set by the server alone: shown, and left as it is whatever is submitted. */
  fixed?: boolean
  /** Is part of the node's meta-data (§5.4) and of what the public may know. */
  metadata?: boolean
  /** Shown to owners alone: no event has it (§8.2.5.3). */
  confidential?: boolean
  /** Shown where this access model can be chosen. */
  goesWith?: string
}

export interface FieldOptions {
  access: AccessModels
  /** Upper bound for max_items, and the meaning of `max`. */
  maxItems: number
  /** Upper bound for max_payload_size, in bytes. */
  maxPayload: number
  /** Whether the service learns who is available, so that subscriptions can be temporary (§12.5). */
  tempsub?: boolean
  /** Whether the service learns who is available, so that events can wait for it (§12.6, §6.1.7). */
  presence?: boolean
}

/** Seconds of the longest item_expire that is not `max`: a hundred years. */
const LONGEST_LIFE = 3_155_760_000

const LANGUAGES =
  'ar bg bn ca cs da de el en eo es et eu fa fi fr ga gl he hi hr hu id it ja ko lt lv ms nl no pl pt ro ru sk sl sr sv sw ta th tr uk ur vi zh'
const languageNames = new Intl.DisplayNames(['en'], { type: 'language' })

/** §5.4: a list to choose from; whoever speaks another one writes its code (XEP-0122 §3.2.2). */
const LANGUAGE: Partial<FormField> = {
  type: 'list-single',
  open: true,
  options: [
    { value: '', label: 'None in particular' },
    ...LANGUAGES.split(' ').map(value => ({ value, label: languageNames.of(value) ?? value }))
  ],
  maxLength: 64
}

/** The fields of §16.4.4 that this engine honours, and no others. */
export function standardFields({
  access,
  maxItems,
  maxPayload,
  tempsub = false,
  presence = false
}: FieldOptions): ConfigField[] {
  const accessModels = Object.entries(access).map(([value, { label }]) => ({ value, label }))
  return [
    text('title', 'A friendly name for the node', { maxLength: 1024 }),
    text('description', 'A description of the node', { maxLength: 8192 }),
    text('type', 'Payload namespace: the type of information at this node', { maxLength: 1024 }),
    text('language', 'The default language of the node', LANGUAGE),
    {
      key: 'contact',
      form: {
        var: 'pubsub#contact',
        type: 'jid-multi',
        label: 'The JIDs of those to contact with questions',
        maxValues: 20
      },
      initial: [],
      metadata: true
    },
    { ...choice('access_model', 'Who may subscribe and retrieve items', accessModels), metadata: true },
    ...(access.roster ? [rosterGroups()] : []),
    {
      ...choice('publish_model', 'Who may publish', [
        { value: 'publishers', label: 'Only publishers may publish' },
        { value: 'subscribers', label: 'Subscribers may publish' },
        { value: 'open', label: 'Anyone may publish' }
      ]),
      metadata: true
    },
    flag('persist_items', 'Whether to persist items to storage', true),
    {
      key: 'max_items',
      form: {
        var: 'pubsub#max_items',
        label: `The maximum number of items to persist, ${maxItems} at most, or max`,
        datatype: 'pubsub:integer-or-max', // §16.7
        required: true,
        check: value => (value === 'max' ? value : whole(value, maxItems))
      },
      initial: 'max',
      read: value => (value === 'max' ? value : Number(value)),
      show: String,
      metadata: true
    },
    {
      key: 'item_expire',
      form: {
        var: 'pubsub#item_expire',
        label: 'Seconds after which items are removed, or max: they stay',
        datatype: 'pubsub:integer-or-max', // §16.7
        required: true,
        check: value => (value === 'max' ? value : whole(value, LONGEST_LIFE))
      },
      initial: 'max',
      read: value => (value === 'max' ? value : Number(value)),
      show: String
    },
    {
      key: 'max_payload_size',
      form: {
        var: 'pubsub#max_payload_size',
        label: 'The maximum payload size in bytes',
        datatype: 'xs:integer',
        required: true,
        min: 1,
        max: maxPayload,
        check: value => whole(value, maxPayload)
      },
      initial: maxPayload,
      read: Number,
      show: String
    },
    choice('publish_node_full', 'What to do when an item is published to a full node', [
      { value: 'retract-oldest', label: 'Retract the oldest item' },
      { value: 'discard-oldest', label: 'Discard the oldest item, without notifications' },
      { value: 'reject', label: 'Refuse the new item' }
    ]),
    flag('deliver_notifications', 'Whether to deliver event notifications', true),
    flag('deliver_payloads', 'Whether to deliver payloads with event notifications', true),
    choice('notification_type', 'The type of notification messages', [
      { value: 'headline', label: 'Messages of type headline, which are not stored for absent users' },
      { value: 'normal', label: 'Messages of type normal' }
    ]),
    flag('notify_retract', 'Whether to notify subscribers when items are removed from the node', true),
    flag('notify_delete', 'Whether to notify subscribers when the node is deleted', true),
    flag('notify_config', 'Whether to notify subscribers when the node configuration changes', false),
    flag('notify_sub', 'Whether to notify owners about new subscribers and unsubscribes', false),
    // with a default of on_sub the service would have to send on presence as well (§4.3, §6.1.7)
    choice('send_last_published_item', 'When to send the last published item', [
      { value: 'never', label: 'Never' },
      { value: 'on_sub', label: 'When a new subscription is processed' },
      ...(presence
        ? [
            {
              value: 'on_sub_and_presence',
              label: 'When a new subscription is processed and whenever a subscriber comes online'
            }
          ]
        : [])
    ]),
    ...(presence
      ? [flag('presence_based_delivery', 'Whether to deliver notifications to available users only', false)]
      : []),
    choice('itemreply', 'Whether items name their publisher, to whom replies may go', [
      { value: 'none', label: 'Items do not name their publisher' },
      { value: 'publisher', label: 'Items name their publisher' }
    ]),
    flag('subscribe', 'Whether to allow subscriptions', true),
    ...(tempsub
      ? [flag('tempsub', 'Whether subscriptions end when the subscriber goes offline', false)]
      : []),
    choice('node_type', 'The type of node', [{ value: 'leaf', label: 'The node is a leaf node' }])
  ]
}

/** §16.4.4; which groups there are is for the owner to say. */
function rosterGroups(): ConfigField {
  return {
    key: 'roster_groups_allowed',
    form: {
      var: 'pubsub#roster_groups_allowed',
      type: 'list-multi',
      label: 'The roster groups allowed to subscribe and retrieve items',
      options: [],
      open: true,
      maxLength: 1023,
      maxValues: 50
    },
    initial: [],
    confidential: true,
    goesWith: 'roster'
  }
}

function text(key: string, label: string, form: Partial<FormField>): ConfigField {
  return { key, form: { var: `pubsub#${key}`, label, ...form }, initial: '', metadata: true }
}

function flag(key: string, label: string, initial: boolean): ConfigField {
  return { key, form: { var: `pubsub#${key}`, type: 'boolean', label }, initial }
}

/** The first option is the initial value. */
function choice(
  key: string,
  label: string,
  options: readonly { value: string; label: string }[]
): ConfigField {
  const form: FormField = { var: `pubsub#${key}`, type: 'list-single', label, options, required: true }
  return { key, form, initial: options[0]?.value ?? '' }
}

function whole(value: string, max: number): string {
  const number = /^\d{1,15}$/.test(value) ? Number(value) : 0
  if (number < 1 || number > max) throw new Error(`must be a whole number from 1 to ${max}`)
  return String(number)
}

/** What a new node has where nothing was said. */
export function initialConfig(fields: readonly ConfigField[], overrides: ConfigChanges = {}): NodeConfig {
  const config: Record<string, ConfigValue> = {}
  for (const field of fields) config[field.key] = field.initial
  return Object.assign(config, overrides) as NodeConfig
}

/**
 * A stored configuration, perhaps written by a version that knew fewer fields, completed by the service's
 * defaults. For stores: once for each row that is read.
 */
export function completeConfig(defaults: NodeConfig, stored: Readonly<Record<string, unknown>>): NodeConfig {
  return { ...defaults, ...stored } as NodeConfig
}

/** From a form that was read by the fields' definitions: the values to set. Fixed fields are left out. */
export function readChanges(fields: readonly ConfigField[], values: FormValues): ConfigChanges {
  return readValues(
    fields.filter(field => !field.fixed),
    values
  )
}

/** The same, with what the server sets: for whoever compares (§7.1.5). */
export function readValues(fields: readonly ConfigField[], values: FormValues): ConfigChanges {
  const changes: Record<string, ConfigValue> = {}
  for (const field of fields) {
    const value = values[field.form.var]
    if (value === undefined) continue
    changes[field.key] = field.read ? field.read(value) : value
  }
  return changes
}

/** For a form: the values by field name. */
export function showConfig(fields: readonly ConfigField[], config: ConfigChanges): FormValues {
  const values: FormValues = {}
  for (const field of fields) {
    const value = config[field.key]
    if (value === undefined) continue
    values[field.form.var] = field.show ? field.show(value) : formValue(value)
  }
  return values
}

function formValue(value: ConfigValue): FormValue {
  if (typeof value === 'object') return [...value]
  return typeof value === 'number' ? String(value) : value
}

/** Whether two values of a field are the same. */
export function sameValue(a: ConfigValue | undefined, b: ConfigValue | undefined): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b
  return a.length === b.length && a.every((value, index) => value === b[index])
}
