import { el, frozen, NS, type Element } from '#core'
import type { EventItem, Notification, PubsubEvent } from '../events'
import { bodyOf } from './body'
import { authorizationForm, configForm } from './forms'
import { EVENT, SHIM } from './namespaces'
import { payloadElement } from './payload'

/** What a message of a notification holds, built and serialised once for all recipients. */
export function notificationContent({ node, event, subIds, body }: Notification): Element[] {
  if (event.kind === 'approval') return [frozen(authorizationForm(node, event.jid, event.subId))]
  const content = [frozen(el('event', EVENT, eventElement(node, event)))]
  if (body && event.kind === 'items') {
    const text = bodyOf(event.item?.payload)
    if (text !== undefined) content.unshift(frozen(el('body', null, text))) // §12.8
  }
  if (event.kind === 'items' && event.delayed !== undefined) {
    const stamp = new Date(event.delayed).toISOString()
    content.push(frozen(el('delay', { xmlns: NS.DELAY, stamp }))) // §6.1.7
  }
  // §7.1.2.4: as the last child
  if (subIds) content.push(frozen(headers(subIds)))
  return content
}

/** The messages of a notification, one for each recipient, with ids of their own (§12.4). */
export function* notificationMessages(
  notification: Notification,
  from: string,
  newId: () => string
): Generator<Element, void, void> {
  const content = notificationContent(notification)
  // a request waits for its owner, wherever events go (§12.13)
  const type = notification.event.kind === 'approval' ? 'normal' : notification.type
  for (const to of notification.recipients) yield el('message', { from, to, type, id: newId() }, content)
}

function headers(subIds: readonly string[]): Element {
  return el(
    'headers',
    SHIM,
    subIds.map(subId => el('header', { name: 'SubID' }, subId))
  )
}

function eventElement(node: string, event: Exclude<PubsubEvent, { kind: 'approval' }>): Element {
  switch (event.kind) {
    case 'items':
      return el('items', { node }, event.item && itemElement(event.item))
    case 'retract':
      return el(
        'items',
        { node },
        event.ids.map(id => el('retract', { id }))
      )
    case 'purge':
      return el('purge', { node })
    case 'delete':
      return el('delete', { node }, event.redirect !== undefined && el('redirect', { uri: event.redirect }))
    case 'configuration':
      return el('configuration', { node }, event.config && configForm(event.fields, event.config, 'result'))
    case 'subscription':
      return el('subscription', {
        node,
        jid: event.jid,
        subid: event.subId,
        subscription: event.state,
        // §12.19
        expiry: event.expiry === undefined ? undefined : new Date(event.expiry).toISOString()
      })
    case 'affiliation':
      return el(
        'affiliations',
        { node },
        el('affiliation', { jid: event.jid, affiliation: event.affiliation })
      )
  }
}

function itemElement({ id, publisher, payload }: EventItem): Element {
  return el('item', { id, publisher }, payload !== undefined && payloadElement(payload))
}
