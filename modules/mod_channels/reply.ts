import { el, type Element } from '#core'
import { OWNER, PUBSUB, pageElement } from '../lib_pubsub/xml'
import type { PageInfo } from '../lib_pubsub'

type Part = Element | undefined | false | readonly Element[]

export function pubsub(...content: Part[]): Element {
  return el('pubsub', PUBSUB, content as Element[])
}

export function owner(...content: Part[]): Element {
  return el('pubsub', OWNER, content as Element[])
}

/** A page is described where it was asked for, or where it is not the whole. */
export function pageOf(page: PageInfo & { complete: boolean }, asked: boolean): Element | undefined {
  return asked || !page.complete ? pageElement(page) : undefined
}
