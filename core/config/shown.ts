import { describeConfig } from './describe'
import { isSecretName } from './secret'
import { alternative, catchallOf, isSchema, peel, shapeOf, type Schema } from './schema'
import { entryOf, plain, type ConfigNode, type MapNode } from './tree'

/** One option of a module with what holds for it. */
export interface ShownOption {
  /** As in the file: `limits.perUser`. */
  key: string
  /** `whole number from 0 to 65535`. */
  type: string
  /** As JSON; undefined where there is none. Secrets, and what came from the environment, are not shown. */
  value: string | undefined
  /** As JSON; undefined where there is none. */
  default: string | undefined
  /** The file says so, and not the default. */
  written: boolean
  description: string
}

const HIDDEN = '(not shown)'

/** The options of a schema for a person, with the values that the file has for them. */
export function showOptions(schema: Schema, written: ConfigNode | undefined): ShownOption[] {
  const all = describeConfig(schema)
  // What is in lists is told with the list, what is in maps by itself
  const leaves = all.filter(
    ({ key }) =>
      !/\[\]|<name>/.test(key) &&
      !all.some(other => other.key.startsWith(`${key}.`) && !/<name>/.test(other.key))
  )
  return leaves.map(({ key, type, default: fallback, description }) => {
    const found = find(schema, written, key.split('.'))
    const value = found ? JSON.stringify(shown(found.schema, found.node, key)) : fallback
    return { key, type, value, default: fallback, written: found !== undefined, description }
  })
}

function find(
  schema: Schema,
  node: ConfigNode | undefined,
  steps: readonly string[]
): { schema: Schema | undefined; node: ConfigNode } | undefined {
  let below: Schema | undefined = schema
  let at = node
  for (const step of steps) {
    if (at?.kind === 'map' && below) below = entrySchema(below, at, step)
    at = entryOf(at, step)
  }
  return at && { schema: below, node: at }
}

/** The schema of an entry of a map; undefined where none is known. */
function entrySchema(schema: Schema, node: MapNode, name: string): Schema | undefined {
  const meant = chosen(schema, node)
  const shape = shapeOf(meant)
  if (shape) return Object.hasOwn(shape, name) ? shape[name] : catchallOf(meant)
  const { def } = peel(meant)
  return def.type === 'record' ? def.valueType : undefined
}

function chosen(schema: Schema, node: ConfigNode): Schema {
  const peeled = peel(schema)
  const which = alternative(peeled, node)
  const option = which !== undefined && peeled.def.type === 'union' ? peeled.def.options[which] : undefined
  return option ? chosen(option, node) : schema
}

function shown(schema: Schema | undefined, node: ConfigNode, name: string): unknown {
  if (isSecretName(name) || (schema && isSecret(schema))) return HIDDEN
  if (node.kind === 'scalar') return node.fromEnvironment ? HIDDEN : plain(node)
  if (node.kind === 'list') {
    const meant = schema && peel(chosen(schema, node)).def
    const item = meant?.type === 'array' && isSchema(meant.element) ? meant.element : undefined
    return node.items.map(one => shown(item, one, ''))
  }
  return Object.fromEntries(
    [...node.entries].map(([key, { value }]) => [
      key,
      shown(schema && entrySchema(schema, node, key), value, key)
    ])
  )
}

function isSecret(schema: Schema): boolean {
  const { def, notes } = peel(schema)
  return notes.secret === true || (def.type === 'union' && def.options.some(isSecret))
}
