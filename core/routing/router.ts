import { CollapsedLog } from '../collapsed-log'
import { CodedError, StanzaError, StreamError } from '../errors'
import { HANDLED, isPromise, type HandlerResult, type Hooks } from '../events/hooks'
import type { Host } from '../hosts/host'
import { JID } from '../jid'
import type { Log } from '../log'
import type { Counter, Labelled, Metrics } from '../metrics'
import type { ClientSession } from '../streams/session'
import { firstChild, nsOf, readdress, type Element } from '../xml/element'
import { iqEvent } from './events'
import type { StanzaKind } from './event'
import { Incoming, isRequest, type Replies, type Turns } from './incoming'
import type { Origin } from './origin'
import { Requests, type RequestOptions } from './requests'
import { faultOf } from './validate'
import { Watchdog } from './watchdog'

const SUBSCRIPTION_TYPES = new Set(['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed'])

/** Finds the host that answers for a domain; the only thing that says what is local (design §9). */
export interface Domains {
  find(domain: string): Host | undefined
}

/** A client's session with the queue of its stanzas. */
export interface Sender {
  readonly session: ClientSession
  readonly origin: Origin
  readonly host: Host
  readonly jid: JID
  readonly queue: Turns
}

/** Takes stanzas from whoever sent them to the handlers of the host that is addressed (RFC 6120 §10, RFC 6121 §8). */
export class Router implements Replies {
  readonly requests = new Requests()
  readonly #domains: Domains
  /** The modules of the whole server. */
  readonly #scope: Host
  /** The last of what is at work from one bare address to another. */
  readonly #order = new Map<string, Promise<void>>()
  readonly #log: Log
  readonly #repeated: CollapsedLog
  readonly #watchdog: Watchdog
  readonly #stanzas: Readonly<Record<string, Counter>>
  readonly #faults: Labelled<Counter>

  constructor(domains: Domains, scope: Host, log: Log, metrics: Metrics) {
    this.#domains = domains
    this.#scope = scope
    this.#log = log
    this.#repeated = new CollapsedLog(log)
    this.#watchdog = new Watchdog(log, metrics)
    const stanzas = metrics.counter('stanzas_total', 'Stanzas that were routed', ['kind'])
    this.#stanzas = {
      iq: stanzas.with('iq'),
      message: stanzas.with('message'),
      presence: stanzas.with('presence')
    }
    this.#faults = metrics.counter('handler_faults_total', 'Handlers that threw', ['module'])
  }

  /** Ends what runs by the clock. */
  stop(): void {
    this.#watchdog.stop()
    this.#repeated.flush()
  }

  /** A stanza of a client whose resource is bound. The promise, if any, ends when its handlers have. */
  fromClient(sender: Sender, stanza: Element, turn: number): void | Promise<unknown> {
    const { session, jid } = sender
    const claimed = stanza.attrs.from
    // RFC 6120 §8.1.2.1
    if (claimed !== undefined && claimed !== jid.full && !isOwn(claimed, jid)) {
      return session.close(new StreamError('invalid-from', `you are ${jid.full}`))
    }
    const toOthers = stanza.attrs.to
    const subscription = stanza.name === 'presence' && SUBSCRIPTION_TYPES.has(stanza.attrs.type as string)
    // RFC 6121 §3: subscriptions are between accounts, so they are stamped with the bare JID.
    const from = subscription ? jid.toBare() : jid
    stanza.attrs.from = from.full
    const to = toOthers === undefined ? jid.toBare() : JID.tryParse(toOthers)
    const event = new Incoming(this, sender.host, stanza, from, to ?? sender.jid.toBare(), sender.origin)
    event.turn = turn
    event.queue = sender.queue
    this.#stanzas[stanza.name]?.inc()
    const fault =
      to === undefined
        ? new StanzaError('jid-malformed', 'the address in `to` is not a JID')
        : faultOf(stanza)
    if (fault) return event.refuse(fault)
    if (toOthers === undefined && stanza.name === 'presence') return this.#run(event, 'presence/broadcast')
    return this.#outbound(event)
  }

  /** Between the resources of one account nobody is asked (XEP-0016 §2.1). */
  #outbound(event: Incoming): void | Promise<unknown> {
    if (!event.host.hooks.has('route/leaving') || event.from.bare === event.to.bare)
      return this.#before(event)
    return this.#then(event, 'route/leaving', event.host, () => this.#before(event))
  }

  #before(event: Incoming): void | Promise<unknown> {
    return this.#then(event, `pre-${event.stanza.name}`, event.host, () => this.#route(event))
  }

  /** A stanza of a module or of another server, whose `from` its carrier has checked. */
  route(stanza: Element, origin: Origin): void | Promise<unknown> {
    const from = JID.parse(stanza.attrs.from as string)
    if (origin.kind !== 'local' && (!this.mayCarry(from, origin) || this.takesAnswer(stanza, from))) return
    return this.carried(stanza, from, origin)
  }

  /**
   * Whoever carries others' stanzas checks their `from`; that it is none of ours is checked here once more. An
   * external component speaks for its own host alone.
   */
  mayCarry(from: JID, origin: Origin): boolean {
    const own = this.#domains.find(from.domain)
    if (!own || (origin.kind === 'component' && own.name === origin.name)) return true
    const data = { from: from.full, origin: origin.name }
    this.#repeated.warn(`foreign ${origin.name}`, data, 'dropped: a foreign stanza in the name of ours')
    return false
  }

  /** A stanza that may be carried and answers no request of ours; with its place in its sender's queue. */
  carried(stanza: Element, from: JID, origin: Origin, queue?: Turns, turn = 0): void | Promise<unknown> {
    const to = JID.tryParse(stanza.attrs.to ?? '')
    const own = this.#domains.find(from.domain)
    const host = (to && this.#domains.find(to.domain)) ?? own
    if (!host) {
      if (origin.kind === 'local')
        throw new CodedError('ERR_ROUTE', `neither ${from.domain} nor the addressee is on this server`)
      // Since it came the host was taken out of the config, or the domain is not served any more
      return this.#log.debug({ from: from.full, to: to?.domain }, 'dropped: nobody here is addressed')
    }
    const event = new Incoming(this, own ?? host, stanza, from, to ?? from, origin)
    event.queue = queue
    event.turn = turn
    this.#stanzas[stanza.name]?.inc()
    const fault =
      to === undefined
        ? new StanzaError('jid-malformed', 'the address in `to` is not a JID')
        : faultOf(stanza)
    if (fault) return event.refuse(fault)
    return this.#route(event)
  }

  /** Between two addresses order is kept (RFC 6120 §10.1), also when what a host sent before is still at work. */
  #route(event: Incoming): void | Promise<unknown> {
    const pair = this.#order.size > 0 || event.origin.kind === 'local' ? pairOf(event) : ''
    const before = this.#order.get(pair)
    const result = before ? before.then(() => this.#dispatch(event)) : this.#dispatch(event)
    // A client's and another server's stanzas are ordered by their queues already.
    if (!isPromise(result) || (event.origin.kind !== 'local' && !before)) return result
    const done: Promise<void> = result.then(
      () => this.#leave(pair, done),
      () => this.#leave(pair, done)
    )
    this.#order.set(pair, done)
    return result
  }

  #leave(pair: string, done: Promise<void>): void {
    if (this.#order.get(pair) === done) this.#order.delete(pair)
  }

  /** A client's stanza was asked about before `pre-*`. */
  #dispatch(event: Incoming): void | Promise<unknown> {
    const { from, to, origin, host } = event
    if (origin.kind === 'c2s' || !host.hooks.has('route/leaving') || from.bare === to.bare)
      return this.#forward(event)
    if (isOurError(event) || this.#domains.find(from.domain) !== host) return this.#forward(event)
    return this.#then(event, 'route/leaving', host, () => this.#forward(event))
  }

  #forward(event: Incoming): void | Promise<unknown> {
    const { to, origin } = event
    const host = this.#domains.find(to.domain)
    if (!host) return this.#then(event, 'route/remote', event.host, () => this.#federate(event))
    event.host = host
    if (origin.kind !== 's2s' && origin.kind !== 'upstream') return this.#enter(event)
    return this.#then(event, 'route/incoming', host, () => this.#enter(event))
  }

  /** What a host says to its own is not asked about again. */
  #enter(event: Incoming): void | Promise<unknown> {
    const { from, host } = event
    if (!host.hooks.has('route/arriving') || isOurError(event) || this.#domains.find(from.domain) === host)
      return this.#arrive(event)
    return this.#then(event, 'route/arriving', host, () => this.#arrive(event))
  }

  /** To a foreign domain, which no module of the sender's host has taken: the modules of the server. */
  #federate(event: Incoming): void | Promise<unknown> {
    return this.#then(event, 'route/remote', this.#scope, () =>
      event.refuse(new StanzaError('remote-server-not-found', 'this server does not federate'))
    )
  }

  #arrive(event: Incoming): void | Promise<unknown> {
    const { host, stanza, to } = event
    if (host.relay) return host.relay.stanza(event)
    if (stanza.name === 'iq' && !isRequest(stanza)) return this.#answerTo(event)
    return this.#run(event, `${stanza.name as StanzaKind}/${to.kind}`)
  }

  /** Runs a chain of that host's modules, and what follows unless one of them has taken the stanza. */
  #then(
    event: Incoming,
    name: string,
    { hooks }: Host,
    next: () => void | Promise<unknown>
  ): void | Promise<unknown> {
    if (!hooks.has(name)) return next()
    const result = this.#guarded(event, name, hooks)
    if (!isPromise(result)) return result === HANDLED ? undefined : next()
    return this.#watchdog.watch(
      event,
      result.then(handled => (handled === HANDLED ? undefined : next()))
    )
  }

  /** An iq result or error: for a request of ours, or for a client's (RFC 6121 §8.5.3.1). */
  #answerTo(event: Incoming): void {
    if (this.requests.answer(event.stanza, event.from)) return
    this.#deliver(event)
  }

  /** Whether an iq result or error was for a request of ours: asked when it is parsed, before any queue. */
  takesAnswer(stanza: Element, from: JID): boolean {
    return stanza.name === 'iq' && !isRequest(stanza) && this.requests.answer(stanza, from)
  }

  #deliver(event: Incoming): boolean {
    if (event.to.kind !== 'full') return false
    const session = event.host.sessions.get(event.to.local, event.to.resource)
    session?.send(event.stanza)
    return session !== undefined
  }

  #run(event: Incoming, name: string): void | Promise<unknown> {
    const result = this.#guarded(event, name, event.host.hooks)
    if (!isPromise(result)) return this.#after(event, name, result)
    return this.#watchdog.watch(
      event,
      result.then(handled => this.#after(event, name, handled))
    )
  }

  /** Runs one chain; what is thrown is answered and counts as HANDLED (fail closed). */
  #guarded(event: Incoming, name: string, hooks: Hooks): HandlerResult {
    const away = hooks.refusedBy(name)
    if (away !== undefined) {
      this.#repeated.warn(
        `away ${name} ${event.host.name}`,
        { event: name, module: away, host: event.host.name },
        'refused: the module that guards this is not running'
      )
      event.refuse(new StanzaError('service-unavailable'))
      return HANDLED
    }
    try {
      const result = hooks.run(name, event)
      if (!isPromise(result)) return result
      return result.catch((error: unknown) => {
        event.fail(error)
        return HANDLED
      })
    } catch (error) {
      event.fail(error)
      return HANDLED
    }
  }

  #after(event: Incoming, name: string, handled: typeof HANDLED | void): void | Promise<unknown> {
    if (handled === HANDLED) return
    if (event.stanza.name === 'iq' && name.startsWith('iq/')) return this.#iq(event)
    this.#unhandled(event)
  }

  /** RFC 6121 §8.5: an iq for a resource is delivered, all others are answered by the server for the addressee. */
  #iq(event: Incoming): void | Promise<unknown> {
    const { stanza, to } = event
    if (event.answered) return
    if (to.kind === 'full' && event.host.type === 'virtual' && to.local !== '') {
      if (!this.#deliver(event)) event.refuse(new StanzaError('service-unavailable'))
      return
    }
    const child = firstChild(stanza)
    const name = child && iqEvent(stanza.attrs.type as string, to.kind, nsOf(child) ?? '', child.name)
    if (name === undefined || !event.host.hooks.has(name))
      return event.refuse(new StanzaError('service-unavailable'))
    return this.#run(event, name)
  }

  #unhandled(event: Incoming): void {
    const { stanza } = event
    if (stanza.name === 'iq') return event.refuse(new StanzaError('service-unavailable'))
    // RFC 6121 §8.5.1: presence is dropped in silence; headlines and errors too.
    if (stanza.name !== 'message') return
    const type = stanza.attrs.type
    if (type === 'headline' || type === 'error') return
    event.refuse(new StanzaError('service-unavailable'))
  }

  /** Sends a stanza of a host; `from` is stamped where it is missing and must lie in one of the host's domains. */
  send(stanza: Element, host: Host): void {
    const claimed = stanza.attrs.from
    const stamped = claimed === undefined ? readdress(stanza, { from: host.name }) : stanza
    if (claimed !== undefined && this.#domains.find(JID.parse(claimed).domain) !== host) {
      throw new CodedError('ERR_SEND_FROM', `${host.name} cannot send as ${claimed}`)
    }
    const result = this.route(stamped, { kind: 'local', name: host.name })
    if (isPromise(result))
      result.catch((error: unknown) => this.#log.error({ err: error }, 'a stanza of ours failed'))
  }

  /** Sends an iq of a host and resolves with its result (RFC 6120 §8.2.3). */
  request(iq: Element, host: Host, options?: RequestOptions): Promise<Element> {
    const to = JID.parse(iq.attrs.to as string)
    const { id, answer } = this.requests.open(to, options)
    this.send(readdress(iq, { id, from: iq.attrs.from ?? host.name }), host)
    return answer
  }

  answer(event: Incoming, stanza: Element): void {
    const { origin } = event
    if (origin.session) return origin.session.send(stanza)
    if (origin.kind === 'local') {
      if (this.requests.answer(stanza, event.to)) return
      if (event.from.kind !== 'full') return this.#toHost(stanza, event)
    }
    this.#sendAnswer(stanza, event)
  }

  /** From whoever was addressed; its `from` is no address where that was none. */
  #sendAnswer(stanza: Element, { to, host }: Incoming): void {
    const result = this.carried(stanza, to, { kind: 'local', name: host.name })
    if (isPromise(result))
      result.catch((error: unknown) => this.#log.error({ err: error }, 'an answer failed'))
  }

  /** An error for something that a host sent goes to that host's handlers, which may be waiting for it. */
  #toHost(stanza: Element, event: Incoming): void {
    if (stanza.name !== 'iq') this.#sendAnswer(stanza, event)
  }

  fault(event: Incoming, error: unknown): void {
    const module = event.owner?.module ?? 'core'
    this.#faults.with(module).inc()
    this.#log.error(
      {
        err: error,
        module,
        host: event.host.name,
        stanza: event.stanza.name,
        id: event.stanza.attrs.id as string
      },
      'a handler failed'
    )
  }
}

/** What this server answers itself, also in the name of somebody elsewhere. */
function isOurError({ origin, stanza }: Incoming): boolean {
  return origin.kind === 'local' && stanza.attrs.type === 'error'
}

function pairOf({ from, to }: Incoming): string {
  return `${from.bare} ${to.bare}`
}

/** Whether a `from` that a client wrote is its own address in another spelling, or its bare JID. */
function isOwn(claimed: string, jid: JID): boolean {
  const parsed = JID.tryParse(claimed)
  return parsed !== undefined && (parsed.full === jid.full || parsed.full === jid.bare)
}
