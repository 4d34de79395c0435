import { childOf, parseElement, textOf, type Element } from '#core'

/** RFC 4287 */
const ATOM = 'http://www.w3.org/2005/Atom'

/** Characters of a body. */
const LONGEST = 4096

/** Whether there is a way to make a body of payloads in that namespace (XEP-0060 §12.8). */
export function hasBody(ns: string): boolean {
  return ns === ATOM
}

/** What an Atom entry says, for clients that know no Atom: its summary, else its content, else its title. */
export function bodyOf(payload: string | undefined): string | undefined {
  if (payload === undefined) return undefined
  const entry = parseElement(payload)
  if (entry.name !== 'entry' || entry.attrs.xmlns !== ATOM) return undefined
  for (const name of ['summary', 'content', 'title']) {
    const element = childOf(entry, name, ATOM)
    const text = element && plain(element)
    if (text) return text.slice(0, LONGEST)
  }
  return undefined
}

/** RFC 4287 §3.1.1: markup is for those who read it. */
function plain(element: Element): string | undefined {
  const { type = 'text' } = element.attrs as { type?: string }
  return type === 'text' ? textOf(element).trim() : undefined
}
