import { parseElement, type Element } from '#core'

export const OWNER = 'http://jabber.org/protocol/pubsub#owner'
export const PUBSUB = 'http://jabber.org/protocol/pubsub'
export const RSM = 'http://jabber.org/protocol/rsm'
export const ATOM = 'http://www.w3.org/2005/Atom'
const NODE_CONFIG = 'http://jabber.org/protocol/pubsub#node_config'

export const request = (inner: string, ns = PUBSUB): Element =>
  parseElement(`<pubsub xmlns='${ns}'>${inner}</pubsub>`)

export function form(fields: Record<string, string>, formType = NODE_CONFIG): string {
  const all = Object.entries({ FORM_TYPE: formType, ...fields })
  const inner = all.map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`).join('')
  return `<x xmlns='jabber:x:data' type='submit'>${inner}</x>`
}
