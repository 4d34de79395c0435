import { childrenOf, childText, el, textOf, type Element } from '#core'
import { ATOM, GEOLOC, MEDIA } from './namespaces'

/*
 * What an entry may carry beside its content: copied part by part, so nothing else gets in.
 */

const LINK_RELATIONS: readonly string[] = ['alternate', 'enclosure', 'related', 'via']
const LINK_TARGET = /^(?:https?|xmpp|mailto|geo):/i
const MAX_PARTS = 20
const MAX_TEXT = 1024

/** RFC 4287 §4.2.7: links to elsewhere. What the entry itself is linked by is the server's to say. */
export function copyLinks(entry: Element): Element[] {
  return childrenOf(entry, 'link', ATOM)
    .filter(link => {
      const { href, rel = 'alternate' } = link.attrs as { href?: string; rel?: string }
      return href !== undefined && LINK_TARGET.test(href) && LINK_RELATIONS.includes(rel)
    })
    .slice(0, MAX_PARTS)
    .map(link => el('link', short(link, ['href', 'rel', 'type', 'title', 'length'])))
}

/** RFC 4287 §4.2.2 */
export function copyCategories(entry: Element): Element[] {
  return childrenOf(entry, 'category', ATOM)
    .filter(category => category.attrs.term !== undefined)
    .slice(0, MAX_PARTS)
    .map(category => el('category', short(category, ['term', 'label'])))
}

/** XEP-0080: flat, text alone. */
export function copyGeoloc(geoloc: Element): Element | undefined {
  const fields = childrenOf(geoloc, undefined, GEOLOC)
    .filter(field => /^[a-z]{1,32}$/.test(field.name) && textOf(field).length <= MAX_TEXT)
    .slice(0, 30)
    .map(field => el(field.name, null, textOf(field)))
  return fields.length > 0 ? el('geoloc', GEOLOC, fields) : undefined
}

/** What the deployed media servers are referred to by. */
export function copyMedia(media: Element): Element | undefined {
  const items = childrenOf(media, 'item', MEDIA)
    .filter(item => item.attrs.id !== undefined && item.attrs.channel !== undefined)
    .slice(0, MAX_PARTS)
    .map(item => el('item', short(item, ['id', 'channel'])))
  return items.length > 0 ? el('media', MEDIA, items) : undefined
}

function short(element: Element, names: readonly string[]): Record<string, string> {
  const attrs: Record<string, string> = {}
  for (const name of names) {
    const value: string | undefined = element.attrs[name]
    if (value !== undefined && value.length <= 2 * MAX_TEXT) attrs[name] = value
  }
  return attrs
}

/** A short name in an Activity Streams element: `post`, `note`, `comment`. */
export function activityName(parent: Element | undefined, child: string): string | undefined {
  const text = parent && childText(parent, child)?.trim()
  return text !== undefined && /^[a-z][a-z-]{0,31}$/.test(text) ? text : undefined
}
