import { el, type Element, type StanzaError } from '#core'
import { PubsubError } from '../errors'
import type { ItemsPage } from '../items'
import type { Outcome } from '../events'
import type { Page } from '../page'
import type { PubsubService } from '../service'
import { DEFAULT_OPTIONS } from '../options'
import type { Actor, Item, Node, ReadStore, Store, SubscriptionOptions } from '../store'
import { subIdOf } from '../subids'
import type { SubscribeResult } from '../subscribe'
import { toStanzaError } from './errors'
import { choiceForm, configForm } from './forms'
import { OWNER, PUBSUB } from './namespaces'
import { payloadElement } from './payload'
import type { ReadOperation, WriteOperation } from './request'
import { pageElement } from './rsm'

/**
 * The answer to an iq: a payload, none, or (after changes of which some were possible, which stay) an error. The
 * caller commits in each of these cases.
 */
export interface Answer {
  payload?: Element
  error?: StanzaError
}

/** Performs a write in the store of a unit and builds its answer. */
export async function write<N extends Node, X>(
  service: PubsubService<N, X>,
  store: Store<N, X>,
  actor: Actor,
  operation: WriteOperation
): Promise<Outcome<Answer>> {
  switch (operation.name) {
    case 'create': {
      const { result, notifications } = await service.create(store, actor, operation.request)
      // §8.1.1: a name that is not the one asked for is told
      const payload = result.assigned ? pubsub(el('create', { node: result.node.name })) : undefined
      return { result: answer(payload), notifications }
    }
    case 'publish': {
      const { result, notifications } = await service.publish(store, actor, operation.request)
      const item = result.id !== undefined && el('item', { id: result.id })
      return { result: answer(pubsub(el('publish', { node: result.node }, item))), notifications }
    }
    case 'subscribe': {
      const { result, notifications } = await service.subscribe(store, actor, operation.request)
      const chosen = operation.request.options !== undefined
      return { result: answer(subscribed(service, result, chosen)), notifications }
    }
    case 'unsubscribe': {
      const { result, notifications } = await service.unsubscribe(store, actor, operation.request)
      return { result: answer(pubsub(subscriptionElement(result))), notifications }
    }
    case 'setOptions':
      return done(await service.setOptions(store, actor, operation.request))
    case 'changeSubscriptions': {
      const { result, notifications } = await service.changeSubscriptions(store, actor, operation.request)
      const rejected = result.rejected.map(({ jid, state, subId }) =>
        el('subscription', { jid, subid: subId, subscription: state })
      )
      return { result: partial('subscriptions', result.node, rejected), notifications }
    }
    case 'changeAffiliations': {
      const { result, notifications } = await service.changeAffiliations(store, actor, operation.request)
      const rejected = result.rejected.map(({ jid, affiliation }) => el('affiliation', { jid, affiliation }))
      return { result: partial('affiliations', result.node, rejected), notifications }
    }
    case 'configure':
      return done(await service.configure(store, actor, operation.request))
    case 'delete':
      return done(await service.delete(store, actor, operation.request))
    case 'purge':
      return done(await service.purge(store, actor, operation.request))
    case 'retract':
      return done(await service.retract(store, actor, operation.request))
  }
}

/** Performs what only reads and builds the answer's payload. */
export async function read<N extends Node, X>(
  service: PubsubService<N, X>,
  store: ReadStore<N, X>,
  actor: Actor,
  operation: ReadOperation
): Promise<Element> {
  const { definition } = service
  switch (operation.name) {
    case 'items': {
      const page = await service.items(store, actor, operation.request)
      const { page: asked, ids } = operation.request
      // what is asked for by id is no result set (XEP-0059 §4)
      return itemsReply(page, asked !== undefined && ids === undefined)
    }
    case 'configuration': {
      const node = await service.configuration(store, actor, operation.request)
      const fields = await service.offeredFields(store, actor, node)
      return owner(el('configure', { node: node.name }, configForm(fields, node.config)))
    }
    case 'defaultConfiguration': {
      const fields = await service.offeredFields(store, actor)
      return owner(el('default', null, configForm(fields, service.defaultConfiguration())))
    }
    case 'options': {
      const { node, jid, subId, ...choice } = await service.options(store, actor, operation.request)
      return pubsub(el('options', { node, jid, subid: subId }, formOf(service, choice, 'form')))
    }
    case 'defaultOptions': {
      const { node, ...choice } = await service.defaultOptions(store, actor, operation.request)
      return pubsub(el('default', { node }, formOf(service, choice, 'result')))
    }
    case 'subscriptionsOf': {
      const page = await service.subscriptionsOf(store, actor, operation.request)
      const rows = page.entries.map(({ node, jid, state, ...row }) =>
        subscriptionElement({ node, jid, state, subId: subIdOf(definition, row) })
      )
      return pubsub(el('subscriptions', { node: operation.request.node }, rows), setOf(page, operation))
    }
    case 'affiliationsOf': {
      const page = await service.affiliationsOf(store, actor, operation.request)
      const rows = page.entries.map(({ node, affiliation }) => el('affiliation', { node, affiliation }))
      return pubsub(el('affiliations', { node: operation.request.node }, rows), setOf(page, operation))
    }
    case 'subscriptionsTo': {
      const page = await service.subscriptionsTo(store, actor, operation.request)
      const rows = page.entries.map(row =>
        el('subscription', { jid: row.jid, subid: subIdOf(definition, row), subscription: row.state })
      )
      return owner(el('subscriptions', { node: page.node }, rows), setOf(page, operation))
    }
    case 'affiliations': {
      const page = await service.affiliations(store, actor, operation.request)
      const rows = page.entries.map(({ jid, affiliation }) => el('affiliation', { jid, affiliation }))
      return owner(el('affiliations', { node: page.node }, rows), setOf(page, operation))
    }
  }
}

function formOf<N extends Node, X>(
  { definition }: PubsubService<N, X>,
  { options, body }: { options: SubscriptionOptions; body: boolean },
  type: 'form' | 'result'
): Element | undefined {
  return definition.options && choiceForm(definition.options, options, body, type)
}

function subscriptionElement(
  { node, jid, state, subId }: Pick<SubscribeResult, 'node' | 'jid' | 'state' | 'subId'>,
  content?: Element
): Element {
  return el('subscription', { node, jid, subid: subId, subscription: state }, content)
}

/** §6.1.2; with what was chosen, where something was (§6.3.7). */
function subscribed<N extends Node, X>(
  service: PubsubService<N, X>,
  result: SubscribeResult,
  chosen: boolean
): Element {
  // §6.1.5
  const required = result.state === 'unconfigured' ? el('subscribe-options', null, el('required')) : undefined
  const { options = DEFAULT_OPTIONS } = result
  const body = service.definition.options?.hasBody?.(result.payloadType) === true
  return pubsub(
    subscriptionElement(result, required),
    chosen && el('options', null, formOf(service, { options, body }, 'result'))
  )
}

/** §6.5.3, §6.5.4 */
export function itemsReply<N extends Node, X>(page: ItemsPage<N, X>, paged: boolean): Element {
  const { node, entries, complete } = page
  const named = node.config.itemreply === 'publisher'
  const rows = entries.map(item => itemElement(item, named))
  return pubsub(el('items', { node: node.name }, rows), (paged || !complete) && pageElement(page))
}

function itemElement<X>({ id, publisher, payload }: Item<X>, named: boolean): Element {
  const attrs = { id, publisher: named && publisher !== '' ? publisher : undefined } // §7.1.2.3
  return el('item', attrs, payload !== undefined && payloadElement(payload))
}

/** A page is described where it was asked for, or where it is not the whole. */
function setOf(page: Page<unknown>, operation: ReadOperation): Element | undefined {
  const paged = 'page' in operation.request
  return paged || !page.complete ? pageElement(page) : undefined
}

function answer(payload: Element | undefined): Answer {
  return payload ? { payload } : {}
}

function done({ notifications }: Outcome<unknown>): Outcome<Answer> {
  return { result: {}, notifications }
}

/** §8.8.2.4, §8.9.2.4 */
function partial(name: string, node: string, rejected: Element[]): Answer {
  if (rejected.length === 0) return {}
  return { error: toStanzaError(new PubsubError('notAcceptable'), owner(el(name, { node }, rejected))) }
}

function pubsub(...content: (Element | undefined | false)[]): Element {
  return el('pubsub', PUBSUB, content)
}

function owner(...content: (Element | undefined | false)[]): Element {
  return el('pubsub', OWNER, content)
}
