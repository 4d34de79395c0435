import { CodedError } from '../errors'

/** A module on a host, as far as its place in the order of starting goes. */
export interface GraphNode {
  /** '' is the server. */
  readonly host: string
  readonly name: string
  readonly dependencies: readonly string[]
  readonly after: readonly string[]
}

/** What needs what: on the same host, or else on the server. */
export class Graph<N extends GraphNode> {
  readonly #nodes = new Map<string, N>()

  constructor(nodes: Iterable<N>) {
    for (const node of nodes) this.#nodes.set(key(node.host, node.name), node)
  }

  /** The node that `name` means to another one. */
  find(name: string, host: string): N | undefined {
    return this.#nodes.get(key(host, name)) ?? this.#nodes.get(key('', name))
  }

  /** What a node cannot be without; those that are not there are left out. */
  needs(node: N): N[] {
    return node.dependencies.flatMap(name => this.find(name, node.host) ?? [])
  }

  /**
   * The nodes, each after those that it needs, else in the order in which they were given; and what stands
   * against it: `ERR_MODULE_MISSING` and `ERR_MODULE_CYCLE`.
   */
  order(): { order: N[]; faults: CodedError[] } {
    const order = new Set<N>()
    const faults = [...this.#nodes.values()].flatMap(node => this.#missing(node))
    for (const node of this.#nodes.values()) this.#visit(node, [], order, faults)
    return { order: [...order], faults }
  }

  #missing(node: N): CodedError[] {
    return node.dependencies
      .filter(name => !this.find(name, node.host))
      .map(name => {
        const where = node.host === '' ? 'on the server' : `on ${node.host} or on the server`
        return new CodedError(
          'ERR_MODULE_MISSING',
          `${label(node)} needs ${name}, which is not enabled ${where}: add it to the config`
        )
      })
  }

  #visit(node: N, path: readonly N[], order: Set<N>, faults: CodedError[]): void {
    if (order.has(node)) return
    const start = path.indexOf(node)
    if (start !== -1) {
      const circle = [...path.slice(start), node].map(one => one.name).join(' -> ')
      const fault = new CodedError(
        'ERR_MODULE_CYCLE',
        `${label(node)}: modules wait for each other: ${circle}`
      )
      if (!faults.some(known => known.code === fault.code && known.message === fault.message))
        faults.push(fault)
      return
    }
    for (const name of [...node.dependencies, ...node.after]) {
      const first = this.find(name, node.host)
      if (first) this.#visit(first, [...path, node], order, faults)
    }
    order.add(node)
  }
}

/** How a module on a host is named to people. */
export function label({ name, host }: { name: string; host: string }): string {
  return host === '' ? name : `${name} on ${host}`
}

function key(host: string, name: string): string {
  return `${host}\n${name}`
}
