import type { StanzaCondition } from '../../errors'
import { el, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import { randomName } from '../random'
import { AckQueue } from './ack-queue'
import type { Copies } from './copies'
import { Handled } from './handled'
import { SM } from './names'
import type { StreamManagement } from './policy'

/** Milliseconds that a resumption waits for what came over the last connection to be handled. */
const PATIENCE = 10_000

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
  /** The client's queue is full: nothing more is read from it, on whatever connection. */
  stopped = false
  /** Too much is unacknowledged: the session is about to end. */
  overflown = false
  /** An acknowledgement was asked for before everything was handled: others will follow. */
  #owing = false
  /** One was asked for since then. */
  #askedAgain = false
  /** The last `h` that the client was told. */
  #told = 0

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
    this.#told = this.handled.h
    return el('a', { xmlns: SM, h: this.handled.h })
  }

  /**
   * The client asks what is handled (XEP-0198 §4). It is told at once, and of what is at work when that is done: an
   * answer must not be withheld, and should not say too little for ever.
   */
  requested(tell: () => void): void {
    tell()
    if (this.#owing) this.#askedAgain = true
    else if (!this.handled.complete) this.#owe(tell)
  }

  #owe(tell: () => void): void {
    this.#owing = true
    this.#askedAgain = false
    this.handled.whenHandled(() => {
      this.#owing = false
      tell()
      if (this.#askedAgain && !this.handled.complete) this.#owe(tell)
    })
  }

  /** More is handled than a client that waits for it was told. */
  get hasNews(): boolean {
    return this.#owing && this.handled.h !== this.#told
  }

  /** Takes an `h` of the client. Throws the stream error of XEP-0198 §6. */
  acknowledged(h: number): void {
    this.queue.ack(h, arrived)
  }

  /** As much is unacknowledged as may. Whether some of it has arrived all the same, and does not count any more. */
  makesRoom(): boolean {
    return this.queue.forgive(arrived) > 0
  }

  /**
   * Resolves when everything that the client has sent is handled, so that it need not send that again. What takes
   * very long does not wait for a commit: its handler asks somebody, maybe this very client.
   */
  handledSoon(): Promise<void> {
    const { handled } = this
    return new Promise(resolve => {
      const timer = setTimeout(() => handled.assume(), PATIENCE).unref()
      handled.whenHandled(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}

function arrived({ copies }: Held): void {
  if (copies) copies.arrived = true
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
