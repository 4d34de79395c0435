import type tls from 'node:tls'
import { childrenOf, childText, nsOf } from '../../core/xml/element'
import type { Element } from '../../core/xml/element'
import { NS } from '../../core/xml/namespaces'
import { TcpChannel, WebSocketChannel } from './channel'
import type { ChannelOptions } from './channel'
import { Conversation } from './conversation'
import type { ConversationOptions } from './conversation'
import { pretty } from './print'
import { authenticate } from './sasl'

export interface ConnectOptions extends Partial<ChannelOptions>, ConversationOptions {
  port: number
  /** The domain that the stream is for. */
  domain: string
  /** `tcp` (STARTTLS by `startTls`), `tls` (direct TLS), `ws`, `wss`; `tcp` unless given. */
  transport?: 'tcp' | 'tls' | 'ws' | 'wss'
}

export interface Credentials {
  user: string
  password: string
  /** The best that both know unless given. */
  mechanism?: string
  authzid?: string
  /** What a -PLUS mechanism binds to; `tls-exporter` unless given. */
  binding?: string
  /** The hash of `tls-server-end-point`; that of the certificates of tests unless given. */
  bindingHash?: string
  /** The gs2 flag of SCRAM, where it is to be another than the right one. */
  flag?: string
}

export interface LoginOptions extends Credentials {
  resource?: string
  /** STARTTLS where it is offered; on unless given. */
  startTls?: boolean
}

/**
 * An XMPP client that does what a test tells it and nothing else: it answers no request, sends no presence, and keeps
 * what it received until the test asks.
 */
export class TestClient extends Conversation {
  /** The full JID, once bound. */
  jid = ''
  /** The features of the stream as it stands. */
  features: Element | undefined

  constructor(readonly options: ConnectOptions) {
    super(options)
  }

  static connect(options: ConnectOptions): Promise<TestClient> {
    return new TestClient(options).connect()
  }

  /** Connects, and does no more: the stream is opened by `open` or `login`. */
  async connect(): Promise<this> {
    const { transport = 'tcp' } = this.options
    const to = { host: '127.0.0.1', ...this.options, timeout: this.timeout }
    this.channel =
      transport === 'ws' || transport === 'wss'
        ? await WebSocketChannel.connect(to, this.listener(), transport === 'wss')
        : await TcpChannel.connect(to, this.listener(), transport === 'tls')
    return this
  }

  /** Opens a stream and waits for the server's header and features. */
  async open(attrs: Record<string, string> = {}): Promise<Element> {
    this.header = undefined
    this.channel.open({ to: this.domain, ...attrs })
    await this.until(() => this.header !== undefined, 'the stream header')
    const features = await this.next('the stream features')
    if (features.name !== 'features')
      throw this.problem(`expected the stream features, got:\n${pretty(features, '  ')}`)
    this.features = features
    return features
  }

  /** STARTTLS (RFC 6120 §5.4), and the new stream inside. */
  async startTls(): Promise<Element> {
    this.write(`<starttls xmlns='${NS.TLS}'/>`)
    await this.receives(`<proceed xmlns='${NS.TLS}'/>`)
    await this.channel.secure()
    return this.open()
  }

  /** SASL by RFC 6120 §6, and the new stream after it. Throws with the server's failure. */
  async authenticate(credentials: Credentials): Promise<Element> {
    await authenticate(this, credentials)
    return this.open()
  }

  /** Binds a resource (RFC 6120 §7) and returns the full JID. */
  async bind(resource?: string): Promise<string> {
    const wish = resource === undefined ? '' : `<resource>${resource}</resource>`
    const answer = await this.request(`<iq type='set'><bind xmlns='${NS.BIND}'>${wish}</bind></iq>`)
    const jid = childrenOf(answer, 'bind', NS.BIND).map(bind => childText(bind, 'jid'))[0]
    if (answer.attrs.type !== 'result' || !jid)
      throw this.problem(`bind was refused:\n${pretty(answer, '  ')}`)
    this.jid = jid
    return jid
  }

  /** Everything up to a bound resource; no presence is sent. */
  async login({ resource, startTls = true, ...credentials }: LoginOptions): Promise<this> {
    const features = await this.open()
    const offered = childrenOf(features, 'starttls', NS.TLS).length > 0
    if (startTls && offered && !this.channel.encrypted) await this.startTls()
    await this.authenticate(credentials)
    await this.bind(resource)
    return this
  }

  /** The TLS socket of a TCP connection, for channel bindings. */
  get tlsSocket(): tls.TLSSocket | undefined {
    return this.channel instanceof TcpChannel ? this.channel.tlsSocket : undefined
  }
}

/** The name of the defined condition in an error or failure, and its text where there is one. */
export function conditionOf(element: Element): string {
  const holder = childrenOf(element, 'error')[0] ?? element
  const condition = childrenOf(holder).find(child => child.name !== 'text' && nsOf(child) !== undefined)
  return condition?.name ?? 'no condition'
}
