import { JID } from '#core'

/*
 * Names of nodes and items. A node is `/user/<bare JID of the channel>/<type>`, an item of an Atom node is
 * `tag:SERVICE,NODE,LOCAL` wherever it is named on the wire.
 */

/** The name of a node, taken apart; all of it canonical (RFC 7622). */
export interface NodeName {
  /** `/user/<channel>/<type>` */
  readonly name: string
  /** The channel's bare JID. */
  readonly channel: string
  readonly type: string
}

/** Bytes of UTF-8 of a name as it is given: the longest bare JID with prefix and type. */
export const MAX_NODE_BYTES = 3071

/** Characters of the local part of an item's id. */
const MAX_LOCAL_ID = 128

/** Names that the old servers gave to nodes. */
const ALIASES: Readonly<Record<string, string>> = {
  'geo/previous': 'geoloc-past',
  'geo/current': 'geoloc',
  'geo/next': 'geoloc-future',
  'geo/future': 'geoloc-future'
}

const TYPE = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/
const MAX_TYPE = 64

/** The canonical name of a node of a channel. */
export function nodeName(channel: string, type: string): string {
  return `/user/${channel}/${type}`
}

/**
 * Reads a node's name, strictly: whatever a person may write for a JID comes to its one canonical form, old types
 * and `/users/` are taken, and anything else is no name.
 */
export function parseNodeName(text: string): NodeName | undefined {
  if (text.length > MAX_NODE_BYTES || Buffer.byteLength(text) > MAX_NODE_BYTES) return undefined
  const prefix = /^\/users?\//.exec(text)?.[0]
  if (prefix === undefined) return undefined
  const slash = text.indexOf('/', prefix.length)
  if (slash < 0) return undefined
  const jid = JID.tryParse(text.slice(prefix.length, slash))
  const given = text.slice(slash + 1)
  const type = Object.hasOwn(ALIASES, given) ? (ALIASES[given] as string) : given
  if (jid?.kind !== 'bare' || type.length > MAX_TYPE || !TYPE.test(type)) return undefined
  return { name: nodeName(jid.bare, type), channel: jid.bare, type }
}

/** An item's global id. */
export function tagOf(service: string, node: string, local: string): string {
  return `tag:${service},${node},${local}`
}

/** A global id, taken apart. */
export interface Tag {
  readonly service: string
  /** Canonical. */
  readonly node: string
  readonly local: string
}

/**
 * Splits a global id at its first and last comma: the address in between may have commas of its own.
 * @returns `undefined` where it is none
 */
export function parseTag(id: string): Tag | undefined {
  if (!id.startsWith('tag:')) return undefined
  const first = id.indexOf(',')
  const last = id.lastIndexOf(',')
  if (first < 0 || last === first) return undefined
  const node = parseNodeName(id.slice(first + 1, last))
  // data of an old server has the JID of a service with an empty user before it
  const service = JID.tryParse(id.slice('tag:'.length, first).replace(/^null@/, ''))
  const local = id.slice(last + 1)
  if (node === undefined || service?.kind !== 'host' || local === '') return undefined
  return { service: service.full, node: node.name, local }
}

/** Whether an id looks global: a local one has no comma. */
export function isGlobal(id: string): boolean {
  return id.startsWith('tag:') && id.includes(',')
}

/** Whether a client's id can be the local part of a global one. */
export function isGoodLocalId(id: string): boolean {
  if (id === '' || id.length > 2 * MAX_LOCAL_ID) return false
  // characters, not halves of them
  if (id.length > MAX_LOCAL_ID && [...id].length > MAX_LOCAL_ID) return false
  return !/[,\p{Cc}\p{Cs}]/u.test(id) && id.normalize('NFC') === id
}

/**
 * The local part of an id that somebody gives for an item of a node, in either form; `undefined` where it can
 * name no item there.
 */
export function localId(id: string, service: string, node: string): string | undefined {
  if (!isGlobal(id)) return isGoodLocalId(id) ? id : undefined
  const tag = parseTag(id)
  const own = tag !== undefined && tag.service === service && tag.node === node
  return own && isGoodLocalId(tag.local) ? tag.local : undefined
}
