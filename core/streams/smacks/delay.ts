import { childrenOf, el, readdress, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import { parseElement } from '../../xml/document'
import { serialize } from '../../xml/serialize'
import type { Held } from './management'

/** A stanza that was kept, with the time when it would have been delivered (XEP-0203 §2, XEP-0198 §4). */
export function delayed(stanza: Element, host: string, at: number): Element {
  // XEP-0203 §2: messages and presence, and once is enough
  if (stanza.name === 'iq' || isDelayedBy(stanza, host)) return stanza
  const copy = readdress(stanza, {})
  copy.children.push(el('delay', { xmlns: NS.DELAY, from: host, stamp: new Date(at).toISOString() }))
  return copy
}

function isDelayedBy(stanza: Element, host: string): boolean {
  return childrenOf(stanza, 'delay', NS.DELAY).some(({ attrs }) => attrs.from === host)
}

/** A stanza as it is sent again. */
export function delayedXml({ xml, at }: Held, host: string): string {
  return xml.startsWith('<iq') ? xml : serialize(delayed(parseElement(xml), host, at))
}
