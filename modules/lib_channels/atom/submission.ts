import { childOf, childrenOf, childText, textOf, type Element } from '#core'
import { payloadFault } from '../errors'
import { ACTIVITY, ATOM, GEOLOC, MEDIA, REVIEW, THREAD } from './namespaces'
import { activityName, copyCategories, copyGeoloc, copyLinks, copyMedia } from './parts'
import { cleanXhtml } from './xhtml'

/** What an entry says, in either of the two types that channels know (protoXEP §6.3.1). */
export type Content = { type: 'text'; text: string } | { type: 'xhtml'; div: Element }

/** An entry as somebody submits it, cleaned. What the client says about id, author and dates is not in it. */
export interface Submission {
  /** Only a rating may be without. */
  content?: Content
  title?: string
  /** `ref` of `<in-reply-to/>` as it was given; '' where it has none. */
  inReplyTo?: string
  /** `<id/>` of `<target/>` as it was given; '' where it has none. */
  target?: string
  /** Text of `<rating/>` as it was given. */
  rating?: string
  verb?: string
  objectType?: string
  geoloc?: Element
  media?: Element
  links: readonly Element[]
  categories: readonly Element[]
}

const MAX_TITLE = 1024

/**
 * Reads and cleans an Atom entry (protoXEP §6.3).
 * @param payload the item's payload, `undefined` where it has none
 * @throws StanzaError with the code of the part that is wrong
 */
export function readSubmission(payload: Element | undefined): Submission {
  if (payload?.name !== 'entry' || payload.attrs.xmlns !== ATOM) throw payloadFault('entry-element-required')
  const rating = one(payload, 'rating', REVIEW)
  const content = readContent(one(payload, 'content', ATOM), rating !== undefined)
  const title = childText(payload, 'title', ATOM)?.trim()
  if (title !== undefined && title.length > MAX_TITLE) {
    throw payloadFault('invalid-payload', `a title has at most ${MAX_TITLE} characters`)
  }
  const inReplyTo = one(payload, 'in-reply-to', THREAD)
  const target = one(payload, 'target', ACTIVITY)
  const verb = activityName(payload, 'verb')
  const objectType = activityName(childOf(payload, 'object', ACTIVITY), 'object-type')
  const geoloc = childOf(payload, 'geoloc', GEOLOC)
  const media = childOf(payload, 'media', MEDIA)
  return {
    ...(content && { content }),
    ...(title !== undefined && title !== '' && { title }),
    ...(inReplyTo && { inReplyTo: String(inReplyTo.attrs.ref ?? '') }),
    ...(target && { target: childText(target, 'id')?.trim() ?? '' }),
    ...(rating && { rating: textOf(rating).trim() }),
    ...(verb !== undefined && { verb }),
    ...(objectType !== undefined && { objectType }),
    ...optional('geoloc', geoloc && copyGeoloc(geoloc)),
    ...optional('media', media && copyMedia(media)),
    links: copyLinks(payload),
    categories: copyCategories(payload)
  }
}

/** Two of what there is one of would be read differently by different clients. */
function one(entry: Element, name: string, ns: string): Element | undefined {
  const [first, second] = childrenOf(entry, name, ns)
  if (second) throw payloadFault('invalid-payload', `an entry has one <${name}/>`)
  return first
}

function readContent(content: Element | undefined, isRating: boolean): Content | undefined {
  const type: string = content?.attrs.type ?? 'text'
  if (content && type !== 'text' && type !== 'xhtml') throw payloadFault('unsupported-content-type')
  const read = content && (type === 'text' ? readText(content) : readXhtml(content))
  // protoXEP §6.3.4: the content of a rating is discarded anyway
  if (read === undefined && !isRating) throw payloadFault('content-element-required')
  return read
}

function readText(content: Element): Content | undefined {
  if (childrenOf(content).length > 0) {
    throw payloadFault('invalid-payload', 'content of type text has no elements in it') // RFC 4287 §4.1.3.3
  }
  const text = textOf(content)
  return text.trim() === '' ? undefined : { type: 'text', text }
}

function readXhtml(content: Element): Content | undefined {
  const div = cleanXhtml(content)
  return div && { type: 'xhtml', div }
}

function optional<K extends string>(key: K, element: Element | undefined): Partial<Record<K, Element>> {
  return element ? ({ [key]: element } as Record<K, Element>) : {}
}
