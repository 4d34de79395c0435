import {
  Composer,
  LineCounter,
  Parser,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type CST,
  type Document,
  type Node,
  type Pair,
  type YAMLError
} from 'yaml'
import { expand, type Environment } from './environment'
import { pathBelow, quoted, type Faults, type Place } from './faults'
import { isSecretName } from './secret'
import { isEmpty, type ConfigNode, type ListNode, type MapEntry, type MapNode } from './tree'

const MAX_DEPTH = 50
/** Aliases count as what they stand for, so that few lines cannot grow into gigabytes. */
const MAX_NODES = 100_000
const MOST_SYNTAX_FAULTS = 50

/** Faults of the text behind which the rest of the file still means what it seems to mean. */
const HARMLESS = new Set([
  'BAD_DQ_ESCAPE',
  'BAD_SCALAR_START',
  'MULTIPLE_ANCHORS',
  'MULTIPLE_TAGS',
  'TAG_RESOLVE_FAILED'
])

/** Reads YAML into a tree. Undefined where its faults leave the meaning of the rest in doubt. */
export function parseTree(text: string, env: Environment, faults: Faults): ConfigNode | undefined {
  const lines = new LineCounter()
  const document = compose(text, lines, faults)
  if (!document || !reportSyntax(document, text, lines, faults)) return undefined
  return new TreeBuilder(lines, env, faults).build(document)
}

function compose(text: string, lines: LineCounter, faults: Faults): Document.Parsed | undefined {
  const fault = (offset: number, message: string) =>
    faults.add({ ...placeAt(lines, offset), path: '' }, message)
  try {
    // The parser keeps its own stack, the composer calls itself: depth is bounded between the two
    const tokens = [...new Parser(lines.addNewLine).parse(text)]
    const deep = offsetTooDeep(tokens)
    if (deep !== undefined) fault(deep, `nested deeper than ${MAX_DEPTH} levels`)
    if (deep !== undefined) return undefined
    // uniqueKeys compares every key with every other; TreeBuilder finds duplicates with a map
    const composer = new Composer({ uniqueKeys: false, prettyErrors: false, logLevel: 'silent' })
    const [document, second] = [...composer.compose(tokens, true, text.length)]
    if (second) fault(second.range[0], 'a second YAML document begins here; the file must hold one')
    return second ? undefined : document
  } catch (error) {
    fault(0, `cannot be read as YAML: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

function placeAt(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(line, 1), column: Math.max(col, 1) }
}

/** Tells the faults, one a line since one slip makes several. False where the document cannot be trusted. */
function reportSyntax(document: Document.Parsed, text: string, lines: LineCounter, faults: Faults): boolean {
  const errors: YAMLError[] = [...document.errors, ...document.warnings]
  const told = new Set<number>()
  for (const error of errors) {
    if (told.size === MOST_SYNTAX_FAULTS) break
    const place = placeAt(lines, error.pos[0])
    if (told.has(place.line)) continue
    told.add(place.line)
    const start = lines.lineStarts[place.line - 1] ?? 0
    const line = text.slice(start, lines.lineStarts[place.line] ?? text.length)
    const hint = /[[{,].*\$\{/.test(line) ? '; inside { } and [ ] write "${NAME}" in quotes' : ''
    // Some messages repeat what stands there
    const message = isSecretName(line)
      ? 'the value must be put in quotes'
      : error.message.replace(/\s+/g, ' ').slice(0, 200)
    faults.add({ ...place, path: '' }, `not YAML: ${message}${hint}`)
  }
  return errors.every(error => HARMLESS.has(error.code))
}

function offsetTooDeep(tokens: readonly CST.Token[]): number | undefined {
  const open: [CST.Token | null | undefined, number][] = tokens.map(token => [token, 0])
  for (let next = open.pop(); next; next = open.pop()) {
    const [token, depth] = next
    if (!token) continue
    if (depth > MAX_DEPTH) return token.offset
    if (token.type === 'document') open.push([token.value, depth + 1])
    else if ('items' in token)
      for (const item of token.items) open.push([item.key, depth + 1], [item.value, depth + 1])
  }
  return undefined
}

/** Turns YAML's nodes into ours: places, aliases, variables and duplicate keys are settled here. */
class TreeBuilder {
  readonly #anchors = new Map<string, ConfigNode>()
  #size = 0
  #full = false

  constructor(
    readonly lines: LineCounter,
    readonly env: Environment,
    readonly faults: Faults
  ) {}

  build(document: Document.Parsed): ConfigNode {
    return this.#node(document.contents, { line: 1, column: 1, path: '' })
  }

  /** `above`: where the value belongs, the key's place in a map. */
  #node(node: Node | null, above: Place): ConfigNode {
    if (isAlias(node)) return this.#alias(node.source, this.#place(node, above))
    // A block's own place is the line below its key
    const place = isCollection(node) && !node.flow ? above : this.#place(node, above)
    const built = this.#count(this.#built(node, place))
    const anchor = isScalar(node) || isCollection(node) ? node.anchor : undefined
    if (anchor !== undefined) this.#anchors.set(anchor, built)
    return built
  }

  #built(node: Node | null, place: Place): ConfigNode {
    if (isMap(node)) return this.#map(node.items as Pair<Node, Node | null>[], place)
    if (isSeq(node)) return this.#list(node.items as Node[], place)
    const value = isScalar(node) ? node.value : null
    if (typeof value === 'string') return this.#text(value, place)
    if (value === null || typeof value === 'number' || typeof value === 'boolean') {
      return { kind: 'scalar', place, size: 1, value }
    }
    return this.#broken(place, 'this kind of YAML value has no meaning here')
  }

  #text(text: string, place: Place): ConfigNode {
    if (!text.includes('${')) return { kind: 'scalar', place, size: 1, value: text }
    const { text: value, used, problems } = expand(text, this.env)
    for (const problem of problems) this.faults.add(place, problem)
    return { kind: 'scalar', place, size: 1, value, fromEnvironment: used, broken: problems.length > 0 }
  }

  #map(pairs: Pair<Node, Node | null>[], place: Place): MapNode {
    const entries = new Map<string, MapEntry>()
    let size = 1
    for (const pair of pairs) {
      const name = isScalar(pair.key) ? nameOf(pair.key.value, pair.key.source) : undefined
      const key = { ...this.#place(pair.key, place), path: pathBelow(place.path, name ?? '?') }
      const value = this.#node(pair.value, key)
      const problem = keyProblem(name, entries)
      if (problem !== undefined) this.faults.add(key, problem)
      if (problem !== undefined || name === undefined) continue
      entries.set(name, { key, value: isEmpty(value) ? { ...value, place: key } : value })
      size += value.size
    }
    return { kind: 'map', place, size, entries }
  }

  #list(nodes: Node[], place: Place): ListNode {
    const items = nodes.map((node, i) => {
      const item = this.#place(node, place)
      return this.#node(node, { ...item, path: pathBelow(place.path, i) })
    })
    return { kind: 'list', place, size: items.reduce((sum, item) => sum + item.size, 1), items }
  }

  #alias(name: string, place: Place): ConfigNode {
    const target = this.#anchors.get(name)
    if (!target)
      return this.#broken(
        place,
        isSecretName(place.path)
          ? 'a value that begins with * must be put in quotes'
          : `there is no &${name} above this line that the alias *${name} could stand for`
      )
    this.#size += target.size - 1
    return this.#count(target)
  }

  #count(node: ConfigNode): ConfigNode {
    this.#size++
    if (this.#size <= MAX_NODES) return node
    if (!this.#full)
      this.faults.add(node.place, `more than ${MAX_NODES} values, an alias counted as what it stands for`)
    this.#full = true
    return { kind: 'scalar', place: node.place, size: 1, value: null, broken: true }
  }

  #broken(place: Place, message: string): ConfigNode {
    this.faults.add(place, message)
    return { kind: 'scalar', place, size: 1, value: null, broken: true }
  }

  #place(node: Node | null, above: Place): Place {
    const offset = node?.range?.[0]
    return offset === undefined ? above : { ...placeAt(this.lines, offset), path: above.path }
  }
}

/** A key as it is written: `5222` and `true` are names like any other. */
function nameOf(value: unknown, source: string | undefined): string {
  return typeof value === 'string' ? value : (source ?? '')
}

function keyProblem(name: string | undefined, before: ReadonlyMap<string, MapEntry>): string | undefined {
  if (name === undefined) return 'a key must be a plain word'
  if (name === '') return 'a key is missing before the ":"'
  if (name === '<<') return 'merge keys (<<) are not supported; write the alias as the value'
  if (name === '__proto__') return 'this cannot be used as a key'
  const first = before.get(name)
  return first && `${quoted(name)} stands here a second time; it was given in line ${first.key.line} already`
}
