import type { z } from 'zod'
import { isEmpty, type ConfigNode, type MapNode } from './tree'

export type Schema = z.core.$ZodType
type Known = z.core.$ZodTypes
export type Def = Known['_zod']['def']

/** What a schema says beside its type: `.describe()`, and `.meta()` with these keys. */
export interface SchemaNotes {
  description?: string
  /** A file or folder: made absolute, `exists`: it must be there. */
  path?: 'any' | 'exists'
  /** The value is never shown. */
  secret?: boolean
  /** A change takes effect while the server runs. */
  live?: boolean
  /** Said in faults and in the documentation in place of what the schema itself tells: "a domain". */
  expected?: string
}

/** A schema without its wrappers (optional, default, pipe, lazy and so on), and what they said. */
export interface Peeled {
  schema: Schema
  def: Def
  /** It may be left out. */
  optional: boolean
  nullable: boolean
  /** Given where it is left out. */
  fallback: unknown
  notes: SchemaNotes
}

export function peel(schema: Schema): Peeled {
  const peeled: Peeled = {
    schema,
    def: defOf(schema),
    optional: false,
    nullable: false,
    fallback: undefined,
    notes: {}
  }
  let next: Schema | undefined = schema
  while (next) {
    peeled.schema = next
    peeled.def = defOf(next)
    peeled.notes = { ...notesOf(next), ...peeled.notes }
    next = unwrapped(peeled)
  }
  return peeled
}

/** By its own marks and not by class: a module from a package brings a zod of its own. */
export function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && '_zod' in value
}

function defOf(schema: Schema): Def {
  return (schema as Known)._zod.def
}

function notesOf(schema: Schema): SchemaNotes {
  const meta = (schema as { meta?: () => SchemaNotes | undefined }).meta?.()
  return meta ?? {}
}

function unwrapped(peeled: Peeled): Schema | undefined {
  const def = peeled.def
  switch (def.type) {
    case 'optional':
      peeled.optional = true
      return def.innerType
    case 'nullable':
      peeled.nullable = true
      return def.innerType
    case 'default':
    case 'prefault':
      peeled.optional = true
      peeled.fallback = def.defaultValue
      return def.innerType
    case 'nonoptional':
      peeled.optional = false
      return def.innerType
    case 'readonly':
    case 'catch':
      return def.innerType
    case 'lazy':
      return def.getter()
    case 'pipe':
      // What is written in the file meets the first half; a preprocess step takes anything, so look behind it
      return defOf(def.in).type === 'transform' ? def.out : def.in
    default:
      return undefined
  }
}

/** The keys that a map may have, where the schema is one of maps with known keys. */
export function shapeOf(schema: Schema): Record<string, Schema> | undefined {
  const { def } = peel(schema)
  if (def.type === 'object') return def.shape
  if (def.type !== 'intersection') return undefined
  const [left, right] = [shapeOf(def.left), shapeOf(def.right)]
  return left && right ? { ...left, ...right } : (left ?? right)
}

/** The schema for keys that the shape does not name; undefined where such keys are faults. */
export function catchallOf(schema: Schema): Schema | undefined {
  const { def } = peel(schema)
  if (def.type === 'object')
    return def.catchall && defOf(def.catchall).type !== 'never' ? def.catchall : undefined
  if (def.type === 'intersection') return catchallOf(def.left) ?? catchallOf(def.right)
  return undefined
}

/** The text values that a schema allows: for "did you mean". */
export function choicesOf(schema: Schema): string[] {
  const { def } = peel(schema)
  if (def.type === 'enum') return Object.values(def.entries).filter(value => typeof value === 'string')
  if (def.type === 'literal') return def.values.filter(value => typeof value === 'string')
  if (def.type === 'union') return def.options.flatMap(choicesOf)
  return []
}

/**
 * Which alternative of a union a map or list is meant to be: by its discriminator, else by kind and by the keys
 * it knows. Undefined for anything else, or where none is near.
 */
export function alternative({ def }: Peeled, node: ConfigNode): number | undefined {
  if (def.type !== 'union' || node.kind === 'scalar') return undefined
  const discriminator = 'discriminator' in def ? String(def.discriminator) : undefined
  let best: number | undefined
  let most = -1
  def.options.forEach((option, i) => {
    const score = fit(option, node, discriminator)
    if (score > most) [best, most] = [i, score]
  })
  return best
}

function fit(option: Schema, node: ConfigNode, discriminator: string | undefined): number {
  const { def } = peel(option)
  if (node.kind === 'list') return def.type === 'array' || def.type === 'tuple' ? 0 : -1
  if (def.type === 'record') return 0
  const shape = shapeOf(option)
  if (!shape || node.kind !== 'map') return -1
  if (discriminator === undefined) return Object.keys(shape).filter(key => node.entries.has(key)).length
  return hasDiscriminator(shape[discriminator], node, discriminator) ? 0 : -1
}

function hasDiscriminator(schema: Schema | undefined, node: MapNode, name: string): boolean {
  if (!schema) return false
  const given = node.entries.get(name)?.value
  if (!given || isEmpty(given)) return peel(schema).optional
  return given.kind === 'scalar' && choicesOf(schema).includes(String(given.value))
}
