import { el, type Element } from '#core'

export interface Announcement {
  /** The host that says it. */
  from: string
  text: string
  /** '' for none. */
  subject: string
  /** The language of whoever wrote it, where that is known (RFC 6120 §8.1.5). */
  lang?: string | undefined
  id: string
  /** Of the moment: nobody wants to find it when they come back (XEP-0334 §4.2). */
  momentary?: boolean
}

/** A normal message: common clients hide headlines, and a chat would make the host a contact. */
export function announcement(
  to: string,
  { from, text, subject, lang, id, momentary }: Announcement
): Element {
  return el(
    'message',
    { from, to, type: 'normal', id, 'xml:lang': lang },
    subject !== '' && el('subject', null, subject),
    el('body', null, text),
    momentary && el('no-store', 'urn:xmpp:hints')
  )
}
