import type { Socket } from 'node:net'
import { Allowances } from './allowances'
import type { StreamKind } from './kinds'
import type { Networks } from './source'
import { sourceOf } from './source'

/** How a connection came, as it is counted. */
export type TransportName = 'tcp' | 'tls' | 'websocket'

/** What is counted apart: streams by kind, and what speaks HTTP. */
export type ConnectionKind = StreamKind | 'http'

/** For connections of one kind; 0 is no bound. */
export interface AddressBounds {
  /** Connections of one address at a time. */
  perAddress: number
  /** New connections of one address within a minute; as many may come at once. */
  perMinute: number
}

export interface AdmissionPolicy {
  kinds: Partial<Record<ConnectionKind, AddressBounds>>
  /** Connections on which nobody has logged in, in all; beyond, the oldest of them makes room. 0 is no bound. */
  unauthenticated: number
  /** The same of one address; beyond, new ones are refused. */
  unauthenticatedPerAddress: number
  /** Not counted by address: this machine, proxies. */
  trusted: Networks
}

/** What is given up for others. */
export interface Evictable {
  lose(reason: string): void
}

/** Why a connection was not taken, or was given up for another. */
export type Refusal = 'address' | 'rate' | 'unauthenticated'

/** Who is told of what is counted. */
export interface AdmissionWatcher {
  changed(kind: ConnectionKind, transport: TransportName, by: 1 | -1): void
  refused(kind: ConnectionKind, why: Refusal, address: string): void
}

/** The place of a connection among those of its address, for as long as it lasts. */
export interface Ticket {
  /** Given up where others need its place. */
  connection: Evictable | undefined
  /** Somebody has logged in, or the peer has shown who it is. */
  authenticated(): void
  /** The connection is gone. May be called again. */
  leave(): void
}

/** Addresses whose connections within the last minute are remembered. */
const MOST_RATES = 20_000

interface Place {
  connections: number
  unauthenticated: number
}

/**
 * Counts connections by kind and address, and says which are taken (XEP-0205 §4.1, §4.2). There is no error for who
 * is refused: the connection ends.
 */
export class Admission {
  policy: AdmissionPolicy
  readonly #now: () => number
  readonly #watcher: AdmissionWatcher
  readonly #places = new Map<string, Place>()
  readonly #rates = new Allowances(MOST_RATES)
  /** In the order in which they came. */
  readonly #strangers = new Set<OneTicket>()

  constructor(policy: AdmissionPolicy, watcher: AdmissionWatcher, now: () => number = Date.now) {
    this.policy = policy
    this.#watcher = watcher
    this.#now = now
  }

  /** Connections on which nobody has logged in yet. */
  get unauthenticated(): number {
    return this.#strangers.size
  }

  /** How many addresses have connections. */
  get addresses(): number {
    return this.#places.size
  }

  /** Takes a connection that was accepted, or ends it and returns undefined. `connection` has it from then on. */
  accept(kind: ConnectionKind, transport: TransportName, socket: Socket): Ticket | undefined {
    const ticket = this.enter(kind, transport, socket.remoteAddress ?? '')
    if (!ticket) socket.destroy()
    return ticket
  }

  /** Counts a connection, or refuses it. */
  enter(kind: ConnectionKind, transport: TransportName, address: string): Ticket | undefined {
    const { policy } = this
    const trusted = policy.trusted.has(address)
    const source = sourceOf(address)
    const key = `${kind} ${source}`
    const refusal = trusted ? undefined : this.#refusal(kind, key)
    if (refusal) {
      this.#watcher.refused(kind, refusal, address)
      return undefined
    }
    const place = this.#places.get(key) ?? { connections: 0, unauthenticated: 0 }
    this.#places.set(key, place)
    place.connections++
    const ticket = new OneTicket(this, kind, transport, key, place)
    this.#watcher.changed(kind, transport, 1)
    // Nobody logs in there
    if (kind === 'http') return ticket
    place.unauthenticated++
    this.#strangers.add(ticket)
    if (policy.unauthenticated > 0 && this.#strangers.size > policy.unauthenticated) this.#makeRoom()
    return ticket
  }

  /** Counts a connection that we opened ourselves: nobody refuses it. */
  outgoing(kind: ConnectionKind, transport: TransportName): Ticket {
    this.#watcher.changed(kind, transport, 1)
    return new OneTicket(this, kind, transport, '', undefined)
  }

  #refusal(kind: ConnectionKind, key: string): Refusal | undefined {
    const { kinds, unauthenticatedPerAddress } = this.policy
    const { perAddress = 0, perMinute = 0 } = kinds[kind] ?? {}
    const place = this.#places.get(key)
    if (perMinute > 0 && !this.#rates.take(key, perMinute, 60_000, this.#now())) return 'rate'
    if (perAddress > 0 && (place?.connections ?? 0) >= perAddress) return 'address'
    if (unauthenticatedPerAddress > 0 && (place?.unauthenticated ?? 0) >= unauthenticatedPerAddress)
      return 'unauthenticated'
    return undefined
  }

  /** Whoever logs in does so at once: those who came long ago and have not are not missed. */
  #makeRoom(): void {
    const [oldest] = this.#strangers
    if (!oldest) return
    this.#watcher.refused(oldest.kind, 'unauthenticated', oldest.key.split(' ')[1] ?? '')
    oldest.authenticated()
    oldest.connection?.lose('others want to log in, and it has not')
  }

  /** For tickets. */
  known(ticket: OneTicket): void {
    if (this.#strangers.delete(ticket) && ticket.place) ticket.place.unauthenticated--
  }

  /** For tickets. */
  left({ kind, transport, key, place }: OneTicket): void {
    this.#watcher.changed(kind, transport, -1)
    if (place && --place.connections === 0) this.#places.delete(key)
  }
}

class OneTicket implements Ticket {
  connection: Evictable | undefined
  #left = false

  constructor(
    private readonly admission: Admission,
    readonly kind: ConnectionKind,
    readonly transport: TransportName,
    readonly key: string,
    readonly place: Place | undefined
  ) {}

  authenticated(): void {
    this.admission.known(this)
  }

  leave(): void {
    if (this.#left) return
    this.#left = true
    this.admission.known(this)
    this.admission.left(this)
    this.connection = undefined
  }
}
