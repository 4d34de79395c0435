import { childrenOf, formOf, JID, NS, nsOf, type Element } from '#core'
import type { ConfigChanges } from '../config'
import type { Definition } from '../definition'
import { PubsubError, unsupported } from '../errors'
import type { PageRequest } from '../page'
import { hasRole } from '../roles'
import type { Node } from '../store'
import { parseChoice, parseConfig, parseOptions } from './forms'
import { ORDER_BY, OWNER } from './namespaces'
import { parseOrder } from './order'
import { payloadOf } from './payload'
import type { Operation } from './request'
import { parsePage } from './rsm'

/** What reading a request needs to know of the service. */
type Service = Pick<
  Definition<Node>,
  'fields' | 'roles' | 'limits' | 'options' | 'multiSubscribe' | 'orderItems'
>

export interface ParseOptions {
  /** Namespaces of children of `<pubsub/>` that the caller reads itself; others are refused. */
  extensions?: readonly string[]
}

/** The parts of a request: the element that says what is asked, and what goes with it. */
interface Parts {
  service: Service
  action: Element
  /** `<configure/>`, `<options/>`, `<publish-options/>`. */
  companion: Element | undefined
  page: PageRequest | undefined
  /** XEP-0413 */
  orders: readonly Element[]
}

type Reader = (parts: Parts) => Operation

/**
 * Reads the `<pubsub/>` of an iq, strictly: one action, with what belongs to it and nothing else.
 * @throws PubsubError with the error of the clause that is broken
 */
export function parseRequest<N extends Node, X>(
  service: Definition<N, X>,
  type: 'get' | 'set',
  pubsub: Element,
  options: ParseOptions = {}
): Operation {
  const ns = nsOf(pubsub)
  const own: Element[] = []
  const extensions: Element[] = []
  const orders: Element[] = []
  let page: PageRequest | undefined
  for (const child of childrenOf(pubsub)) {
    const childNs = child.attrs.xmlns ?? ns
    if (childNs === ns) own.push(child)
    else if (childNs === NS.RSM && page === undefined) page = parsePage(child)
    else if (childNs === ORDER_BY && service.orderItems) orders.push(child)
    else if (options.extensions?.includes(childNs as string)) extensions.push(child)
    else throw bad(`<${child.name}/> does not belong here`)
  }
  const [action, companion, another] = own
  if (action === undefined) throw bad('the request is empty')
  const table = ns === OWNER ? OWNER_READERS : READERS
  const entry = Object.hasOwn(table, action.name) ? table[action.name] : undefined
  if (entry === undefined) throw bad(`<${action.name}/> is no request`)
  // §8.1.3: and in this order
  if (another || (companion && entry.companion !== companion.name))
    throw bad('there is more than one request')
  if (page && !entry.paged) throw bad('this request has no pages')
  if (orders.length > 0 && !entry.ordered) throw bad('this request has no order')
  const read = entry[type]
  if (read === undefined) throw bad(`<${action.name}/> is not asked for by an iq of type ${type}`)
  const operation = read({ service, action, companion, page, orders })
  return extensions.length > 0 ? { ...operation, extensions } : operation
}

interface Entry {
  get?: Reader
  set?: Reader
  companion?: string
  paged?: boolean
  ordered?: boolean
}

const READERS: Readonly<Record<string, Entry>> = {
  create: { set: create, companion: 'configure' },
  publish: { set: publish, companion: 'publish-options' },
  retract: { set: retract },
  subscribe: { set: subscribe, companion: 'options' },
  unsubscribe: { set: unsubscribe },
  items: { get: items, paged: true, ordered: true },
  subscriptions: { get: ownSubscriptions, paged: true },
  affiliations: { get: ownAffiliations, paged: true },
  options: { get: options, set: setOptions },
  default: { get: defaultOptions }
}

const OWNER_READERS: Readonly<Record<string, Entry>> = {
  configure: { get: configuration, set: configure },
  default: { get: defaultConfiguration },
  delete: { set: remove },
  purge: { set: purge },
  subscriptions: { get: subscriptions, set: changeSubscriptions, paged: true },
  affiliations: { get: affiliations, set: changeAffiliations, paged: true }
}

/** §8.1 */
function create({ service, action, companion }: Parts): Operation {
  const node = attr(action, 'node')
  // §8.1.3
  if (companion && attr(companion, 'node') !== undefined) throw bad('<configure/> has no node here')
  const x = companion && formOf(companion)
  const config = x && x.attrs.type !== 'cancel' ? parseConfig(service.fields, x) : undefined
  return {
    write: true,
    name: 'create',
    request: { ...(node !== undefined && { node }), ...(config && { config }) }
  }
}

/** §7.1 */
function publish({ service, action, companion }: Parts): Operation {
  const node = nodeOf(action)
  const [item, another] = only(action, 'item')
  if (another) throw new PubsubError('maxItemsExceeded', { text: 'items are published one by one' }) // §7.1.1
  const id: string | undefined = item?.attrs.id
  const payload = item && payloadOf(item)
  const options = companion && preconditions(service, companion)
  return {
    write: true,
    name: 'publish',
    request: {
      node,
      ...(item && { item: { ...(id !== undefined && { id }), ...(payload && { payload }) } }),
      ...(options && { options })
    }
  }
}

function preconditions(service: Service, companion: Element): ConfigChanges {
  const x = formOf(companion)
  if (x === undefined) throw bad('<publish-options/> has no form') // §7.1.5
  return parseOptions(service.fields, x)
}

/** §7.2 */
function retract({ action }: Parts): Operation {
  const node = nodeOf(action)
  const ids = only(action, 'item').map(item => attr(item, 'id'))
  if (ids.length === 0 || ids.includes(undefined)) throw new PubsubError('itemRequired') // §7.2.3.4
  const notify = truth(attr(action, 'notify'))
  return { write: true, name: 'retract', request: { node, ids: ids as string[], notify } }
}

/** §6.1 */
function subscribe({ service, action, companion }: Parts): Operation {
  const request = { node: nodeOf(action), jid: jidOf(action) }
  if (companion === undefined) return { write: true, name: 'subscribe', request }
  if (service.options === undefined) throw unsupported('subscription-options') // §6.3.4.6
  // §6.3.7
  if (attr(companion, 'node') !== undefined || attr(companion, 'jid') !== undefined) {
    throw bad('<options/> has neither node nor jid here')
  }
  const choice = choiceOf(service, companion)
  return { write: true, name: 'subscribe', request: { ...request, ...(choice && { options: choice }) } }
}

/** §6.2 */
function unsubscribe({ service, action }: Parts): Operation {
  const request = { node: nodeOf(action), jid: jidOf(action), ...subIdOf(service, action) }
  return { write: true, name: 'unsubscribe', request }
}

/** Where there are no SubIDs, one that is given is ignored (§6.2.3.5). */
function subIdOf({ multiSubscribe }: Service, element: Element): { subId?: string } {
  const subId = attr(element, 'subid')
  return multiSubscribe && subId !== undefined ? { subId } : {}
}

/** §6.5 */
function items({ service, action, page, orders }: Parts): Operation {
  const node = nodeOf(action)
  const max = attr(action, 'max_items')
  if (max !== undefined && !/^\d{1,15}$/.test(max)) throw bad('max_items is a whole number from 0 on')
  const ids = only(action, 'item').map(item => attr(item, 'id'))
  if (ids.includes(undefined)) throw bad('an item is asked for by its id')
  return {
    write: false,
    name: 'items',
    request: {
      node,
      ...(ids.length > 0 && { ids: ids as string[] }),
      ...(max !== undefined && { maxItems: Number(max) }),
      ...(page && { page }),
      ...parseOrder(orders),
      ...subIdOf(service, action)
    }
  }
}

/** §5.6 */
function ownSubscriptions({ action, page }: Parts): Operation {
  return { write: false, name: 'subscriptionsOf', request: list(action, page) }
}

/** §5.7 */
function ownAffiliations({ action, page }: Parts): Operation {
  return { write: false, name: 'affiliationsOf', request: list(action, page) }
}

function list(action: Element, page: PageRequest | undefined): { node?: string; page?: PageRequest } {
  const node = attr(action, 'node')
  return { ...(node !== undefined && { node }), ...(page && { page }) }
}

/** §6.3.2 */
function options({ service, action }: Parts): Operation {
  return { write: false, name: 'options', request: optionsRequest(service, action) }
}

/** §6.3.5 */
function setOptions({ service, action }: Parts): Operation {
  const request = optionsRequest(service, action)
  const choice = choiceOf(service, action)
  // a cancelled form changes nothing, but what is wrong with the request is wrong with it
  return { write: true, name: 'setOptions', request: { ...request, ...(choice && { options: choice }) } }
}

function optionsRequest(service: Service, action: Element): { node: string; jid: string; subId?: string } {
  if (service.options === undefined) throw unsupported('subscription-options') // §6.3.4.6
  const node = nodeOf(action)
  if (attr(action, 'jid') === undefined) throw new PubsubError('jidRequired') // §6.3.4.3
  return { node, jid: jidOf(action), ...subIdOf(service, action) }
}

/** What was chosen; `undefined` where the form was cancelled. */
function choiceOf(service: Service, element: Element): ConfigChanges | undefined {
  const x = formOf(element)
  if (x === undefined) throw bad('<options/> has no form')
  if (service.options === undefined || x.attrs.type === 'cancel') return undefined
  return parseChoice(service.options, x)
}

/** §6.4 */
function defaultOptions({ service, action }: Parts): Operation {
  if (service.options === undefined) throw unsupported('retrieve-default-sub') // §6.4.3.2
  const node = attr(action, 'node')
  return { write: false, name: 'defaultOptions', request: node === undefined ? {} : { node } }
}

/** §8.2.1 */
function configuration({ action }: Parts): Operation {
  return { write: false, name: 'configuration', request: { node: nodeOf(action) } }
}

/** §8.2.4 */
function configure({ service, action }: Parts): Operation {
  const node = nodeOf(action)
  const x = formOf(action)
  if (x === undefined) throw bad('<configure/> has no form')
  // a cancelled form changes nothing (example 147)
  const config = x.attrs.type === 'cancel' ? {} : parseConfig(service.fields, x)
  return { write: true, name: 'configure', request: { node, config } }
}

/** §8.3 */
function defaultConfiguration({ action }: Parts): Operation {
  const type = attr(action, 'type')
  if (type !== undefined && type !== 'leaf') throw unsupported('collections') // §8.3.2
  return { write: false, name: 'defaultConfiguration', request: {} }
}

/** §8.4 */
function remove({ action }: Parts): Operation {
  const node = nodeOf(action)
  const [element] = only(action, 'redirect')
  if (element === undefined) return { write: true, name: 'delete', request: { node } }
  const redirect = attr(element, 'uri')
  if (redirect === undefined) throw bad('<redirect/> has no uri')
  return { write: true, name: 'delete', request: { node, redirect } }
}

/** §8.5 */
function purge({ action }: Parts): Operation {
  return { write: true, name: 'purge', request: { node: nodeOf(action) } }
}

/** §8.8.1 */
function subscriptions({ action, page }: Parts): Operation {
  return { write: false, name: 'subscriptionsTo', request: { node: nodeOf(action), ...(page && { page }) } }
}

/** §8.9.1 */
function affiliations({ action, page }: Parts): Operation {
  return { write: false, name: 'affiliations', request: { node: nodeOf(action), ...(page && { page }) } }
}

const STATES: readonly string[] = ['none', 'pending', 'unconfigured', 'subscribed']

/** §8.8.2 */
function changeSubscriptions({ service, action, page }: Parts): Operation {
  const node = nodeOf(action)
  if (page) throw bad('a change has no pages')
  const changes = only(action, 'subscription').map(element => {
    const state = attr(element, 'subscription')
    if (state !== undefined && !STATES.includes(state)) throw bad('there is no such subscription state')
    return { jid: entryJid(element), ...subIdOf(service, element), ...(state !== undefined && { state }) }
  })
  return { write: true, name: 'changeSubscriptions', request: { node, changes } }
}

/** §17.4: names that mean something also where the service does not have them. */
const AFFILIATIONS: readonly string[] = ['owner', 'publisher', 'publish-only', 'member', 'none', 'outcast']

/** §8.9.2 */
function changeAffiliations({ service, action, page }: Parts): Operation {
  const node = nodeOf(action)
  if (page) throw bad('a change has no pages')
  const changes = only(action, 'affiliation').map(element => {
    const affiliation = attr(element, 'affiliation')
    const known = affiliation === undefined || AFFILIATIONS.includes(affiliation)
    if (!known && !hasRole(service.roles, affiliation)) throw bad('there is no such affiliation')
    return { jid: entryJid(element), ...(affiliation !== undefined && { affiliation }) }
  })
  return { write: true, name: 'changeAffiliations', request: { node, changes } }
}

/** §7.2.3.3, §8.2.3.3 */
function nodeOf(action: Element): string {
  const node = attr(action, 'node')
  if (node === undefined || node === '') throw new PubsubError('nodeIdRequired')
  return node
}

/** §6.1.3.1 */
function jidOf(element: Element): string {
  const jid = JID.tryParse(attr(element, 'jid'))
  if (jid === undefined) throw new PubsubError('invalidJid')
  return jid.full
}

/** §8.8.2.4, §8.9.2.4: what is no address is for the engine to reject, as one entry of several. */
function entryJid(element: Element): string {
  const jid = attr(element, 'jid')
  if (jid === undefined) throw new PubsubError('invalidJid')
  return JID.tryParse(jid)?.full ?? jid
}

/** ltx says `any`. */
function attr(element: Element, name: string): string | undefined {
  return element.attrs[name]
}

/** The children, which all have that name. */
function only(action: Element, name: string): Element[] {
  const children = childrenOf(action)
  const stranger = children.find(child => child.name !== name || child.attrs.xmlns !== undefined)
  if (stranger) throw bad(`<${stranger.name}/> does not belong into <${action.name}/>`)
  return children
}

function truth(value: string | undefined): boolean {
  if (value === undefined || value === '0' || value === 'false') return false
  if (value === '1' || value === 'true') return true
  throw bad('notify is 0, 1, true or false')
}

function bad(text: string): PubsubError {
  return new PubsubError('badRequest', { text })
}
