import type { ErrorName } from '../../../modules/lib_pubsub'

/*
 * XEP-0060 in the simplest words: arrays, no store, no roles table. What the engine does is compared with it.
 * Written from the text of the XEP; shares nothing with the engine but the names of the errors.
 */

export type Aff = 'owner' | 'publisher' | 'publish-only' | 'member' | 'none' | 'outcast'
export type Sub = 'subscribed' | 'pending' | 'unconfigured'

export interface ModelConfig {
  access_model: 'open' | 'presence' | 'roster' | 'authorize' | 'whitelist'
  roster_groups_allowed: readonly string[]
  presence_based_delivery: boolean
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
  send_last_published_item: 'never' | 'on_sub' | 'on_sub_and_presence'
  subscribe: boolean
  type: string
  tempsub: boolean
  /** Seconds. */
  item_expire: number | 'max'
}

/** What somebody has chosen: §16.4.2. */
export interface ModelChoice {
  deliver: boolean
  include_body: boolean
  expire: number | 'presence' | 'never'
}

/** What a roster says of somebody. */
export interface ModelContact {
  subscription: 'none' | 'to' | 'from' | 'both'
  groups: string[]
}

export interface ModelSubscription {
  /** Which one of all that there ever were, from 1. */
  n: number
  jid: string
  state: Sub
  choice: ModelChoice
  /** Somebody has been told that it will end. */
  reminded: boolean
  /** When it was made. */
  since: number
}

export interface ModelNode {
  config: ModelConfig
  affiliations: [string, Aff][]
  subscriptions: ModelSubscription[]
  items: { id: string; by: string; text: string | undefined; born: number; at: number }[]
}

/** How the service is made up. */
export interface ModelService {
  /** §6.1.6 */
  several: boolean
  /** Subscriptions of one address to a node. */
  perAddress: number
  /** §12.19; milliseconds */
  longestLease: number
  reminder: number
  leaseRequired: boolean
  patience: number
  /** Who is there (§12.5). */
  present(jid: string): boolean
  /** Who can be told (§12.6). */
  awake(jid: string): boolean
  /** Whose roster can be reached (§4.5). */
  reachable(jid: string): boolean
  now(): number
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
  | {
      op: 'items'
      maxItems?: number
      page?: PageOp
      order?: { by: 'creation' | 'modification'; descending: boolean }
      which?: Which
    }
  | { op: 'subscribe'; jid: string; choice?: Partial<ModelChoice> }
  | { op: 'unsubscribe'; jid: string; which?: Which }
  | { op: 'options'; jid: string; which?: Which }
  | { op: 'choose'; jid: string; which?: Which; choice: Partial<ModelChoice> }
  | { op: 'decide'; jid: string; allow: boolean }
  | { op: 'affiliate'; changes: { jid: string; affiliation?: Aff }[] }
  | { op: 'enlist'; changes: { jid: string; state?: string; which?: Which }[] }
  /** Somebody is no longer there. */
  | { op: 'depart'; jid: string }
  /** Somebody has become available (§6.1.7). */
  | { op: 'arrive' }
  /** Somebody has changed their roster, and the service may have heard of it, or not yet. */
  | { op: 'sort'; contact: string; entry: ModelContact; heard: boolean }
  /** Time goes by, and what is due is looked at. */
  | { op: 'wait'; ms: number }
)

/** Which of an address's subscriptions: the first, the second, … of those it has; or one that nobody has. */
export type Which = number | 'nonsense'

export interface Answer {
  error?: ErrorName
  value?: unknown
  /** `event -> jid`, a line for each message */
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

const BY_ROSTER = ['presence', 'roster']

type Tell = (event: string, jids: string[]) => void

const UNSAID: ModelChoice = { deliver: true, include_body: false, expire: 'never' }

const bare = (jid: string) => jid.split('/', 1)[0] ?? jid

export class Model {
  nodes = new Map<string, ModelNode>()
  redirects = new Map<string, string>()
  /** By owner and contact. */
  rosters = new Map<string, Map<string, ModelContact>>()

  #count = 0
  #births = 0

  constructor(
    readonly defaults: ModelConfig,
    readonly pageLimit: number,
    readonly mostItems: number,
    readonly service: ModelService
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
    if (op.op === 'wait') {
      for (const node of this.nodes.values()) this.#pass(node, tell)
      return undefined
    }
    if (op.op === 'sort') {
      const roster = this.rosters.get(me) ?? new Map<string, ModelContact>()
      this.rosters.set(me, roster.set(op.contact, op.entry))
      if (op.heard) {
        for (const node of this.nodes.values()) {
          if (!owners(node).includes(me) || !BY_ROSTER.includes(node.config.access_model)) continue
          for (const one of [...node.subscriptions])
            if (bare(one.jid) === op.contact) this.#settle(node, one, tell)
        }
      }
      return undefined
    }
    if (op.op === 'create') {
      const config = { ...this.defaults, ...op.config }
      if (BY_ROSTER.includes(config.access_model) && !this.service.reachable(me))
        throw new Refused('unsupportedAccessModel')
      if (this.nodes.has(op.node)) throw new Refused('nodeExists')
      this.nodes.set(op.node, { config, affiliations: [[me, 'owner']], subscriptions: [], items: [] })
      this.redirects.delete(op.node)
      return undefined
    }
    if (op.op === 'subscribe' && bare(op.jid) !== me) throw new Refused('invalidJid')
    const own = op.op === 'unsubscribe' || op.op === 'options' || op.op === 'choose'
    if (own && bare(op.jid) !== me) throw new Refused('forbidden')
    const node = this.nodes.get(op.node)
    if (!node) throw new Refused(this.redirects.has(op.node) ? 'nodeMoved' : 'nodeNotFound')
    const { config } = node
    const can = TABLE[aff(node, me)]
    const subscribed = node.subscriptions.some(one => one.state === 'subscribed' && bare(one.jid) === me)
    const announce = (event: string, more?: 'body' | 'subids') => this.#announce(node, event, tell, more)
    const mayPublish =
      can.pub ||
      (aff(node, me) !== 'outcast' &&
        (config.publish_model === 'open' ||
          (config.publish_model === 'subscribers' && subscribed && this.#access(node, me))))
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
            node.subscriptions.map(one => one.jid)
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
        const moved = config.access_model !== next.access_model
        if (moved && BY_ROSTER.includes(next.access_model) && !owners(node).some(this.service.reachable))
          throw new Refused('unsupportedAccessModel')
        const before = node.config
        node.config = next
        if (!next.persist_items) node.items = []
        node.items = node.items.slice(Math.max(0, node.items.length - this.#room(next)))
        const groups = `${before.roster_groups_allowed}` !== `${next.roster_groups_allowed}`
        if (before.access_model !== next.access_model || groups) {
          for (const one of [...node.subscriptions]) this.#settle(node, one, tell)
        }
        if (next.notify_config) announce(`configuration:${next.deliver_payloads ? 'payload' : ''}`)
        return undefined
      }
      case 'publish': {
        owned(mayPublish)
        return this.#publish(node, op, fresh, announce)
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
          announce(`retract:${ids.join(',')}`, 'subids')
        }
        return undefined
      }
      case 'purge': {
        owned(can.rule)
        persistent()
        node.items = []
        if (config.deliver_notifications && config.notify_retract) announce('purge')
        return undefined
      }
      case 'items': {
        owned(can.get)
        const privileged = ['owner', 'publisher'].includes(aff(node, me)) // §6.5.1
        if (!privileged && config.access_model !== 'open') {
          if (config.access_model === 'whitelist' && aff(node, me) !== 'member')
            throw new Refused('closedNode')
          const admitted = BY_ROSTER.includes(config.access_model) && this.#inRoster(node, me)
          if (!this.#access(node, me)) throw new Refused(refusal(config))
          if (!subscribed && !admitted) throw new Refused('readersSubscribe')
        }
        this.#checkWhich(node, op)
        persistent()
        return this.#page(node, op)
      }
      case 'subscribe': {
        owned(can.sub)
        if (!config.subscribe) throw new Refused('unsupported')
        if (node.subscriptions.some(one => bare(one.jid) === me && one.state === 'pending')) {
          throw new Refused('pendingSubscription')
        }
        const listed = ['owner', 'publisher', 'member'].includes(aff(node, me))
        if (config.access_model === 'whitelist' && !listed) throw new Refused('closedNode')
        if (!this.#access(node, me)) throw new Refused(refusal(config))
        const mine = node.subscriptions.filter(one => one.jid === op.jid)
        const [existing] = mine
        if (existing && !this.service.several) {
          if (op.choice) this.#choose(node, existing, op.choice, tell)
          return this.#name(existing)
        }
        if (mine.length >= this.service.perAddress) throw new Refused('tooManySubscriptions')
        const choice = this.#agree(node, op.jid, undefined, op.choice)
        const pending = config.access_model === 'authorize' && !listed
        const one = this.#enter(
          node,
          op.jid,
          pending ? 'pending' : choice ? 'subscribed' : 'unconfigured',
          choice
        )
        if (pending) tell(`approval:${op.jid}${this.#mark(one)}`, owners(node))
        else if (choice) this.#arrive(node, one, tell)
        return this.#name(one)
      }
      case 'unsubscribe': {
        const one = this.#pick(node, op, 'notSubscribed')
        this.#leave(node, one, tell)
        return `none${this.#mark(one)}`
      }
      case 'options':
        return this.#pick(node, op, 'optionsNotSubscribed').choice
      case 'choose': {
        const one = this.#pick(node, op, 'optionsNotSubscribed')
        this.#choose(node, one, op.choice, tell)
        return this.#name(one)
      }
      case 'arrive': {
        const { send_last_published_item, deliver_notifications, persist_items } = config
        const mine = node.subscriptions.filter(
          one => one.state === 'subscribed' && one.choice.deliver && [op.by, me].includes(one.jid)
        )
        const last = node.items.at(-1)
        if (send_last_published_item !== 'on_sub_and_presence' || !deliver_notifications || !persist_items)
          return undefined
        if (mine.length === 0 || !last || !this.#access(node, me)) return undefined
        const ids = this.service.several ? `#${mine.map(one => one.n).join(',')}` : ''
        const body = mine.some(one => one.choice.include_body) ? '+body' : ''
        tell(`items:${last.id}${ids}${body}`, [op.by])
        return undefined
      }
      case 'depart': {
        for (const one of [...node.subscriptions]) {
          if (one.jid === op.jid && one.choice.expire === 'presence') this.#leave(node, one, tell)
        }
        return undefined
      }
      case 'decide': {
        owned(can.rule)
        const mine = node.subscriptions.filter(one => one.jid === op.jid)
        const entry = mine.find(one => one.state === 'pending')
        if (!entry) return (!this.service.several && mine[0]?.state) || 'none'
        if (op.allow) this.#approve(node, entry, tell)
        else this.#leave(node, entry, tell)
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
        const named = op.changes.map(one => `${one.jid} ${this.#subId(node, one) ?? ''}`)
        if (new Set(named).size < named.length) throw new Refused('badRequest')
        const at = op.changes.map(one => this.#subId(node, one))
        return op.changes.flatMap((change, i) => this.#enlist(node, change, at[i], tell))
      }
    }
  }

  /** §4.5: whether the roster of one of the owners admits somebody. */
  #inRoster(node: ModelNode, who: string): boolean {
    const { access_model, roster_groups_allowed: allowed } = node.config
    return owners(node)
      .filter(this.service.reachable)
      .some(owner => {
        const contact = this.rosters.get(owner)?.get(who)
        if (!contact) return false
        if (access_model === 'presence') return ['from', 'both'].includes(contact.subscription)
        return contact.groups.some(group => allowed.includes(group))
      })
  }

  /** Whether somebody's access depends on no roster, or is given by it. */
  #access(node: ModelNode, who: string): boolean {
    if (!BY_ROSTER.includes(node.config.access_model)) return true
    if (['owner', 'publisher', 'member'].includes(aff(node, who))) return true
    return this.#inRoster(node, who)
  }

  /** §12.6 */
  #awake(node: ModelNode, jid: string): boolean {
    return !node.config.presence_based_delivery || this.service.awake(jid)
  }

  /** `#2`: which subscription, where there are SubIDs. */
  #mark(one: ModelSubscription): string {
    return this.service.several ? `#${one.n}` : ''
  }

  #name(one: ModelSubscription): string {
    return one.state + this.#mark(one)
  }

  /** Which number a request names. */
  #subId(node: ModelNode, { jid, which }: { jid: string; which?: Which }): number | 'nonsense' | undefined {
    if (!this.service.several || which === undefined) return undefined
    if (which === 'nonsense') return which
    return node.subscriptions.filter(one => one.jid === jid)[which]?.n ?? 'nonsense'
  }

  /** §6.2.3, §6.3.4 */
  #pick(node: ModelNode, op: { jid: string; which?: Which }, missing: ErrorName): ModelSubscription {
    const mine = node.subscriptions.filter(one => one.jid === op.jid)
    const [first] = mine
    if (!first) throw new Refused(missing)
    const subId = this.#subId(node, op)
    if (subId === undefined) {
      if (mine.length > 1) throw new Refused('subIdRequired')
      return first
    }
    const found = mine.find(one => one.n === subId)
    if (!found) throw new Refused('invalidSubId')
    return found
  }

  /** §6.5.9.1, §6.5.9.2 */
  #checkWhich(node: ModelNode, op: { by: string; which?: Which }): void {
    if (!this.service.several) return
    const me = bare(op.by)
    const own = node.subscriptions.filter(one => bare(one.jid) === me)
    const subId = this.#subId(node, { jid: me, ...(op.which !== undefined && { which: op.which }) })
    if (subId !== undefined) {
      if (own.length > 0 && !own.some(one => one.n === subId)) throw new Refused('invalidSubId')
      return
    }
    for (const address of [op.by, me]) {
      if (own.filter(one => one.jid === address).length > 1) throw new Refused('subIdRequired')
    }
  }

  /** §6.3, §12.5, §12.19; `undefined` where a choice is required and nothing was said (§6.1.5). */
  #agree(
    node: ModelNode,
    jid: string,
    current: ModelChoice | undefined,
    changes: Partial<ModelChoice> | undefined
  ): ModelChoice | undefined {
    const { present, now, longestLease, leaseRequired } = this.service
    const choice: ModelChoice = { ...UNSAID, ...current, ...changes }
    if (node.config.tempsub) choice.expire = 'presence'
    if (choice.expire === 'presence' && !present(jid)) throw new Refused('presenceSubscriptionRequired')
    if (typeof choice.expire === 'number') {
      if (choice.expire <= now()) throw new Refused('invalidOptions')
      choice.expire = Math.min(choice.expire, now() + longestLease)
    }
    if (choice.expire === 'never' && leaseRequired) {
      if (!changes) return undefined
      throw new Refused('invalidOptions')
    }
    if (node.config.type === '') choice.include_body = false
    return choice
  }

  #choose(node: ModelNode, one: ModelSubscription, changes: Partial<ModelChoice>, tell: Tell): void {
    one.choice = this.#agree(node, one.jid, one.choice, changes) ?? UNSAID
    this.#lease(one)
    if (one.state !== 'unconfigured') return
    one.state = 'subscribed'
    this.#arrive(node, one, tell)
  }

  /** Only who has a long lease is told before its end. */
  #lease(one: ModelSubscription): void {
    const { now, reminder } = this.service
    const { expire } = one.choice
    one.reminded = typeof expire !== 'number' || expire - now() <= 2 * reminder
  }

  #enter(node: ModelNode, jid: string, state: Sub, choice: ModelChoice = UNSAID): ModelSubscription {
    const one = { n: ++this.#count, jid, state, choice, reminded: true, since: this.service.now() }
    this.#lease(one)
    node.subscriptions.push(one)
    return one
  }

  /** What time brings: leases, waiting for options, items. */
  #pass(node: ModelNode, tell: Tell): void {
    const { now, reminder, patience } = this.service
    for (const one of [...node.subscriptions]) {
      const { expire } = one.choice
      const impatient = one.state === 'unconfigured' && one.since + patience <= now()
      if (impatient || (typeof expire === 'number' && expire <= now())) this.#leave(node, one, tell)
      else if (typeof expire === 'number' && !one.reminded && expire - reminder <= now()) {
        one.reminded = true
        tell(`subscription:${one.jid}=${one.state}${this.#mark(one)}!`, [one.jid])
      }
    }
    const { item_expire, deliver_notifications, notify_retract } = node.config
    if (item_expire === 'max') return
    const over = node.items.filter(item => item.at + item_expire * 1000 <= now()).map(item => item.id)
    node.items = node.items.filter(item => !over.includes(item.id))
    if (over.length > 0 && deliver_notifications && notify_retract)
      this.#announce(node, `retract:${over.join(',')}`, tell, 'subids')
  }

  /** An event to all who want it, once to each address (§6.1.6), with what they have chosen. */
  #announce(node: ModelNode, event: string, tell: Tell, more?: 'body' | 'subids'): void {
    const active = node.subscriptions.filter(one => one.state === 'subscribed')
    for (const jid of new Set(active.map(one => one.jid))) {
      if (!this.#awake(node, jid) || !this.#access(node, bare(jid))) continue
      const mine = active.filter(one => one.jid === jid)
      const wanted = mine.filter(one => one.choice.deliver)
      if (wanted.length === 0) continue
      const ids =
        more && this.service.several && mine.length > 1 ? `#${wanted.map(one => one.n).join(',')}` : ''
      const body = more === 'body' && wanted.some(one => one.choice.include_body) ? '+body' : ''
      tell(event + ids + body, [jid])
    }
  }

  /** What follows when somebody is subscribed from now on. */
  #arrive(node: ModelNode, one: ModelSubscription, tell: Tell): void {
    if (node.config.notify_sub) tell(`subscription:${one.jid}=subscribed${this.#mark(one)}`, owners(node))
    const last = node.items.at(-1)
    if (node.config.send_last_published_item === 'never' || !node.config.persist_items || !last) return
    if (!one.choice.deliver || !this.#awake(node, one.jid)) return
    tell(`items:${last.id}${this.#mark(one)}${one.choice.include_body ? '+body' : ''}`, [one.jid])
  }

  #approve(node: ModelNode, one: ModelSubscription, tell: Tell): void {
    one.state = 'subscribed'
    const { leaseRequired, now, longestLease } = this.service
    if (leaseRequired && one.choice.expire === 'never') {
      one.choice = { ...one.choice, expire: now() + longestLease }
      this.#lease(one)
    }
    tell(`subscription:${one.jid}=subscribed${this.#mark(one)}`, [one.jid])
    this.#arrive(node, one, tell)
  }

  #leave(node: ModelNode, one: ModelSubscription, tell: Tell): void {
    node.subscriptions = node.subscriptions.filter(other => other.n !== one.n)
    const event = `subscription:${one.jid}=none${this.#mark(one)}`
    tell(event, [one.jid])
    if (one.state === 'subscribed' && node.config.notify_sub) tell(event, owners(node))
  }

  /** Rights or the access model have changed: who may not be subscribed is not, who need not wait does not. */
  #settle(node: ModelNode, one: ModelSubscription, tell: Tell): void {
    const affiliation = aff(node, bare(one.jid))
    const listed = ['owner', 'publisher', 'member'].includes(affiliation)
    const { access_model } = node.config
    const shut = (access_model === 'whitelist' && !listed) || !this.#access(node, bare(one.jid))
    if (!TABLE[affiliation].sub || shut) this.#leave(node, one, tell)
    else if (one.state === 'pending' && (access_model !== 'authorize' || listed))
      this.#approve(node, one, tell)
  }

  /** What was impossible, as it is. */
  #enlist(
    node: ModelNode,
    { jid, state }: { jid: string; state?: string },
    subId: number | 'nonsense' | undefined,
    tell: Tell
  ): [string, string][] {
    const mine = node.subscriptions.filter(one => one.jid === jid)
    if (subId === undefined && mine.length > 1) return mine.map(one => [jid, this.#name(one)])
    const one = subId === undefined ? mine[0] : mine.find(other => other.n === subId)
    const now = one?.state ?? 'none'
    if (state === undefined || state === now) return []
    if (state === 'none' && one) this.#leave(node, one, tell)
    else if (state === 'subscribed' && one) this.#approve(node, one, tell)
    else if (
      state === 'subscribed' &&
      subId === undefined &&
      TABLE[aff(node, bare(jid))].sub &&
      this.#access(node, bare(jid))
    ) {
      const { leaseRequired, now: clock, longestLease } = this.service
      const lease = leaseRequired ? { expire: clock() + longestLease } : undefined
      let choice: ModelChoice | undefined
      try {
        choice = this.#agree(node, jid, undefined, lease)
      } catch (error) {
        if (error instanceof Refused) return [[jid, now]]
        throw error
      }
      const added = this.#enter(node, jid, 'subscribed', choice)
      tell(`subscription:${jid}=subscribed${this.#mark(added)}`, [jid])
      this.#arrive(node, added, tell)
    } else return [[jid, one ? this.#name(one) : now]]
    return []
  }

  #room(config: ModelConfig): number {
    return config.max_items === 'max' ? this.mostItems : config.max_items
  }

  #publish(
    node: ModelNode,
    op: Op & { op: 'publish' },
    fresh: string,
    announce: (event: string, more?: 'body' | 'subids') => void
  ): unknown {
    const { config, items } = node
    const { item } = op
    // §4.3 table 4 and §7.1.3.7
    if (!item && config.persist_items) throw new Refused('itemRequired')
    if (item && !config.persist_items && !config.deliver_payloads) throw new Refused('itemForbidden')
    if (config.deliver_payloads && item?.text === undefined) throw new Refused('payloadRequired')
    const id = item ? (item.id ?? fresh) : undefined
    const events: typeof announce = (event, more) => config.deliver_notifications && announce(event, more)
    if (!config.persist_items || !item || id === undefined) {
      events(`items:${id ?? ''}`, 'body')
      return id
    }
    const others = items.filter(one => one.id !== id)
    const excess = others.length + 1 - this.#room(config)
    if (excess > 0 && others.length === items.length) {
      if (config.publish_node_full === 'reject') throw new Refused('nodeFull')
      const dropped = others.splice(0, excess).map(one => one.id)
      if (config.publish_node_full === 'retract-oldest' && config.notify_retract) {
        events(`retract:${dropped.join(',')}`, 'subids')
      }
    }
    const born = items.find(one => one.id === id)?.born ?? ++this.#births
    const kept = { id, by: bare(op.by), text: item.text, born, at: this.service.now() }
    node.items = [...others, kept] // §12.1: the newest, even when overwritten
    events(`items:${id}`, 'body')
    return id
  }

  #page(node: ModelNode, { maxItems, page, order }: Op & { op: 'items' }): unknown {
    // XEP-0413
    const items = order?.by === 'creation' ? [...node.items].sort((a, b) => a.born - b.born) : node.items
    const ids = items.map(one => one.id)
    const newest = maxItems === undefined ? ids : ids.slice(Math.max(0, ids.length - maxItems))
    const down = order?.descending === true
    const set = down ? [...newest].reverse() : newest
    const count = set.length
    const limit = Math.min(page?.max ?? this.pageLimit, this.pageLimit, maxItems ?? Infinity)
    const ways = [page?.after, page?.before, page?.index].filter(way => way !== undefined)
    if (ways.length > 1) throw new Refused('badRequest')
    if (limit === 0 || count === 0) return { ids: [], count }
    let from: number
    let to: number
    const place = (id: string) => {
      if (!ids.includes(id)) throw new Refused('pageNotFound')
      // one that is older than the set is before all of it, or behind
      if (down) return set.includes(id) ? set.indexOf(id) : set.length
      return ids.indexOf(id) - (ids.length - set.length)
    }
    if (page?.after !== undefined) {
      from = Math.max(0, place(page.after) + 1)
      to = from + limit
    } else if (page && page.before === undefined) {
      from = page.index ?? 0
      to = from + limit
    } else if (page === undefined && down) {
      from = 0
      to = limit
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
    for (const one of [...node.subscriptions]) if (bare(one.jid) === jid) this.#settle(node, one, tell)
    tell(`affiliation:${jid}=${affiliation}`, [jid])
    return true
  }
}

function tellTo(told: string[], event: string, jids: string[]): void {
  for (const jid of new Set(jids)) told.push(`${event} -> ${jid}`)
}

function aff(node: ModelNode, jid: string): Aff {
  return node.affiliations.find(([one]) => one === jid)?.[1] ?? 'none'
}

function owners(node: ModelNode): string[] {
  return node.affiliations.filter(([, affiliation]) => affiliation === 'owner').map(([jid]) => jid)
}

/** §6.1.3 */
function refusal({ access_model }: ModelConfig): ErrorName {
  return access_model === 'roster' ? 'notInRosterGroup' : 'presenceSubscriptionRequired'
}
