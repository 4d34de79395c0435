import { pathBelow, type Place } from './faults'

export interface ScalarNode extends NodeBase {
  kind: 'scalar'
  value: string | number | boolean | null
  /** The value came from the environment, in whole or in part: it is never shown. */
  fromEnvironment?: boolean
}

export interface ListNode extends NodeBase {
  kind: 'list'
  items: readonly ConfigNode[]
}

export interface MapNode extends NodeBase {
  kind: 'map'
  entries: ReadonlyMap<string, MapEntry>
}

export interface MapEntry {
  key: Place
  value: ConfigNode
}

interface NodeBase {
  place: Place
  /** Nodes in it, with itself, aliases counted as often as they stand for something. */
  size: number
  /** A fault was found here already: what follows from it is not told again. */
  broken?: boolean
}

/** The config file as read: values that know where they stand. Nodes do not change; aliases share them. */
export type ConfigNode = ScalarNode | ListNode | MapNode

export function emptyMap(place: Place): MapNode {
  return { kind: 'map', place, size: 1, entries: new Map() }
}

export function isEmpty(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.value === null
}

/** The entry's value, undefined where it is absent or left empty (`key:`). */
export function entryOf(node: ConfigNode | undefined, key: string): ConfigNode | undefined {
  const value = node?.kind === 'map' ? node.entries.get(key)?.value : undefined
  return value === undefined || isEmpty(value) ? undefined : value
}

/** The entries of a map; none where the node is none. */
export function entriesOf(node: ConfigNode | undefined): [string, MapEntry][] {
  return node?.kind === 'map' ? [...node.entries] : []
}

/** What is more special over what is more general: maps are merged, everything else is replaced. */
export function merge(general: ConfigNode, special: ConfigNode): ConfigNode {
  if (general.kind !== 'map' || special.kind !== 'map') return special
  const entries = new Map(general.entries)
  for (const [name, entry] of special.entries) {
    const below = entries.get(name)
    entries.set(name, below ? { key: entry.key, value: merge(below.value, entry.value) } : entry)
  }
  return { kind: 'map', place: special.place, size: general.size + special.size, entries }
}

/** The node as plain data. */
export function plain(node: ConfigNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(plain)
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plain(entry.value)]))
}

/** The place of an entry that is not there. */
export function placeOfMissing(node: ConfigNode, key: string | number): Place {
  return { ...node.place, path: pathBelow(node.place.path, key) }
}
