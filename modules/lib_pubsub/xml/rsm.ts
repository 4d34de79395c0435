import { childrenOf, el, NS, textOf, type Element } from '#core'
import { PubsubError } from '../errors'
import type { PageInfo, PageRequest } from '../page'

/** Reads `<set/>` (XEP-0059 §2). */
export function parsePage(set: Element): PageRequest {
  const page: PageRequest = {}
  const seen = new Set<string>()
  for (const child of childrenOf(set)) {
    if (seen.has(child.name)) throw bad(`<${child.name}/> is there twice`)
    seen.add(child.name)
    if (child.name === 'max') page.max = number(child)
    else if (child.name === 'index') page.index = number(child)
    else if (child.name === 'after') page.after = textOf(child)
    else if (child.name === 'before') page.before = textOf(child)
    else throw bad(`<${child.name}/> is no part of a request`)
  }
  return page
}

/** Builds `<set/>`. */
export function pageElement({ first, index, last, count }: PageInfo): Element {
  return el(
    'set',
    NS.RSM,
    first !== undefined && el('first', { index }, first),
    last !== undefined && el('last', null, last),
    count !== undefined && el('count', null, count)
  )
}

function number(element: Element): number {
  const text = textOf(element)
  if (!/^\d{1,15}$/.test(text)) throw bad(`<${element.name}/> is a whole number from 0 on`)
  return Number(text)
}

function bad(text: string): PubsubError {
  return new PubsubError('badRequest', { text })
}
