import type { Element } from '#core'

/** The language of all titles, labels and notes. */
export const LANGUAGE = 'en'

/** RFC 5646 §4.4.1: a tag that means something has 35 characters; it is kept, and goes out with announcements. */
const MAX_TAG = 64

/** XEP-0050 §3.7: on the iq, or on the command; what is named first counts for the whole session. */
export function languageOf(iq: Element, command: Element): string | undefined {
  const tag = iq.attrs['xml:lang'] ?? command.attrs['xml:lang']
  return tag !== undefined && tag.length > MAX_TAG ? undefined : tag
}

/**
 * Whether the command can be run in the language that was asked of it. Only what stands on `<command/>` is a wish
 * for this command: an iq has the language of its stream (RFC 6120 §4.7.4), so whoever's client speaks French would
 * find no command at all. They are answered in English, and told that it is English.
 */
export function isSpoken(command: Element): boolean {
  const wish = command.attrs['xml:lang']
  return !wish || wish.split('-', 1)[0]?.toLowerCase() === LANGUAGE
}
