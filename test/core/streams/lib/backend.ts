import { createHash } from 'node:crypto'
import { Gate } from '../../../../core/events/gate'
import { Items } from '../../../../core/events/items'
import type { JID } from '../../../../core/jid'
import type { Log } from '../../../../core/log'
import { Metrics } from '../../../../core/metrics'
import { SessionRegistry } from '../../../../core/hosts/sessions'
import type { StreamBackend, StreamSession } from '../../../../core/streams/backend'
import { newCredentials, passwordMechanisms, type Credentials } from '../../../../core/streams/sasl'
import { ManagedSessions } from '../../../../core/streams/smacks'
import { el, firstChild, nsOf, type Element } from '../../../../core/xml/element'
import type { SecureContext } from 'node:tls'

/** A host as the streams see it. */
export class FakeHost {
  readonly items = new Items()
  readonly sessions = new SessionRegistry()

  constructor(readonly name: string) {}
}

/** What a stream told the floors above. */
export type Told =
  | { what: 'authenticated' | 'bound'; session: StreamSession }
  | { what: 'stanza'; session: StreamSession; stanza: Element; bytes: number }
  | { what: 'closed'; session: StreamSession; reason: string }

/**
 * A server behind the streams: one account, juliet with the password `r0m30myr0m30`, on each host; answers pings,
 * returns messages to their sender, and notes what it is told.
 */
export class FakeBackend implements StreamBackend {
  readonly gate = new Gate()
  readonly hosts = new Map<string, FakeHost>()
  readonly told: Told[] = []
  readonly logged: Array<{ level: string; data: unknown; message: string | undefined }> = []
  readonly log: Log
  readonly managed = new ManagedSessions(new Metrics())
  context: SecureContext | undefined
  contexts = new Map<string, SecureContext>()
  /** What `bind` does beside registering. */
  onBind: (session: StreamSession, jid: JID) => void | Promise<void> = () => {}
  onStanza: (session: StreamSession, stanza: Element) => void = answer
  onStreamElement: (session: StreamSession, element: Element) => boolean = () => false
  #credentials: Credentials | undefined

  constructor(...names: string[]) {
    for (const name of names) this.hosts.set(name, new FakeHost(name))
    const write =
      (level: string) =>
      (data: unknown, message?: string): void =>
        void this.logged.push({ level, data, message: typeof data === 'string' ? data : message })
    this.log = Object.assign(
      Object.fromEntries(
        ['fatal', 'error', 'warn', 'info', 'debug', 'trace'].map(level => [level, write(level)])
      ),
      { child: () => this.log, isLevelEnabled: () => true }
    ) as unknown as Log
  }

  /** With the password mechanisms on every host. */
  static async make(...names: string[]): Promise<FakeBackend> {
    const backend = new FakeBackend(...names)
    backend.#credentials = await newCredentials('r0m30myr0m30', { iterations: 1000 })
    const accounts = {
      secret: Buffer.alloc(32),
      iterations: 1000,
      find: async (user: string) =>
        user === 'juliet' && backend.#credentials
          ? { credentials: backend.#credentials, disabled: false }
          : undefined
    }
    for (const host of backend.hosts.values())
      for (const mechanism of passwordMechanisms(accounts))
        host.items.add('sasl-mechanism', mechanism, 'test')
    return backend
  }

  host(domain: string): FakeHost | undefined {
    return this.hosts.get(domain)
  }

  defaultDomain(): string {
    return this.hosts.keys().next().value ?? ''
  }

  secureContext(domain: string): SecureContext | undefined {
    return this.contexts.get(domain) ?? this.context
  }

  stableName(domain: string, user: string, what: string): string {
    return createHash('sha256').update(`${domain} ${user} ${what}`).digest('base64url').slice(0, 12)
  }

  authenticated(session: StreamSession): void {
    this.told.push({ what: 'authenticated', session })
  }

  settled(): undefined {}

  bind(session: StreamSession, jid: JID): void | Promise<void> {
    this.hosts.get(session.domain)?.sessions.add(jid.local, jid.resource, session)
    this.told.push({ what: 'bound', session })
    return this.onBind(session, jid)
  }

  stanza(session: StreamSession, stanza: Element, bytes: number): void {
    this.told.push({ what: 'stanza', session, stanza, bytes })
    this.onStanza(session, stanza)
  }

  streamElement(session: StreamSession, element: Element): boolean {
    return this.onStreamElement(session, element)
  }

  closed(session: StreamSession, reason: string): void {
    const { jid } = session
    if (jid) this.hosts.get(session.domain)?.sessions.remove(jid.local, jid.resource, session)
    this.told.push({ what: 'closed', session, reason })
  }

  /** How often something was told. */
  count(what: Told['what']): number {
    return this.told.filter(told => told.what === what).length
  }
}

function answer(session: StreamSession, stanza: Element): void {
  const { id, to, type } = stanza.attrs as Record<string, string | undefined>
  if (stanza.name === 'message') {
    session.send(el('message', { ...stanza.attrs, to: session.jid?.full, from: to }, stanza.children))
  } else if (stanza.name === 'iq' && (type === 'get' || type === 'set')) {
    const ping = firstChild(stanza)
    if (ping && nsOf(ping) === 'urn:xmpp:ping') session.send(el('iq', { type: 'result', id, from: to }))
  }
}
