import { randomBytes } from 'node:crypto'
import { StanzaError } from '../errors'
import type { JID } from '../jid'
import type { Element } from '../xml/element'

interface Pending {
  /** The address asked, whose answer it must be. */
  asked: JID
  resolve: (result: Element) => void
  reject: (error: StanzaError) => void
  deadline: number
  ended: () => void
}

export interface RequestOptions {
  /** Milliseconds; 30,000 unless given. */
  timeout?: number | undefined
  /** Ends the request with `recipient-unavailable`. */
  signal?: AbortSignal | undefined
}

const SWEEP = 250

/** The iq requests that hosts of this server have under way, by the id of each. */
export class Requests {
  readonly #pending = new Map<string, Pending>()
  #timer: NodeJS.Timeout | undefined

  /** The id to send, and the promise of the result stanza. An iq error rejects as StanzaError. */
  open(asked: JID, options: RequestOptions = {}): { id: string; answer: Promise<Element> } {
    const id = randomBytes(12).toString('base64url')
    const answer = new Promise<Element>((resolve, reject) => {
      const abort = (): void =>
        this.#settle(id)?.reject(new StanzaError('recipient-unavailable', 'the request was cancelled'))
      const ended = (): void => options.signal?.removeEventListener('abort', abort)
      this.#pending.set(id, {
        asked,
        resolve,
        reject,
        ended,
        deadline: Date.now() + (options.timeout ?? 30_000)
      })
      if (options.signal?.aborted) abort()
      else options.signal?.addEventListener('abort', abort, { once: true })
    })
    this.#timer ??= setInterval(this.#sweep, SWEEP).unref()
    return { id, answer }
  }

  /**
   * Gives an iq result or error to the request that it answers. False when there is none, or when another
   * than the one who was asked sent it: such a stanza is not an answer.
   */
  answer(stanza: Element, from: JID): boolean {
    const id = stanza.attrs.id
    const pending = id === undefined ? undefined : this.#pending.get(id)
    if (!pending || id === undefined || pending.asked.full !== from.full) return false
    this.#settle(id)
    if (stanza.attrs.type === 'error') pending.reject(StanzaError.from(stanza))
    else pending.resolve(stanza)
    return true
  }

  #settle(id: string): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    pending?.ended()
    return pending
  }

  readonly #sweep = (): void => {
    const now = Date.now()
    for (const [id, { deadline }] of this.#pending) {
      if (deadline <= now)
        this.#settle(id)?.reject(new StanzaError('remote-server-timeout', 'no answer in time'))
    }
    if (this.#pending.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** How many are under way. */
  get size(): number {
    return this.#pending.size
  }
}
