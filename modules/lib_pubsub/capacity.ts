import type { NodeConfig } from './config'
import type { Definition } from './definition'
import type { Node } from './store'

/** Items that a node may have. */
export function capacity<N extends Node, X>(def: Definition<N, X>, config: NodeConfig): number {
  return config.max_items === 'max' ? def.limits.maxItems : Math.min(config.max_items, def.limits.maxItems)
}
