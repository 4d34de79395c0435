import type { ErrorName } from '../../../modules/lib_pubsub'

/*
 * XEP-0060 in the simplest words: arrays, no store, no roles table. What the engine does is compared with it.
 * Written from the text of the XEP; shares nothing with the engine but the names of the errors.
 */

export type Aff = 'owner' | 'publisher' | 'publish-only' | 'member' | 'none' | 'outcast'
export type Sub = 'subscribed' | 'pending'

export interface ModelConfig {
  access_model: 'open' | 'authorize' | 'whitelist'
  publish_model: 'publishers' | 'subscribers' | 'open'
  max_items: number | 'max'
  persist_items: boolean
  deliver_payloads: boolean
  deliver_notifications: boolean
  notify_retract: boolean
  notify_delete: boolean
  notify_config: boolean
  notify_sub: boolean
  publish_node_full: 'retract-oldest' | 'discard-oldest' | 'reject'
  send_last_published_item: 'never' | 'on_sub'
  subscribe: boolean
}

export interface ModelNode {
  config: ModelConfig
  affiliations: [string, Aff][]
  subscriptions: [string, Sub][]
  items: { id: string; by: string; text: string | undefined }[]
}

export interface PageOp {
  max?: number
  after?: string
  before?: string
  index?: number
}

export type Op = { by: string; node: string } & (
  | { op: 'create'; config: Partial<ModelConfig> }
  | { op: 'delete'; redirect?: string }
  | { op: 'configure'; config: Partial<ModelConfig> }
  | { op: 'publish'; item?: { id?: string; text?: string } }
  | { op: 'retract'; ids: string[]; notify: boolean }
  | { op: 'purge' }
  | { op: 'items'; maxItems?: number; page?: PageOp }
  | { op: 'subscribe' | 'unsubscribe'; jid: string }
  | { op: 'decide'; jid: string; allow: boolean }
  | { op: 'affiliate'; changes: { jid: string; affiliation?: Aff }[] }
  | { op: 'enlist'; changes: { jid: string; state?: string }[] }
)

export interface Answer {
  error?: ErrorName
  value?: unknown
  /** `event -> jid jid` */
  told: string[]
}

class Refused extends Error {
  constructor(readonly error: ErrorName) {
    super(error)
  }
}

/** XEP-0060 §4.1 table 1: subscribe, retrieve, publish, delete item (own only where it says so), the rest. */
const TABLE: Record<Aff, { sub: boolean; get: boolean; pub: boolean; del: boolean | 'own'; rule: boolean }> =
  {
    owner: { sub: true, get: true, pub: true, del: true, rule: true },
    publisher: { sub: true, get: true, pub: true, del: 'own', rule: false },
    'publish-only': { sub: false, get: false, pub: true, del: 'own', rule: false },
    member: { sub: true, get: true, pub: false, del: false, rule: false },
    none: { sub: true, get: true, pub: false, del: false, rule: false },
    outcast: { sub: false, get: false, pub: false, del: false, rule: false }
  }

/** §4.1 table 2, by an owner; publish-only, which has no row there, as in the service's own table. */
const CHART: Record<Aff, Aff[]> = {
  outcast: ['none', 'member', 'publisher', 'publish-only', 'owner'],
  none: ['outcast', 'member', 'publisher', 'publish-only', 'owner'],
  member: ['outcast', 'none', 'publisher', 'publish-only', 'owner'],
  publisher: ['outcast', 'none', 'owner'],
  'publish-only': ['outcast', 'none', 'member', 'publisher', 'owner'],
  owner: []
}

const bare = (jid: string) => jid.split('/', 1)[0] ?? jid

export class Model {
  nodes = new Map<string, ModelNode>()
  redirects = new Map<string, string>()

  constructor(
    readonly defaults: ModelConfig,
    readonly pageLimit: number,
    readonly mostItems: number
  ) {}

  /** `fresh`: the id that the service made up, where it had to. */
  apply(op: Op, fresh: string): Answer {
    const told: string[] = []
    try {
      return { value: this.#run(op, fresh, (event, jids) => tellTo(told, event, jids)), told: told.sort() }
    } catch (error) {
      if (error instanceof Refused) return { error: error.error, told: [] }
      throw error
    }
  }

  #run(op: Op, fresh: string, tell: (event: string, jids: string[]) => void): unknown {
    const me = bare(op.by)
    if (op.op === 'create') {
      if (this.nodes.has(op.node)) throw new Refused('nodeExists')
      const config = { ...this.defaults, ...op.config }
      this.nodes.set(op.node, { config, affiliations: [[me, 'owner']], subscriptions: [], items: [] })
      this.redirects.delete(op.node)
      return undefined
    }
    if (op.op === 'subscribe' && bare(op.jid) !== me) throw new Refused('invalidJid')
    if (op.op === 'unsubscribe' && bare(op.jid) !== me) throw new Refused('forbidden')
    const node = this.nodes.get(op.node)
    if (!node) throw new Refused(this.redirects.has(op.node) ? 'nodeMoved' : 'nodeNotFound')
    const { config } = node
    const can = TABLE[aff(node, me)]
    const subscribers = () =>
      node.subscriptions.filter(([, state]) => state === 'subscribed').map(([jid]) => jid)
    const subscribed = subscribers().some(jid => bare(jid) === me)
    const mayPublish =
      can.pub ||
      (aff(node, me) !== 'outcast' &&
        (config.publish_model === 'open' || (config.publish_model === 'subscribers' && subscribed)))
    const owned = (right: boolean) => {
      if (!right) throw new Refused('forbidden')
    }
    const persistent = () => {
      if (!config.persist_items) throw new Refused('unsupported')
    }

    switch (op.op) {
      case 'delete': {
        owned(can.rule)
        if (config.notify_delete) {
          tell(
            `delete:${op.redirect ?? ''}`,
            node.subscriptions.map(([jid]) => jid)
          )
        }
        this.nodes.delete(op.node)
        if (op.redirect) this.redirects.set(op.node, op.redirect)
        return undefined
      }
      case 'configure': {
        owned(can.rule)
        const next = { ...config, ...op.config }
        if (JSON.stringify(next) === JSON.stringify(config)) return undefined
        const before = node.config
        node.config = next
        if (!next.persist_items) node.items = []
        node.items = node.items.slice(Math.max(0, node.items.length - this.#room(next)))
        if (before.access_model !== next.access_model) {
          for (const [jid] of [...node.subscriptions]) settle(node, jid, tell)
        }
        if (next.notify_config) tell(`configuration:${next.deliver_payloads ? 'payload' : ''}`, subscribers())
        return undefined
      }
      case 'publish': {
        owned(mayPublish)
        return this.#publish(node, op, fresh, subscribers(), tell)
      }
      case 'retract': {
        if (can.del === false) owned(mayPublish)
        persistent()
        if (op.ids.length === 0) throw new Refused('itemRequired')
        const ids = [...new Set(op.ids)]
        for (const id of ids) {
          const item = node.items.find(one => one.id === id)
          if (!item) throw new Refused('itemNotFound')
          owned(can.del === true || item.by === me)
        }
        node.items = node.items.filter(one => !ids.includes(one.id))
        if (config.deliver_notifications && (op.notify || config.notify_retract)) {
          tell(`retract:${ids.join(',')}`, subscribers())
        }
        return undefined
      }
      case 'purge': {
        owned(can.rule)
        persistent()
        node.items = []
        if (config.deliver_notifications && config.notify_retract) tell('purge', subscribers())
        return undefined
      }
      case 'items': {
        owned(can.get)
        const privileged = ['owner', 'publisher'].includes(aff(node, me)) // §6.5.1
        if (!privileged && config.access_model !== 'open') {
          if (config.access_model === 'whitelist' && aff(node, me) !== 'member')
            throw new Refused('closedNode')
          if (!subscribed) throw new Refused('readersSubscribe')
        }
        persistent()
        return this.#page(node, op)
      }
      case 'subscribe': {
        owned(can.sub)
        if (!config.subscribe) throw new Refused('unsupported')
        if (node.subscriptions.some(([jid, state]) => bare(jid) === me && state === 'pending')) {
          throw new Refused('pendingSubscription')
        }
        const listed = ['owner', 'publisher', 'member'].includes(aff(node, me))
        if (config.access_model === 'whitelist' && !listed) throw new Refused('closedNode')
        const existing = node.subscriptions.find(([jid]) => jid === op.jid)
        if (existing) return existing[1]
        const state = config.access_model === 'authorize' && !listed ? 'pending' : 'subscribed'
        node.subscriptions.push([op.jid, state])
        if (state === 'pending') tell(`approval:${op.jid}`, owners(node))
        else arrive(node, op.jid, tell)
        return state
      }
      case 'unsubscribe': {
        if (!node.subscriptions.some(([jid]) => jid === op.jid)) throw new Refused('notSubscribed')
        leave(node, op.jid, tell)
        return 'none'
      }
      case 'decide': {
        owned(can.rule)
        const entry = node.subscriptions.find(([jid]) => jid === op.jid)
        if (entry?.[1] !== 'pending') return entry?.[1] ?? 'none'
        if (op.allow) approve(node, op.jid, tell)
        else leave(node, op.jid, tell)
        return op.allow ? 'subscribed' : 'none'
      }
      case 'affiliate': {
        owned(can.rule)
        if (new Set(op.changes.map(one => bare(one.jid))).size < op.changes.length)
          throw new Refused('badRequest')
        return op.changes
          .filter(change => !this.#affiliate(node, me, change, tell))
          .map(({ jid }) => [jid, aff(node, bare(jid))])
      }
      case 'enlist': {
        owned(can.rule)
        if (new Set(op.changes.map(one => one.jid)).size < op.changes.length) throw new Refused('badRequest')
        return op.changes
          .filter(change => !enlist(node, change, tell))
          .map(({ jid }) => [jid, stateOf(node, jid)])
      }
    }
  }

  #room(config: ModelConfig): number {
    return config.max_items === 'max' ? this.mostItems : config.max_items
  }

  #publish(
    node: ModelNode,
    op: Op & { op: 'publish' },
    fresh: string,
    subscribers: string[],
    tell: (event: string, jids: string[]) => void
  ): unknown {
    const { config, items } = node
    const { item } = op
    // §4.3 table 4 and §7.1.3.7
    if (!item && config.persist_items) throw new Refused('itemRequired')
    if (item && !config.persist_items && !config.deliver_payloads) throw new Refused('itemForbidden')
    if (config.deliver_payloads && item?.text === undefined) throw new Refused('payloadRequired')
    const id = item ? (item.id ?? fresh) : undefined
    const events = config.deliver_notifications ? subscribers : []
    if (!config.persist_items || !item || id === undefined) {
      tell(`items:${id ?? ''}`, events)
      return id
    }
    const others = items.filter(one => one.id !== id)
    const excess = others.length + 1 - this.#room(config)
    if (excess > 0 && others.length === items.length) {
      if (config.publish_node_full === 'reject') throw new Refused('nodeFull')
      const dropped = others.splice(0, excess).map(one => one.id)
      if (config.publish_node_full === 'retract-oldest' && config.notify_retract) {
        tell(`retract:${dropped.join(',')}`, events)
      }
    }
    node.items = [...others, { id, by: bare(op.by), text: item.text }] // §12.1: the newest, even when overwritten
    tell(`items:${id}`, events)
    return id
  }

  #page(node: ModelNode, { maxItems, page }: Op & { op: 'items' }): unknown {
    const ids = node.items.map(one => one.id)
    const set = maxItems === undefined ? ids : ids.slice(Math.max(0, ids.length - maxItems))
    const count = set.length
    const limit = Math.min(page?.max ?? this.pageLimit, this.pageLimit, maxItems ?? Infinity)
    const ways = [page?.after, page?.before, page?.index].filter(way => way !== undefined)
    if (ways.length > 1) throw new Refused('badRequest')
    if (limit === 0 || count === 0) return { ids: [], count }
    let from: number
    let to: number
    const place = (id: string) => {
      if (!ids.includes(id)) throw new Refused('pageNotFound')
      return ids.indexOf(id) - (ids.length - set.length)
    }
    if (page?.after !== undefined) {
      from = Math.max(0, place(page.after) + 1)
      to = from + limit
    } else if (page && page.before === undefined) {
      from = page.index ?? 0
      to = from + limit
    } else {
      to = page?.before ? Math.max(0, place(page.before)) : count
      from = Math.max(0, to - limit)
    }
    const shown = set.slice(from, to)
    if (shown.length === 0) return { ids: [], count }
    return { ids: shown, count, first: shown[0], last: shown.at(-1), index: from }
  }

  /** Whether the change was possible. */
  #affiliate(
    node: ModelNode,
    me: string,
    { jid, affiliation }: { jid: string; affiliation?: Aff },
    tell: (event: string, jids: string[]) => void
  ): boolean {
    if (jid !== bare(jid)) return false
    const now = aff(node, jid)
    if (affiliation === undefined || affiliation === now) return true
    const resigns = jid === me && now === 'owner' && affiliation === 'none'
    if (resigns ? owners(node).length < 2 : jid === me || !CHART[now].includes(affiliation)) return false
    node.affiliations = node.affiliations.filter(([one]) => one !== jid)
    if (affiliation !== 'none') node.affiliations.push([jid, affiliation])
    for (const [one] of [...node.subscriptions]) if (bare(one) === jid) settle(node, one, tell)
    tell(`affiliation:${jid}=${affiliation}`, [jid])
    return true
  }
}

function tellTo(told: string[], event: string, jids: string[]): void {
  if (jids.length > 0) told.push(`${event} -> ${[...new Set(jids)].sort().join(' ')}`)
}

function aff(node: ModelNode, jid: string): Aff {
  return node.affiliations.find(([one]) => one === jid)?.[1] ?? 'none'
}

function owners(node: ModelNode): string[] {
  return node.affiliations.filter(([, affiliation]) => affiliation === 'owner').map(([jid]) => jid)
}

function stateOf(node: ModelNode, jid: string): Sub | 'none' {
  return node.subscriptions.find(([one]) => one === jid)?.[1] ?? 'none'
}

/** What follows when somebody is subscribed from now on. */
function arrive(node: ModelNode, jid: string, tell: (event: string, jids: string[]) => void): void {
  if (node.config.notify_sub) tell(`subscription:${jid}=subscribed`, owners(node))
  const last = node.items.at(-1)
  if (node.config.send_last_published_item === 'on_sub' && node.config.persist_items && last) {
    tell(`items:${last.id}`, [jid])
  }
}

function approve(node: ModelNode, jid: string, tell: (event: string, jids: string[]) => void): void {
  node.subscriptions = node.subscriptions.map(([one, state]) => [one, one === jid ? 'subscribed' : state])
  tell(`subscription:${jid}=subscribed`, [jid])
  arrive(node, jid, tell)
}

function leave(node: ModelNode, jid: string, tell: (event: string, jids: string[]) => void): void {
  const state = stateOf(node, jid)
  node.subscriptions = node.subscriptions.filter(([one]) => one !== jid)
  tell(`subscription:${jid}=none`, [jid])
  if (state === 'subscribed' && node.config.notify_sub) tell(`subscription:${jid}=none`, owners(node))
}

/** Rights or the access model have changed: who may not be subscribed is not, who need not wait does not. */
function settle(node: ModelNode, jid: string, tell: (event: string, jids: string[]) => void): void {
  const affiliation = aff(node, bare(jid))
  const listed = ['owner', 'publisher', 'member'].includes(affiliation)
  const { access_model } = node.config
  if (!TABLE[affiliation].sub || (access_model === 'whitelist' && !listed)) leave(node, jid, tell)
  else if (stateOf(node, jid) === 'pending' && (access_model === 'open' || listed)) approve(node, jid, tell)
}

function enlist(
  node: ModelNode,
  { jid, state }: { jid: string; state?: string },
  tell: (event: string, jids: string[]) => void
): boolean {
  const now = stateOf(node, jid)
  if (state === undefined || state === now) return true
  if (state === 'none') leave(node, jid, tell)
  else if (state !== 'subscribed') return false
  else if (now === 'pending') approve(node, jid, tell)
  else {
    if (!TABLE[aff(node, bare(jid))].sub) return false
    node.subscriptions.push([jid, 'subscribed'])
    tell(`subscription:${jid}=subscribed`, [jid])
    arrive(node, jid, tell)
  }
  return true
}
