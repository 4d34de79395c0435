import type { z } from 'zod'
import { pathKey, type Conformed } from './conform'
import { expectation } from './expectation'
import { quoted, type Faults, type Place } from './faults'
import { choicesOf, peel, shapeOf, type Schema } from './schema'
import { isSecretName } from './secret'
import { didYouMean } from './suggest'
import { placeOfMissing, type ConfigNode } from './tree'

type Issue = z.core.$ZodIssue
type Steps = readonly PropertyKey[]

/** The message of an issue to which the schema's author gave none. */
export const UNSAID = '\u0000'

interface Found {
  place: Place
  /** Undefined where nothing stands there. */
  node?: ConfigNode
  /** A fault was told for it, or for what it is in. */
  broken: boolean
}

/** Tells a schema's issues as faults that a person can act on. */
export class Translation {
  constructor(
    readonly root: ConfigNode,
    readonly conformed: Conformed,
    readonly faults: Faults
  ) {}

  tell(issues: readonly Issue[], base: Steps = [], depth = 0): void {
    for (const issue of issues) this.#one(issue, [...base, ...issue.path], depth)
  }

  #one(issue: Issue, steps: Steps, depth: number): void {
    const found = this.#find(steps)
    if (found.broken) return
    const visit = this.conformed.visits.get(pathKey(steps))
    if (issue.code === 'invalid_union') {
      const inner = visit && issue.errors[visit.alternatives[depth] ?? -1]
      if (inner) return this.tell(inner, steps, depth + 1)
    }
    if (issue.message !== UNSAID && !isHidden(found.node, visit?.schema, steps)) {
      return this.faults.add(found.place, issue.message)
    }
    if (issue.code === 'unrecognized_keys') return this.#unknownKeys(issue.keys, found, visit?.schema)
    if (issue.code === 'invalid_key') return this.#badKey(issue, found, steps)
    if (issue.code === 'invalid_union' && 'discriminator' in issue)
      return this.#badDiscriminator(found, steps)
    const told = visit && peel(visit.schema).notes.expected !== undefined
    if (issue.code === 'custom' && !told) return this.faults.add(found.place, 'this value is refused')
    this.#unexpected(found, visit?.schema, steps)
  }

  #unexpected(found: Found, schema: Schema | undefined, steps: Steps): void {
    const wanted = schema && expectation(schema)
    if (!found.node || (found.node.kind === 'scalar' && found.node.value === null)) {
      if (this.conformed.meant.has(pathKey(steps))) return
      return this.faults.add(found.place, `missing; expected ${wanted ?? this.#wantedOfMissing(steps)}`)
    }
    const choices = schema ? choicesOf(schema) : []
    this.faults.add(
      found.place,
      `expected ${wanted ?? 'another value'}, ${got(found.node, schema, steps)}${meant(found.node, choices, steps)}`
    )
  }

  #wantedOfMissing(steps: Steps): string {
    const parent = this.conformed.visits.get(pathKey(steps.slice(0, -1)))
    const shape = parent && shapeOf(parent.schema)
    const schema = shape?.[String(steps.at(-1))]
    return schema ? expectation(schema) : 'a value'
  }

  #badDiscriminator(found: Found, steps: Steps): void {
    const parent = this.conformed.visits.get(pathKey(steps.slice(0, -1)))
    const union = parent && peel(parent.schema).def
    const name = String(steps.at(-1))
    const choices =
      union?.type === 'union'
        ? union.options.flatMap(option => choicesOf(shapeOf(option)?.[name] ?? option))
        : []
    const wanted = `expected ${choices.map(quoted).join(' or ')}`
    if (!found.node) return this.faults.add(found.place, `missing; ${wanted}`)
    this.faults.add(
      found.place,
      `${wanted}, ${got(found.node, undefined, steps)}${meant(found.node, choices, steps)}`
    )
  }

  #unknownKeys(keys: readonly string[], found: Found, schema: Schema | undefined): void {
    for (const key of keys) {
      const entry = found.node?.kind === 'map' ? found.node.entries.get(key) : undefined
      const known = schema ? Object.keys(shapeOf(schema) ?? {}) : []
      this.faults.add(entry?.key ?? found.place, `unknown key${didYouMean(key, known)}`)
    }
  }

  #badKey(issue: z.core.$ZodIssueInvalidKey, found: Found, steps: Steps): void {
    const parent = this.#find(steps.slice(0, -1)).node
    const name = String(steps.at(-1))
    const place = parent?.kind === 'map' ? parent.entries.get(name)?.key : undefined
    const record = this.conformed.visits.get(pathKey(steps.slice(0, -1)))
    const def = record && peel(record.schema).def
    const said = issue.issues.map(inner => inner.message).find(message => message !== UNSAID)
    const wanted =
      def?.type === 'record' ? `the key must be ${expectation(def.keyType)}` : 'this key is refused'
    this.faults.add(place ?? found.place, said ?? wanted)
  }

  #find(steps: Steps): Found {
    let node = this.root
    for (const [i, step] of steps.entries()) {
      if (node.broken) return { place: node.place, node, broken: true }
      const name = String(step)
      const next =
        node.kind === 'map'
          ? node.entries.get(name)?.value
          : node.kind === 'list'
            ? node.items[Number(step)]
            : undefined
      if (!next) {
        const last = i === steps.length - 1
        return {
          place: last ? placeOfMissing(node, node.kind === 'list' ? Number(step) : name) : node.place,
          broken: false
        }
      }
      node = next
    }
    return { place: node.place, node, broken: node.broken ?? false }
  }
}

function isSecret(schema: Schema | undefined, steps: Steps): boolean {
  const marked = schema !== undefined && peel(schema).notes.secret === true
  return marked || steps.some(step => typeof step === 'string' && isSecretName(step))
}

/** Whether the value must not be shown; an author's message might show it. */
function isHidden(node: ConfigNode | undefined, schema: Schema | undefined, steps: Steps): boolean {
  if (node?.kind !== 'scalar') return false
  return node.fromEnvironment === true || isSecret(schema, steps)
}

function got(node: ConfigNode, schema: Schema | undefined, steps: Steps): string {
  if (node.kind === 'map') return 'got a map'
  if (node.kind === 'list') return node.items.length === 0 ? 'got an empty list' : 'got a list'
  if (node.fromEnvironment) return 'got another value from the environment'
  const type = schema && peel(schema).def.type
  const hint =
    type === 'string' && typeof node.value !== 'string' && node.value !== null ? ' (put it in quotes)' : ''
  if (isSecret(schema, steps)) return `got another ${typeof node.value}${hint}`
  return `got ${typeof node.value === 'string' ? quoted(node.value) : String(node.value ?? 'nothing')}${hint}`
}

function meant(node: ConfigNode, choices: readonly string[], steps: Steps): string {
  if (node.kind !== 'scalar' || typeof node.value !== 'string' || node.fromEnvironment) return ''
  return isSecret(undefined, steps) ? '' : didYouMean(node.value, choices)
}
