import type { StanzaCondition } from '../../errors'
import { el, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import { randomName } from '../random'
import { AckQueue } from './ack-queue'
import type { Copies } from './copies'
import { Handled } from './handled'
import { SM } from './names'
import type { StreamManagement } from './policy'

/** A stanza that was sent to a client and is not acknowledged. */
export interface Held {
  readonly xml: string
  /** When it was sent, or would have been: milliseconds since the epoch. */
  readonly at: number
  readonly copies: Copies | undefined
}

/** What a session knows of stream management, once its client has asked for it. */
export class Management {
  readonly queue = new AckQueue<Held>()
  readonly handled = new Handled()
  /** Names the session for whoever resumes it, not to be guessed; '' where it cannot be resumed. */
  readonly id: string
  /** Milliseconds that it lives on without a connection. */
  readonly patience: number
  /** When it ends unless it is resumed; 0 while there is a connection. */
  until = 0
  /** The stream that is about to resume it. */
  claim: { readonly closed: boolean } | undefined
  /** An acknowledgement was asked for before everything was handled: others will follow. */
  owing = false
  /** One was asked for since then. */
  askedAgain = false
  /** The last `h` that the client was told. */
  told = 0
  /** The client's queue is full: nothing more is read from it, on whatever connection. */
  stopped = false
  /** Too much is unacknowledged: the session is about to end. */
  overflown = false

  constructor(
    /** What the host offers now. */
    public policy: StreamManagement,
    enable: Element
  ) {
    this.patience = wantsResumption(enable) ? patienceOf(enable, policy) : 0
    this.id = this.patience > 0 ? randomName(24) : ''
  }

  get resumable(): boolean {
    return this.id !== ''
  }

  /** XEP-0198 §3. */
  enabled(): Element {
    if (!this.resumable) return el('enabled', SM)
    const max = Math.ceil(this.patience / 1000)
    return el('enabled', { xmlns: SM, id: this.id, resume: 'true', max, location: this.policy.location })
  }

  resumed(): Element {
    return el('resumed', { xmlns: SM, h: this.handled.h, previd: this.id })
  }

  acknowledgement(): Element {
    return el('a', { xmlns: SM, h: this.handled.h })
  }
}

/** XEP-0198 §3: an xs:boolean. */
function wantsResumption({ attrs }: Element): boolean {
  const { resume } = attrs as { resume?: string }
  return resume === 'true' || resume === '1'
}

/** XEP-0198 §3: what the client prefers, but no more than the server gives. */
function patienceOf({ attrs }: Element, { resumption }: StreamManagement): number {
  const { max } = attrs as { max?: string }
  const wanted = /^\+?0*[1-9]\d{0,8}$/.test(max ?? '') ? Number(max) * 1000 : resumption
  return Math.min(wanted, resumption)
}

/** XEP-0198 §6. */
export function failed(condition: StanzaCondition, h?: number): Element {
  return el('failed', { xmlns: SM, h }, el(condition, NS.STANZA_ERRORS))
}
