import { typeName } from './expectation'
import { pathBelow } from './faults'
import { peel, shapeOf, type Schema } from './schema'
import { FileSchema } from './server-schema'

/** One key of a config, for documentation and the tests that hold it against the schemas. */
export interface DescribedKey {
  /** `listen[].port`; `<name>` stands for names that the operator chooses. */
  key: string
  /** `whole number from 0 to 65535`, `list of map`. */
  type: string
  /** As JSON; undefined where there is none. */
  default: string | undefined
  /** It cannot be left out (where what it is in is given). */
  required: boolean
  /** '' where the schema says nothing, which is a fault of the schema. */
  description: string
  /** A change takes effect without a restart; of the server's own keys only. */
  live: boolean
}

/** All keys that a schema knows, those of maps and lists within it too, in the schema's order. */
export function describeConfig(schema: Schema): DescribedKey[] {
  const keys = new Map<string, DescribedKey>()
  describeInside(schema, '', false, keys)
  return [...keys.values()]
}

/** The keys of the file itself; those of the modules are told by their schemas. */
export function describeFile(): DescribedKey[] {
  return describeConfig(FileSchema)
}

function describeKey(schema: Schema, key: string, live: boolean, keys: Map<string, DescribedKey>): void {
  const { optional, fallback, notes } = peel(schema)
  const isLive = live || notes.live === true
  // A key that several alternatives of a union have is told once
  if (!keys.has(key)) {
    keys.set(key, {
      key,
      type: typeName(schema),
      default: fallback === undefined ? undefined : JSON.stringify(fallback),
      required: !optional,
      description: notes.description ?? '',
      live: isLive
    })
  }
  describeInside(schema, key, isLive, keys)
}

function describeInside(schema: Schema, path: string, live: boolean, keys: Map<string, DescribedKey>): void {
  const { def } = peel(schema)
  const shape = shapeOf(schema)
  if (shape)
    for (const [name, below] of Object.entries(shape)) describeKey(below, pathBelow(path, name), live, keys)
  else if (def.type === 'array') describeInside(def.element, `${path}[]`, live, keys)
  else if (def.type === 'record') describeInside(def.valueType, `${path}.<name>`, live, keys)
  else if (def.type === 'union') for (const option of def.options) describeInside(option, path, live, keys)
}
