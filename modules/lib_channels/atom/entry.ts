import { el, type Element } from '#core'
import { ACTIVITY, ATOM, AUTHOR_JID, REVIEW, THREAD } from './namespaces'
import type { Content, Submission } from './submission'

/** What an entry is made of: the submission and what the server says about it (protoXEP §6.3.1). */
export interface Entry {
  /** Global. */
  id: string
  title: string
  /** Milliseconds UTC. */
  published: number
  updated: number
  /** Bare JID. */
  author: string
  content: Content
  verb: string
  objectType: string
  /** Global id of the post that is replied to. */
  inReplyTo?: string
  /** Global id of the item that is referred to or rated, and what that is. */
  target?: { id: string; objectType: string }
  rating?: number
  parts: Pick<Submission, 'geoloc' | 'media' | 'links' | 'categories'>
}

/** The entry as it is stored and sent. */
export function renderEntry(entry: Entry): Element {
  const { author, target, parts } = entry
  return el(
    'entry',
    ATOM,
    el('id', null, entry.id),
    el('title', null, entry.title),
    el('published', null, dateTime(entry.published)),
    el('updated', null, dateTime(entry.updated)),
    el(
      'author',
      null,
      el('name', null, author),
      el('uri', null, `acct:${author}`),
      el('jid', AUTHOR_JID, author),
      el('object-type', ACTIVITY, 'person')
    ),
    renderContent(entry.content),
    parts.links as Element[],
    parts.categories as Element[],
    parts.geoloc,
    parts.media,
    entry.inReplyTo !== undefined && el('in-reply-to', { xmlns: THREAD, ref: entry.inReplyTo }),
    el('verb', ACTIVITY, entry.verb),
    el('object', ACTIVITY, el('object-type', null, entry.objectType)),
    target && el('target', ACTIVITY, el('id', null, target.id), el('object-type', null, target.objectType)),
    entry.rating !== undefined && el('rating', REVIEW, `${entry.rating}.0`)
  )
}

function renderContent(content: Content): Element {
  return content.type === 'text'
    ? el('content', { type: 'text' }, content.text)
    : el('content', { type: 'xhtml' }, content.div)
}

/** XEP-0082 in UTC, with milliseconds. */
export function dateTime(time: number): string {
  return new Date(time).toISOString()
}
