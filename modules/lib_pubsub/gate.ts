import type { NodeConfig } from './config'
import type { Definition } from './definition'
import { bareOf, type Scope } from './scope'
import type { Audience, Node, ReadStore } from './store'

/** People whose affiliations are looked up one by one; more are found in the list. */
const FEW = 16

/** Whether it is asked at each event who is told: nodes that are open to whoever is subscribed need not (§14.3). */
export function isGated<N extends Node, X>(def: Definition<N, X>, { config }: N): boolean {
  return config.presence_based_delivery === true || def.access[config.access_model]?.gate !== undefined
}

/** Whether somebody is told of the node's events as long as they are not available (§12.6). */
export function isAwake<N extends Node, X>(def: Definition<N, X>, config: NodeConfig, jid: string): boolean {
  return config.presence_based_delivery !== true || def.presence?.isAvailable(jid) === true
}

/** Of an audience those who may be told now. */
export async function admitted<N extends Node, X>(
  scope: Scope<N, X, ReadStore<N, X>>,
  { plain, special }: Audience
): Promise<Audience> {
  const { def, node } = scope
  const awake = (jid: string): boolean => isAwake(def, node.config, jid)
  const there = { plain: plain.filter(awake), special: special.filter(({ jid }) => awake(jid)) }
  const may = await pass(scope, [...there.plain, ...there.special.map(({ jid }) => jid)])
  return { plain: there.plain.filter(may), special: there.special.filter(({ jid }) => may(jid)) }
}

/** Whether somebody who is subscribed still may be, by an access model that looks anew. */
export async function isAdmitted<N extends Node, X>(
  scope: Scope<N, X, ReadStore<N, X>>,
  jid: string = scope.actor.jid
): Promise<boolean> {
  if (scope.def.access[scope.node.config.access_model]?.gate === undefined) return true
  return (await pass(scope, [jid]))(jid)
}

/** Who of these passes: by the model, or because their role needs no leave (members, publishers, owners). */
async function pass<N extends Node, X>(
  scope: Scope<N, X, ReadStore<N, X>>,
  jids: readonly string[]
): Promise<(jid: string) => boolean> {
  const { def, store, node } = scope
  const gate = def.access[node.config.access_model]?.gate
  if (gate === undefined || jids.length === 0) return () => true
  const admits = await gate(node, store)
  const others = new Set(jids.map(bareOf).filter(bare => !admits(bare)))
  if (others.size === 0) return () => true
  const listed = await listedOf(scope, others)
  return jid => {
    const bare = bareOf(jid)
    return !others.has(bare) || listed.has(bare)
  }
}

async function listedOf<N extends Node, X>(
  { def, store, node }: Scope<N, X, ReadStore<N, X>>,
  people: ReadonlySet<string>
): Promise<ReadonlySet<string>> {
  const { roles } = def.roles
  const always = Object.keys(roles).filter(name => roles[name]?.subscribe === 'always')
  const listed = new Set<string>()
  if (people.size <= FEW) {
    for (const bare of people) if (always.includes(await store.affiliation(node, bare))) listed.add(bare)
    return listed
  }
  const { page } = def.limits
  for (let after = -1; ;) {
    const { rows } = await store.affiliations(node, { after, limit: page }, always)
    for (const { jid } of rows) if (people.has(jid)) listed.add(jid)
    if (rows.length < page) return listed
    after = rows.at(-1)?.key ?? after
  }
}
