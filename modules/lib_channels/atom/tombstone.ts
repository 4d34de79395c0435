import { el, type Element } from '#core'
import { dateTime } from './entry'
import { ACTIVITY, ATOM, THREAD, TOMBSTONE } from './namespaces'

/** What stays of an item that was deleted. It does not say whose it was. */
export interface Tombstone {
  /** As it is on the wire. */
  id: string
  objectType: string
  verb: string
  /** Global id of the post that it answered. */
  inReplyTo?: string
  /** Milliseconds UTC. */
  published: number
  deleted: number
}

/** RFC 6721, in the shape of protoXEP example 11. */
export function renderTombstone(service: string, node: string, tombstone: Tombstone): Element {
  const { id, deleted } = tombstone
  const ref = `xmpp:${service}?pubsub;action=retrieve;node=${uriPart(node)};item=${uriPart(id)}`
  const when = dateTime(deleted)
  return el(
    'deleted-entry',
    { xmlns: TOMBSTONE, ref, when },
    el('updated', null, when),
    el('id', ATOM, id),
    el('link', { xmlns: ATOM, href: ref, rel: 'self' }),
    el('published', ATOM, dateTime(tombstone.published)),
    tombstone.inReplyTo !== undefined && el('in-reply-to', { xmlns: THREAD, ref: tombstone.inReplyTo }),
    el('object', ACTIVITY, el('object-type', null, tombstone.objectType)),
    el('verb', ACTIVITY, tombstone.verb)
  )
}

/** RFC 5122 §2.2: what would end the value is escaped, and nothing that the samples leave readable. */
function uriPart(value: string): string {
  return encodeURI(value).replace(/[;?#&=+]/g, encodeURIComponent)
}
