import { childOf, childrenOf, childText, firstChild, textOf } from '../../../core/xml/element'
import type { Element } from '../../../core/xml/element'
import { TestClient } from '../../lib/client'
import type { ConnectOptions } from '../../lib/client'
import { inline } from '../../lib/print'
import type { Numbers } from './numbers'

const EVENT = 'http://jabber.org/protocol/pubsub#event'

/** A client that counts what it receives, once it is told to, and is surprised by everything else. */
export class CountingClient extends TestClient {
  #counting = false
  /** Of the roster, as the pushes tell it. */
  #version = 0

  constructor(
    options: ConnectOptions,
    readonly numbers: Numbers
  ) {
    super(options)
  }

  /** From here on every stanza must be one that the numbers know of. */
  count(): void {
    if (this.unread.length > 0) throw this.problem(`has not read ${inline(this.unread[0] as Element)}`)
    this.#counting = true
  }

  /** From here on stanzas wait to be asked for, and the stream may close. */
  countNoMore(): void {
    this.#counting = false
  }

  protected override listener() {
    const heard = super.listener()
    const surprised = (what: string): void => {
      if (this.#counting) this.numbers.fault(`${this.name}: ${what}`)
    }
    return {
      ...heard,
      stanza: (stanza: Element) => (this.#counting ? this.#hear(stanza) : heard.stanza(stanza)),
      end: () => {
        surprised('the server has closed the stream')
        heard.end()
      },
      closed: () => {
        surprised('the connection is gone')
        heard.closed()
      },
      fault: (error: Error) => {
        surprised(error.message)
        heard.fault(error)
      }
    }
  }

  #hear(stanza: Element): void {
    const found = seriesOf(stanza)
    if (!found) return this.numbers.fault(`${this.name}: got ${inline(stanza)}`)
    this.numbers.arrived(`${found[0]} at ${this.name}`, found[1])
    if (found[0] === 'push') this.#newer(stanza)
  }

  /** RFC 6121 §2.6.1: a version is another at each change; ours count up. */
  #newer(push: Element): void {
    const ver = childOf(push, 'query', 'jabber:iq:roster')?.attrs.ver
    const version = Number(ver?.split(':')[1])
    if (!(version > this.#version)) this.numbers.fault(`${this.name}: roster ${ver} after ${this.#version}`)
    this.#version = version
  }
}

/** To which series a stanza belongs, and its number; undefined for what nobody waits for. */
function seriesOf(stanza: Element): [series: string, number: number] | undefined {
  const { type, id, from } = stanza.attrs as Record<string, string | undefined>
  if (stanza.name === 'iq' && type === 'result') {
    const [, kind = '', number = ''] = /^([a-z]+)-(\d+)$/.exec(id ?? '') ?? []
    return kind === '' ? undefined : [`answer to ${kind}`, Number(number)]
  }
  if (stanza.name === 'iq' && type === 'set') {
    const item = childOf(childOf(stanza, 'query', 'jabber:iq:roster') ?? stanza, 'item')
    return item && ['push', Number(item.attrs.name)]
  }
  if (stanza.name !== 'message') return undefined
  if (type === 'chat') return [`chat from ${from}`, Number(childText(stanza, 'body'))]
  const items = childOf(childOf(stanza, 'event', EVENT) ?? stanza, 'items')
  const [item, second] = items ? childrenOf(items, 'item') : []
  if (!items || !item || second) return undefined
  const payload = firstChild(item)
  const number = payload && (payload.name === 'entry' ? childText(payload, 'content') : textOf(payload))
  return [`event of ${items.attrs.node}`, Number(number)]
}
