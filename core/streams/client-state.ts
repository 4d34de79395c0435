import type { Log } from '../log'
import { serialize } from '../xml/serialize'
import type { Element } from '../xml/element'
import type { Copies } from './smacks'

/** The namespace of client state indication. */
export const CSI = 'urn:xmpp:csi:0'

/**
 * What becomes of a stanza for a client that nobody looks at: `now` (with everything that was held back, in its
 * order), `never`, or later; then it takes the place of an earlier one with the same `instead`.
 */
export type Judgement = 'now' | 'never' | { readonly instead: string | undefined }

/** How a host treats clients that nobody looks at (XEP-0352), by one module. */
export interface ClientStates {
  judge(stanza: Element): Judgement
  /** What may be held back for one client; when there is more, all of it is sent. */
  readonly stanzas: number
  /** In UTF-16 units of XML. */
  readonly bytes: number
}

declare module '../events/items' {
  interface ItemTypes {
    'client-states': ClientStates
  }
}

interface Waiting {
  readonly xml: string
  readonly copies: Copies | undefined
}

type Pass = (xml: string, copies: Copies | undefined) => void

/** What is held back for one client while it is inactive. It is the session's, so it outlives the module's reload. */
export class HeldBack {
  readonly #waiting = new Map<string, Waiting>()
  #bytes = 0
  #next = 0

  constructor(
    /** Asked for every stanza: a module may have been swapped; none: it is gone. */
    private readonly states: () => ClientStates | undefined,
    private readonly pass: Pass,
    private readonly log: Log
  ) {}

  take(stanza: Element, copies: Copies | undefined): void {
    const states = this.states()
    const judgement = states ? this.#judge(states, stanza) : 'now'
    if (judgement === 'never') return copies && void copies.lost()
    const xml = serialize(stanza)
    if (judgement === 'now') {
      this.flush()
      return this.pass(xml, copies)
    }
    const key = judgement.instead === undefined ? `#${this.#next++}` : `=${judgement.instead}`
    const before = this.#waiting.get(key)
    if (before) {
      this.#waiting.delete(key)
      this.#bytes -= before.xml.length
      before.copies?.lost()
    }
    this.#waiting.set(key, { xml, copies })
    this.#bytes += xml.length
    if (states && (this.#waiting.size >= states.stanzas || this.#bytes >= states.bytes)) this.flush()
  }

  #judge(states: ClientStates, stanza: Element): Judgement {
    try {
      return states.judge(stanza)
    } catch (err) {
      this.log.error({ err }, 'a stanza could not be judged for a client that is inactive: it is sent')
      return 'now'
    }
  }

  /** Sends everything that waits, in its order. */
  flush(): void {
    if (this.#waiting.size === 0) return
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    this.#bytes = 0
    for (const { xml, copies } of waiting) this.pass(xml, copies)
  }
}
