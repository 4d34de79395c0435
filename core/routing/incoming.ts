import { asStanzaError, errorReply, isStanzaError, type StanzaError } from '../errors'
import type { HandlerOwner } from '../events/hooks'
import type { Host } from '../hosts/host'
import type { JID } from '../jid'
import { el, type Element } from '../xml/element'
import type { StanzaEvent } from './event'
import type { Origin } from './origin'

/** What an incoming stanza needs of the router. */
export interface Replies {
  /** Takes an answer back to the sender of `event`. */
  answer(event: Incoming, stanza: Element): void
  /** An error that is a fault of ours and not an answer. */
  fault(event: Incoming, error: unknown): void
}

/** The sender's queue, as far as a stanza must know it. */
export interface Turns {
  release(turn: number): void
  leave(turn: number): void
}

/** A stanza under way. */
export class Incoming implements StanzaEvent {
  owner: HandlerOwner | undefined
  answered = false
  /** The turn in the sender's queue, for `release`; 0 when there is no queue. */
  turn = 0
  queue: Turns | undefined

  constructor(
    private readonly replies: Replies,
    public host: Host,
    readonly stanza: Element,
    readonly from: JID,
    readonly to: JID,
    readonly origin: Origin
  ) {}

  reply(payload?: Element): void {
    if (this.answered || !isRequest(this.stanza)) return
    this.answered = true
    const { id } = this.stanza.attrs
    const result = el('iq', { type: 'result', id, from: this.stanza.attrs.to, to: this.from.full }, payload)
    try {
      this.replies.answer(this, result)
    } catch (error) {
      // What cannot be written has not left: the error is the answer
      this.answered = false
      throw error
    }
  }

  fail(thrown: unknown): void {
    if (!isStanzaError(thrown)) this.replies.fault(this, thrown)
    this.refuse(asStanzaError(thrown))
  }

  /** Answers with an error that is no fault of ours. */
  refuse(error: StanzaError): void {
    if (this.answered) return
    this.answered = true
    const reply = errorReply(this.stanza, error)
    if (reply) this.replies.answer(this, reply)
  }

  release(): void {
    this.queue?.release(this.turn)
  }

  leave(): void {
    this.queue?.leave(this.turn)
  }
}

export function isRequest(stanza: Element): boolean {
  return stanza.name === 'iq' && (stanza.attrs.type === 'get' || stanza.attrs.type === 'set')
}
