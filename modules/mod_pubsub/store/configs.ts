import { completeConfig, type NodeConfig } from '../../lib_pubsub'

const KEPT = 1000

/** Node configurations as objects, read once for each text that a node has had. */
export class Configs {
  readonly #defaults: () => NodeConfig
  readonly #known = new Map<number, { json: string; defaults: NodeConfig; config: NodeConfig }>()

  constructor(defaults: () => NodeConfig) {
    this.#defaults = defaults
  }

  read(node: number, json: string): NodeConfig {
    const defaults = this.#defaults()
    const known = this.#known.get(node)
    if (known?.json === json && known.defaults === defaults) return known.config
    const config = completeConfig(defaults, JSON.parse(json) as Record<string, unknown>)
    this.#known.delete(node)
    this.#known.set(node, { json, defaults, config })
    if (this.#known.size > KEPT) this.#dropOldest()
    return config
  }

  #dropOldest(): void {
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest)
      return
    }
  }
}
