import { randomUUID } from 'node:crypto'
import type { Element } from '#core'
import type { Notification } from '../lib_pubsub'
import { notificationMessages } from '../lib_pubsub/xml'

/** Messages that are sent before the rest of the server gets its turn. */
const SLICE = 500

interface Job {
  readonly messages: Iterator<Element, void, void>
  readonly done: () => void
}

/**
 * Sends notifications, one message to each recipient, in the order in which they were given. Those for many
 * recipients are sent in slices.
 */
export class Outbox {
  readonly #from: string
  readonly #send: (message: Element) => void
  readonly #jobs: Job[] = []
  #turn: NodeJS.Immediate | undefined

  constructor(from: string, send: (message: Element) => void) {
    this.#from = from
    this.#send = send
  }

  /** A promise where not all could be sent at once; it resolves when the last one is on its way. */
  send(notifications: readonly Notification[]): void | Promise<void> {
    if (notifications.length === 0) return
    const messages = this.#messages(notifications)
    if (this.#jobs.length === 0 && this.#sendSome(messages)) return
    return new Promise(done => {
      this.#jobs.push({ messages, done })
      this.#turn ??= setImmediate(() => this.#next())
    })
  }

  /** Sends all that is left. */
  flush(): void {
    clearImmediate(this.#turn)
    for (const { messages, done } of this.#jobs.splice(0)) {
      while (!this.#sendSome(messages));
      done()
    }
  }

  *#messages(notifications: readonly Notification[]): Generator<Element, void, void> {
    for (const notification of notifications)
      yield* notificationMessages(notification, this.#from, randomUUID)
  }

  /** Whether these were all. */
  #sendSome(messages: Iterator<Element, void, void>): boolean {
    for (let sent = 0; sent < SLICE; sent++) {
      const next = messages.next()
      if (next.done === true) return true
      this.#send(next.value)
    }
    return false
  }

  #next(): void {
    this.#turn = undefined
    const [job] = this.#jobs
    if (job === undefined) return
    if (this.#sendSome(job.messages)) {
      this.#jobs.shift()
      job.done()
    }
    if (this.#jobs.length > 0) this.#turn = setImmediate(() => this.#next())
  }
}
