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

/** What an outbox needs of the module. */
export interface OutboxOptions {
  /** The host, which sends. */
  from: string
  send(message: Element): void
  /** Calls back in another turn of the loop. */
  later(fn: () => void): void
}

/**
 * Sends notifications, one message to each recipient, in the order in which they were given. Those for many
 * recipients are sent in slices.
 */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #jobs: Job[] = []
  #closed = false

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** A promise where not all could be sent at once; it resolves when the last one is on its way. */
  send(notifications: readonly Notification[]): void | Promise<void> {
    if (notifications.length === 0) return
    const messages = this.#messages(notifications)
    if (this.#jobs.length === 0 && this.#sendSome(messages)) return
    return new Promise(done => {
      this.#jobs.push({ messages, done })
      if (this.#jobs.length === 1) this.#options.later(() => this.#next())
    })
  }

  /** Sends all that is left, and from now on all at once. */
  close(): void {
    this.#closed = true
    while (this.#jobs.length > 0) this.#next()
  }

  *#messages(notifications: readonly Notification[]): Generator<Element, void, void> {
    for (const notification of notifications)
      yield* notificationMessages(notification, this.#options.from, randomUUID)
  }

  /** Whether these were all. */
  #sendSome(messages: Iterator<Element, void, void>): boolean {
    for (let sent = 0; sent < SLICE || this.#closed; sent++) {
      const next = messages.next()
      if (next.done === true) return true
      this.#options.send(next.value)
    }
    return false
  }

  #next(): void {
    const [job] = this.#jobs
    if (job === undefined) return
    if (this.#sendSome(job.messages)) {
      this.#jobs.shift()
      job.done()
    }
    if (this.#jobs.length > 0 && !this.#closed) this.#options.later(() => this.#next())
  }
}
