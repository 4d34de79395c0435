import {
  childOf,
  childrenOf,
  el,
  renderForm,
  serialize,
  StanzaError,
  type Element,
  type FormValues
} from '#core'
import { BUDDYCLOUD, nodeName, pageIn } from '../../lib_channels'
import {
  checkPage,
  PubsubError,
  showConfig,
  type ConfigField,
  type PageInfo,
  type Range
} from '../../lib_pubsub'
import { NODE_CONFIG, payloadElement } from '../../lib_pubsub/xml'
import type { ChannelActor } from '../access'
import { CHANNEL_FIELDS } from '../fields'
import { creatorOf } from '../model'
import { pageOf, pubsub } from '../reply'
import type { Channels } from '../service'
import type { FollowedRow } from '../store/followed-table'
import { personKey } from '../store/member-table'
import { listedIn } from './lists'

/*
 * protoXEP §7.1: what somebody follows, each node with its configuration, or with some fields of it, or only the
 * nodes whose configuration has certain values.
 */

/** Nodes that are read at a time, and for one answer, at most: then the page ends, however few were wanted. */
const CHUNK = 250
const SCAN = 5000
/** Bytes in an answer (draft 2014-01 §7.4). */
const PAGE_BYTES = 60_000
const MAX_FILTERS = 64
/** Owners that are told of, in a chunk. */
const MAX_OWNERS = 2 * CHUNK

interface Filters {
  /** Each field has this value; all of them must match. */
  readonly wanted: readonly { field: string; value: string }[]
  /** The fields that are shown; without it all. */
  readonly shown: readonly ConfigField[]
}

export async function subscriptionsWithConfiguration(
  channels: Channels,
  actor: ChannelActor,
  element: Element,
  request: Element
): Promise<Element> {
  const page = pageIn(element, request)
  const filters = filtersOf(request)
  const max = checkPage(page, channels.config.listPage)
  if (page?.index !== undefined) throw new PubsubError('indexNotSupported')
  const range: Range = { limit: CHUNK, newest: page?.before !== undefined }
  if (page?.after !== undefined) range.after = keyOf(page.after)
  if (page?.before) range.before = keyOf(page.before)
  const lists = listedIn(element)
  const rows: Element[] = []
  let room = PAGE_BYTES
  let first: number | undefined
  let last: number | undefined
  let complete = false
  search: for (let seen = 0; seen < SCAN && max > 0; seen += CHUNK) {
    const chunk = await channels.tables.followed.list(channels.reader.source, actor.bare, range, lists)
    const owners = await ownersOf(channels, chunk, filters)
    for (const row of chunk) {
      const values = valuesOf(channels, actor, row, owners)
      const key = personKey({ id: row.member, place: row.place })
      if (filters.wanted.every(one => has(values, one))) {
        // serialised once: its length counts, and it is sent as it is
        const xml = serialize(entry(row, values, filters))
        room -= Buffer.byteLength(xml)
        if (rows.length > 0 && room < 0) break search
        if (rows.length === max) break search
        rows.push(payloadElement(xml))
      }
      first ??= key
      last = key
    }
    complete = chunk.length < CHUNK
    if (complete || last === undefined) break
    if (range.newest) range.before = last
    else range.after = last
  }
  if (range.newest) {
    rows.reverse()
    ;[first, last] = [last, first]
  }
  const whole = complete && page?.after === undefined && !page?.before
  const info: PageInfo = {
    ...(first !== undefined && last !== undefined && { first: String(first), last: String(last) }),
    ...(whole && { count: rows.length, ...(rows.length > 0 && { index: 0 }) })
  }
  return pubsub(
    el('subscriptions-with-configuration', BUDDYCLOUD, rows),
    pageOf({ ...info, complete: whole }, page !== undefined)
  )
}

/** Example 18. */
function entry(row: FollowedRow, values: FormValues, { shown }: Filters): Element {
  const node = nodeName(row.jid, row.type)
  const def = { formType: NODE_CONFIG, fields: shown.map(field => field.form) }
  return el(
    'subscription-with-configuration',
    {
      xmlns: BUDDYCLOUD,
      node,
      subscription: row.subscription,
      jid: row.member_jid,
      'invited-by': row.invited_by ?? undefined
    },
    el('configure', { node }, renderForm(def, values, 'result'))
  )
}

/** What everybody may know of a channel that they know of (table 5), as disco#info tells it. */
function valuesOf(
  { reader }: Channels,
  actor: ChannelActor,
  row: FollowedRow,
  owners: ReadonlyMap<number, string[]>
): FormValues {
  const node = reader.toNode(row)
  const { config } = node
  // who has asked or is invited does not read yet
  const owner = row.subscription === 'subscribed' ? (owners.get(row.channel_id) ?? []) : creatorOf(node)
  const values = showConfig(CHANNEL_FIELDS, { ...config, owner })
  // protoXEP table 3: who is not from here sees a closed channel
  if (config.access_model === 'local' && !actor.local) values['pubsub#access_model'] = 'authorize'
  return values
}

async function ownersOf(
  { tables, reader }: Channels,
  rows: readonly FollowedRow[],
  { wanted, shown }: Filters
): Promise<ReadonlyMap<number, string[]>> {
  const needed = shown.some(field => field.key === 'owner') || wanted.some(one => one.field === OWNER_FIELD)
  if (!needed) return new Map()
  return await tables.followed.owners(
    reader.source,
    [...new Set(rows.map(row => row.channel_id))],
    MAX_OWNERS
  )
}

const OWNER_FIELD = 'pubsub#owner'

function has(values: FormValues, { field, value }: { field: string; value: string }): boolean {
  const given = values[field]
  if (typeof given === 'boolean') return given ? /^(?:1|true)$/.test(value) : /^(?:0|false)$/.test(value)
  if (Array.isArray(given)) return given.includes(value)
  return given !== undefined && String(given) === value
}

/** Example 19. A field is named as it is, or without what is before its `#`. */
function filtersOf(request: Element): Filters {
  for (const child of childrenOf(request)) {
    if (child.name !== 'subscription-filter' && child.name !== 'configuration-filter') {
      throw bad(`<${child.name}/> is no filter`)
    }
  }
  const wanted = allowsIn(request, 'subscription-filter').map(({ field, value }) => {
    if (value === undefined) throw bad('a field is allowed with a value')
    return { field: fieldOf(field)?.form.var ?? field, value }
  })
  if (childOf(request, 'configuration-filter') === undefined) return { wanted, shown: CHANNEL_FIELDS }
  const allowed = new Set(allowsIn(request, 'configuration-filter').map(({ field }) => fieldOf(field)))
  return { wanted, shown: CHANNEL_FIELDS.filter(field => allowed.has(field)) }
}

function allowsIn(request: Element, name: string): { field: string; value: string | undefined }[] {
  const [filter, another] = childrenOf(request, name, BUDDYCLOUD)
  if (another) throw bad(`there is one <${name}/>`)
  const allows = filter ? childrenOf(filter) : []
  if (allows.length > MAX_FILTERS) throw bad(`at most ${MAX_FILTERS} fields are allowed`)
  return allows.map(allow => {
    const { field, value } = allow.attrs as Record<string, string | undefined>
    if (allow.name !== 'allow' || field === undefined || field === '')
      throw bad(`<${name}/> has <allow field=''/>`)
    return { field, value }
  })
}

function fieldOf(name: string): ConfigField | undefined {
  return CHANNEL_FIELDS.find(({ form }) => form.var === name || form.var.split('#')[1] === name)
}

function keyOf(id: string): number {
  if (!/^\d{1,15}$/.test(id)) throw new PubsubError('pageNotFound')
  return Number(id)
}

function bad(text: string): StanzaError {
  return new StanzaError('bad-request', { type: 'modify', text })
}
