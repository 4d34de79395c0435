import type { Gate } from '../events/gate'
import type { JID } from '../jid'
import { Carrier } from '../routing/carrier'
import type { Origin } from '../routing/origin'
import type { QueueLimits } from '../routing/queue'
import type { Router } from '../routing/router'
import type { PeerStream } from '../streams/s2s/backend'
import type { Element } from '../xml/element'
import type { FederationStream } from './api'
import type { Destination } from './destination'

/** What stanzas that come in are taken to. */
export interface Arrivals {
  router: Router
  gate: Gate
  /** What one stream may have under way. */
  limits(): QueueLimits
}

/** A stream, who sends over it, and how what it brings is taken in. */
export class Member {
  readonly users = new Set<Destination>()
  readonly #origins = new Map<string, Origin>()
  #carrier: Carrier | undefined

  /** @param key names it, in this process */
  constructor(
    readonly stream: PeerStream,
    readonly key: number
  ) {}

  /** A stanza of a pair that was verified on the stream. */
  arrived(
    { router, gate, limits }: Arrivals,
    stanza: Element,
    from: JID,
    bytes: number,
    ticket: number
  ): void {
    this.#carrier ??= new Carrier({ router, gate, limits: limits(), stream: this.stream })
    this.#carrier.stanza(stanza, from, bytes, this.#origin(from.domain), ticket)
  }

  #origin(domain: string): Origin {
    const known = this.#origins.get(domain)
    if (known) return known
    const origin: Origin = { kind: 's2s', name: domain }
    this.#origins.set(domain, origin)
    return origin
  }

  /** Whether that domain uses it. */
  serves(remote: string): boolean {
    const { stream } = this
    if (stream.remote === remote || stream.receives.hasRemote(remote)) return true
    for (const user of this.users) if (user.remote === remote) return true
    return false
  }

  describe(): FederationStream {
    const { key, stream } = this
    const { direction, remoteAddress, auth, bidi, since, unacknowledged } = stream
    const { secure: tls, managed: acks } = stream
    const pairs = this.#pairs()
    return { key, direction, remoteAddress, tls, auth, bidi, acks, since, unacknowledged, pairs }
  }

  #pairs(): FederationStream['pairs'] {
    const pairs = new Map<string, FederationStream['pairs'][number]>()
    for (const { local, remote } of this.stream.receives)
      pairs.set(`${local} ${remote}`, { local, remote, sends: false, receives: true })
    for (const { local, remote, stream } of this.users) {
      const pair = `${local} ${remote}`
      const receives = pairs.has(pair)
      pairs.set(pair, { local, remote, sends: stream === this.stream, receives })
    }
    return [...pairs.values()]
  }
}
