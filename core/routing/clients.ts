import { createHmac } from 'node:crypto'
import type { SecureContext } from 'node:tls'
import type { Gate } from '../events/gate'
import { isPromise } from '../events/hooks'
import { StanzaError } from '../errors'
import type { Host } from '../hosts/host'
import type { JID } from '../jid'
import type { Log } from '../log'
import type { Metrics } from '../metrics'
import type { StreamBackend } from '../streams/backend'
import type { ClientStream } from '../streams/client'
import { ManagedSessions, type Held } from '../streams/smacks'
import type { StreamLimits } from '../streams/rates/limits'
import type { Element } from '../xml/element'
import type { SessionEvent } from './events'
import { HandBack } from './hand-back'
import type { Origin } from './origin'
import { SenderQueue, type QueueLimits, type QueueOwner } from './queue'
import type { Router, Sender } from './router'

/** What the clients' streams ask that is the server's to say. */
export interface ClientsOptions {
  gate: Gate
  log: Log
  metrics: Metrics
  router: Router
  /** A host by its prepared name. */
  host(domain: string): Host | undefined
  defaultDomain(): string
  secureContext(domain: string): SecureContext | undefined
  /** Of this installation; names are made with it. */
  secret: Buffer
  limits(): QueueLimits
  streamLimits?: StreamLimits
  /** Whether an account was removed since then (milliseconds since the epoch). */
  removedSince(user: string, domain: string, time: number): boolean
  /** The same for an account that was disabled. */
  disabledSince(user: string, domain: string, time: number): boolean
  authenticated(session: ClientStream): void
}

/** As long as other resources that are ours. */
const STABLE_NAME_BYTES = 9

/** The end of a session, in the order of its stanzas. */
interface Ended {
  reason: string
}

/** A stanza of a client that wants to know what was handled (XEP-0198). */
interface Numbered {
  stanza: Element
  number: number
}

type Item = Element | Numbered | Ended

/** Connects the streams of clients with the router: registry, queues, the events of a session. */
export class Clients implements StreamBackend {
  readonly gate: Gate
  readonly log: Log
  readonly managed: ManagedSessions
  readonly streamLimits: StreamLimits | undefined
  readonly #handBack: HandBack
  readonly #options: ClientsOptions
  readonly #senders = new Map<ClientStream, ClientSender>()

  constructor(options: ClientsOptions) {
    this.#options = options
    this.gate = options.gate
    this.log = options.log
    this.managed = new ManagedSessions(options.metrics)
    this.#handBack = new HandBack(options.router, options.gate, options.log)
    this.streamLimits = options.streamLimits
  }

  /** How many sessions are bound. */
  get count(): number {
    return this.#senders.size
  }

  /** All bound sessions. */
  sessions(): IterableIterator<ClientStream> {
    return this.#senders.keys()
  }

  /** Ends the sessions that have no connection. */
  endHibernating(reason: string): void {
    for (const session of this.managed.hibernating()) session.expire(reason)
  }

  host(domain: string): Host | undefined {
    const host = this.#options.host(domain)
    return host?.type === 'virtual' ? host : undefined
  }

  defaultDomain(): string {
    return this.#options.defaultDomain()
  }

  secureContext(domain: string): SecureContext | undefined {
    return this.#options.secureContext(domain)
  }

  stableName(domain: string, user: string, what: string): string {
    const name = createHmac('sha256', this.#options.secret).update(
      JSON.stringify(['name', domain, user, what])
    )
    return name.digest().toString('base64url', 0, STABLE_NAME_BYTES)
  }

  authenticated(session: ClientStream): void {
    this.#options.authenticated(session)
  }

  settled(jid: JID): Promise<void> | undefined {
    return this.#handBack.settled(jid)
  }

  bind(session: ClientStream, jid: JID): void | Promise<void> {
    const host = this.host(jid.domain)
    if (!host) throw new Error(`no host ${jid.domain}`)
    // Whoever logged in to an account that is gone must not come into one that was made anew under its name
    if (this.#options.removedSince(jid.local, jid.domain, session.since)) {
      throw new StanzaError('not-allowed', 'the account was removed')
    }
    if (this.#options.disabledSince(jid.local, jid.domain, session.since)) {
      throw new StanzaError('not-allowed', 'the account was disabled')
    }
    const sender = new ClientSender(session, host, jid, this.#options)
    this.#senders.set(session, sender)
    host.sessions.add(jid.local, jid.resource, session)
    try {
      const done = host.hooks.run<SessionEvent>('session/bound', { session })
      return isPromise(done)
        ? done.then(
            () => undefined,
            (error: unknown) => this.#refused(sender, error)
          )
        : undefined
    } catch (error) {
      this.#refused(sender, error)
    }
  }

  /** A session that a module did not let in is none. */
  #refused({ session, host, jid }: ClientSender, error: unknown): never {
    this.#senders.delete(session)
    host.sessions.remove(jid.local, jid.resource, session)
    throw error
  }

  stanza(session: ClientStream, stanza: Element, bytes: number, number?: number): void {
    const sender = this.#senders.get(session)
    if (!sender) return
    if (this.#options.router.takesAnswer(stanza, sender.jid)) {
      if (number !== undefined) session.handled(number)
      return
    }
    sender.queue.push(number === undefined ? stanza : { stanza, number }, bytes)
  }

  streamElement(): boolean {
    return false
  }

  closed(session: ClientStream, reason: string, unacknowledged: readonly Held[]): void {
    const sender = this.#senders.get(session)
    if (!sender) return
    this.#senders.delete(session)
    sender.host.sessions.remove(sender.jid.local, sender.jid.resource, session)
    sender.queue.push({ reason }, 0)
    this.#handBack.take(unacknowledged, sender.host, sender.jid)
  }
}

/** A bound session with the queue of what it sends. */
class ClientSender implements Sender, QueueOwner<Item> {
  readonly queue: SenderQueue<Item>
  readonly origin: Origin

  constructor(
    readonly session: ClientStream,
    readonly host: Host,
    readonly jid: JID,
    private readonly options: ClientsOptions
  ) {
    this.origin = { kind: 'c2s', name: jid.bare, session }
    this.queue = new SenderQueue(this, options.gate, options.limits())
  }

  handle(item: Item, turn: number): void | Promise<unknown> {
    if ('reason' in item) return this.#end(item)
    if (!('number' in item)) return this.#stanza(item, turn)
    const done = this.#stanza(item.stanza, turn)
    // XEP-0198 §4: handled is what need not be sent again, whatever happens to this server
    if (isPromise(done)) return done.then(() => this.session.handled(item.number))
    this.session.handled(item.number)
  }

  #stanza(stanza: Element, turn: number): void | Promise<unknown> {
    if (this.session.closed && this.#isGone()) return
    return this.options.router.fromClient(this, stanza, turn)
  }

  /** What an account that was removed sent before must not leave anything behind. */
  #isGone(): boolean {
    return this.options.removedSince(this.jid.local, this.jid.domain, this.session.since)
  }

  /** Sets of iqs join the writes under way; whatever else reads what they write. */
  joins(item: Item): boolean {
    const stanza = 'number' in item ? item.stanza : item
    return 'attrs' in stanza && stanza.name === 'iq' && stanza.attrs.type === 'set'
  }

  full(full: boolean): void {
    if (full) this.session.pause()
    else this.session.resume()
  }

  #end({ reason }: Ended): void | Promise<unknown> {
    const failed = (err: unknown): void =>
      this.options.log.error({ err, jid: this.jid.full }, 'a handler of session/closed failed')
    try {
      const done = this.host.hooks.run<SessionEvent>('session/closed', { session: this.session, reason })
      return isPromise(done) ? done.catch(failed) : undefined
    } catch (err) {
      return failed(err)
    }
  }
}
