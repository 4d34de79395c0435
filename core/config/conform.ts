import fs from 'node:fs'
import path from 'node:path'
import type { Faults } from './faults'
import { alternative, catchallOf, isSchema, peel, shapeOf, type Peeled, type Schema } from './schema'
import { suggest } from './suggest'
import { emptyMap, isEmpty, plain, type ConfigNode, type MapNode, type ScalarNode } from './tree'

type Step = string | number

/** What stands at a path of the data, and what its schema is. */
export interface Visit {
  node: ConfigNode
  schema: Schema
  /** Which alternative of a union it is taken for, and of the union in that, and so on. */
  alternatives: number[]
}

/** The data for a schema to check, with the way back from its paths to the file. */
export interface Conformed {
  value: unknown
  visits: Map<string, Visit>
  /** Keys that an unknown one was probably meant to be, by path: that they are missing is not told. */
  meant: Set<string>
}

export function pathKey(steps: readonly PropertyKey[]): string {
  return JSON.stringify(steps.map(String))
}

/**
 * Turns a tree into the plain data that its schema expects, and does what the schema cannot: names unknown keys,
 * takes an empty value (`key:`) for one left out, gives text from the environment the type that is asked for, and
 * makes paths absolute.
 */
export function conform(schema: Schema, node: ConfigNode, folder: string, faults: Faults): Conformed {
  const walk = new Walk(folder, faults)
  return { value: walk.value(schema, node, []), visits: walk.visits, meant: walk.meant }
}

class Walk {
  readonly visits = new Map<string, Visit>()
  readonly meant = new Set<string>()

  constructor(
    readonly folder: string,
    readonly faults: Faults
  ) {}

  value(schema: Schema, node: ConfigNode, steps: Step[]): unknown {
    const visit: Visit = { node, schema, alternatives: [] }
    this.visits.set(pathKey(steps), visit)
    if (node.broken) return plain(node)
    let peeled = peel(schema)
    for (let which = alternative(peeled, node); which !== undefined; which = alternative(peeled, node)) {
      visit.alternatives.push(which)
      const option = peeled.def.type === 'union' ? peeled.def.options[which] : undefined
      if (!option) break
      visit.schema = option
      peeled = peel(option)
    }
    return this.#inside(peeled, node, steps)
  }

  #inside(peeled: Peeled, node: ConfigNode, steps: Step[]): unknown {
    if (node.kind === 'scalar') return this.#scalar(peeled, node)
    const { def } = peeled
    if (node.kind === 'list') {
      if (def.type === 'array')
        return node.items.map((item, i) => this.value(def.element, item, [...steps, i]))
      if (def.type !== 'tuple') return plain(node)
      return node.items.map((item, i) => this.#known(def.items[i] ?? def.rest, item, [...steps, i]))
    }
    const shape = shapeOf(peeled.schema)
    if (shape) return this.#map(shape, catchallOf(peeled.schema), node, steps)
    if (def.type !== 'record') return plain(node)
    return this.#record(def.valueType, node, steps)
  }

  #known(schema: unknown, node: ConfigNode, steps: Step[]): unknown {
    return isSchema(schema) ? this.value(schema, node, steps) : plain(node)
  }

  #map(shape: Record<string, Schema>, rest: Schema | undefined, node: MapNode, steps: Step[]): unknown {
    const values: Record<string, unknown> = {}
    for (const [name, { key, value }] of node.entries) {
      const schema = Object.hasOwn(shape, name) ? shape[name] : rest
      if (!schema) this.#unknown(name, shape, node, steps)
      else if (value.broken || !isEmpty(value) || takesNull(schema))
        values[name] = this.value(schema, value, [...steps, name])
      // Left empty is left out; where that is a fault, this is its place
      else
        this.visits.set(pathKey([...steps, name]), {
          node: { ...value, place: key },
          schema,
          alternatives: []
        })
    }
    return values
  }

  #record(schema: Schema, node: MapNode, steps: Step[]): unknown {
    const values: Record<string, unknown> = {}
    for (const [name, { value }] of node.entries) {
      // `localhost:` with nothing behind it is a host without options
      const given = isEmpty(value) && !value.broken && shapeOf(schema) ? emptyMap(value.place) : value
      values[name] = this.value(schema, given, [...steps, name])
    }
    return values
  }

  #unknown(name: string, shape: Record<string, Schema>, node: MapNode, steps: Step[]): void {
    const entry = node.entries.get(name)
    if (!entry) return
    const meant = suggest(
      name,
      Object.keys(shape).filter(key => !node.entries.has(key))
    )
    if (meant !== undefined) this.meant.add(pathKey([...steps, meant]))
    const known = Object.keys(shape)
    const few = known.length > 0 && known.length <= 12 ? `; known here: ${known.join(', ')}` : ''
    this.faults.add(entry.key, `unknown key${meant === undefined ? few : `; did you mean "${meant}"?`}`)
  }

  #scalar(peeled: Peeled, node: ScalarNode): unknown {
    const { def, notes } = peeled
    if (node.fromEnvironment && typeof node.value === 'string') {
      const typed = asTyped(def.type, node.value)
      if (typed !== undefined) return typed
    }
    if (notes.path !== undefined && typeof node.value === 'string' && node.value !== '') {
      return this.#path(node.value, notes.path, node)
    }
    return node.value
  }

  #path(text: string, rule: 'any' | 'exists', node: ScalarNode): string {
    const absolute = path.resolve(this.folder, text)
    if (rule === 'exists' && !fs.existsSync(absolute)) {
      this.faults.add(node.place, `there is no ${node.fromEnvironment ? 'such file or folder' : absolute}`)
    }
    return absolute
  }
}

/** Text out of the environment where a number or a truth is asked for. */
function asTyped(type: string, text: string): unknown {
  if (type === 'number' && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return undefined
}

function takesNull(schema: Schema): boolean {
  const { def, nullable } = peel(schema)
  if (def.type === 'union') return nullable || def.options.some(takesNull)
  return nullable || def.type === 'null' || def.type === 'any' || def.type === 'unknown'
}
