import { isIP, type Socket } from 'node:net'
import { connect as tlsConnect, TLSSocket, type SecureContext, type TLSSocketOptions } from 'node:tls'
import type { XmlLimits } from '../xml/limits'
import { channelBindings, type ChannelBindings } from './channel-binding'
import { anchorsOf, serverChainProblem, shownChain, type Anchors } from './chain'
import { Connection } from './connection'
import { TCP_FRAMING, type Framing } from './framing'
import type { PeerCertificate } from './identity'

const CONNECTION = Symbol('connection')
const ANCHORS = Symbol('anchors')

/** Of Node's own sockets. */
interface Verifying {
  verifyError?(): (Error & { code?: string }) | null | undefined
}

/** What the socket is given at once, in UTF-16 units: it tells when it has passed that on. */
const PIECE = 65_536

interface Owned {
  [CONNECTION]?: SocketConnection | undefined
  /** Whom a peer is believed by that is asked for its certificate. */
  [ANCHORS]?: Anchors
}

// One set of listeners for all sockets: a bound one for each would be most of what an idle connection costs.
function onData(this: Owned, chunk: Buffer): void {
  this[CONNECTION]?.onData(chunk)
}
function onDrain(this: Owned): void {
  this[CONNECTION]?.onDrain()
}
function onEnd(this: Owned): void {
  this[CONNECTION]?.onEnd()
}
function onError(this: Owned, error: Error): void {
  this[CONNECTION]?.onSocketError(error)
}
function onClosed(this: Owned): void {
  this[CONNECTION]?.onClosed()
}
function onSecure(this: Owned): void {
  this[CONNECTION]?.onSecure()
}

/** How TLS is accepted. */
export interface AcceptTls {
  /** For a peer that names no domain, or after STARTTLS. */
  secureContext: SecureContext
  SNICallback?: TLSSocketOptions['SNICallback']
  /** As `tls.convertALPNProtocols` makes them. */
  ALPNProtocols?: Buffer
  /**
   * Asks the peer for a certificate. That it has none, or none that is trusted, ends nothing: see
   * `peerCertificate`.
   */
  requestCert?: boolean
}

/** How TLS is accepted on a connection that begins with it (XEP-0368). */
export interface DirectTls extends AcceptTls {
  SNICallback: NonNullable<TLSSocketOptions['SNICallback']>
  ALPNProtocols: Buffer
}

/**
 * How TLS is negotiated with a server that we have connected to. Its certificate is not judged here: see
 * `peerCertificate`.
 */
export interface ConnectTls {
  /** With our own certificate, for a server that asks for it. */
  secureContext: SecureContext
  /** The domain in A-labels, which the server chooses its certificate by (XEP-0368 §3). */
  servername: string
  /** `xmpp-server`, where the connection begins with TLS. */
  alpn?: string
}

/** XMPP over TCP, with TLS from the start or after STARTTLS. The socket must allow half-open connections. */
export class SocketConnection extends Connection {
  readonly transport: 'tcp' | 'tls'
  #socket: Socket
  #secure = false
  #peer: PeerCertificate | undefined
  #output = ''
  #reason = 'the connection ended'

  /**
   * @param direct given where the connection begins with TLS
   * @param framing of clients' streams unless given
   */
  constructor(
    socket: Socket,
    limits: XmlLimits,
    direct?: DirectTls | ConnectTls,
    readonly framing: Framing = TCP_FRAMING
  ) {
    super(socket.remoteAddress, 'stream', limits, framing.contentNs)
    this.transport = direct ? 'tls' : 'tcp'
    this.#socket = socket
    if (!direct) this.#attach()
    else if ('servername' in direct) this.#connectTls(direct)
    else this.#acceptTls(direct)
  }

  get secure(): boolean {
    return this.#secure
  }

  override get channelBindings(): ChannelBindings | undefined {
    return this.#secure && this.#socket instanceof TLSSocket ? channelBindings(this.#socket) : undefined
  }

  #attach(): void {
    const socket = this.#socket as Socket & Owned
    socket[CONNECTION] = this
    socket.on('data', onData).on('drain', onDrain).on('end', onEnd).on('error', onError).on('close', onClosed)
  }

  #detach(): void {
    const socket = this.#socket as Socket & Owned
    // Deleting it would make a slow object of the socket, a KiB larger, for as long as the connection lives.
    socket[CONNECTION] = undefined
    socket
      .off('data', onData)
      .off('drain', onDrain)
      .off('end', onEnd)
      .off('error', onError)
      .off('close', onClosed)
  }

  protected append(xml: string): void {
    this.#output = this.#output === '' ? xml : this.#output + xml
  }

  protected transmit(): number {
    while (this.#output !== '' && !this.blocked) {
      const end = boundary(this.#output, PIECE)
      const piece = this.#output.slice(0, end)
      this.#output = this.#output.slice(end)
      this.blocked = !this.#socket.write(piece)
    }
    return this.#output.length
  }

  protected get backlog(): number {
    return this.#socket.writableLength
  }

  protected pauseTransport(): void {
    this.#socket.pause()
  }

  protected resumeTransport(): void {
    this.#socket.resume()
  }

  protected endTransport(): void {
    if (this.#output !== '') this.#socket.write(this.#output)
    this.#output = ''
    this.#socket.end()
  }

  protected destroyTransport(): void {
    this.#output = ''
    this.#socket.destroy()
  }

  keepalive(): void {
    this.send(' ')
  }

  /** What the peer has shown in TLS; undefined where it has shown nothing. */
  get peerCertificate(): PeerCertificate | undefined {
    const socket = this.#socket
    if (!this.#secure || !(socket instanceof TLSSocket)) return undefined
    // Node 20 shows a server's certificate once only. And what a renegotiation brings must not be mixed with it.
    return (this.#peer ??= shownIn(socket))
  }

  startTls(
    secureContext: SecureContext,
    proceed: string,
    options: Omit<AcceptTls, 'secureContext'> = {}
  ): boolean {
    // RFC 6120 §5.4.3.3: what came behind <starttls/> was not protected and must not count as if it were
    if (this.parser.stop().length > 0 || this.blocked) return false
    this.send(proceed)
    this.flush()
    this.#detach()
    this.blocked = false
    this.#acceptTls({ ...options, secureContext })
    return true
  }

  /** To be called when the server has said <proceed/>; false where more came behind it (RFC 6120 §5.4.3.3). */
  proceedTls(options: ConnectTls): boolean {
    if (this.parser.stop().length > 0 || this.blocked) return false
    this.#detach()
    this.#connectTls(options)
    return true
  }

  #acceptTls(options: AcceptTls): void {
    this.#socket = new TLSSocket(this.#socket, {
      requestCert: false,
      ...(options as object),
      isServer: true,
      // Whoever needs the certificate looks at it
      rejectUnauthorized: false
    })
    const anchors = options.requestCert ? anchorsOf.get(options.secureContext) : undefined
    if (anchors) (this.#socket as Owned)[ANCHORS] = anchors
    this.#attach()
    this.#socket.on('secure', onSecure)
  }

  #connectTls({ secureContext, servername, alpn }: ConnectTls): void {
    this.#socket = tlsConnect({
      socket: this.#socket,
      secureContext,
      // RFC 6066 §3: addresses are no names
      ...(isIP(servername) === 0 ? { servername } : {}),
      ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
      rejectUnauthorized: false,
      // RFC 6125 knows more names than Node does: see identity.ts
      checkServerIdentity: () => undefined
    })
    this.#attach()
    this.#socket.on('secureConnect', onSecure)
  }

  onData(chunk: Buffer): void {
    this.read(chunk)
  }

  onDrain(): void {
    this.drained()
  }

  onEnd(): void {
    if (this.ended) return
    const { owner } = this
    if (owner?.cut) owner.cut()
    else owner?.streamEnd()
  }

  onSocketError(error: Error & { code?: string }): void {
    this.#reason = `the connection failed: ${error.code ?? error.message}`
  }

  onClosed(): void {
    this.closed(this.#reason)
  }

  onSecure(): void {
    if (this.ended) return
    this.#secure = true
    this.restart()
    this.owner?.secured()
  }
}

/** Where a text may be cut: not inside a character. */
function boundary(text: string, at: number): number {
  const unit = at < text.length ? text.charCodeAt(at - 1) : 0
  return unit >= 0xd800 && unit < 0xdc00 ? at + 1 : at
}

function shownIn(socket: TLSSocket): PeerCertificate | undefined {
  const anchors = (socket as Owned)[ANCHORS]
  // In this order: Node 20 forgets the chain when it is asked for the certificate.
  const chain = anchors ? shownChain(socket) : []
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return undefined
  // Node says `authorized` of sockets of its own servers only; where it keeps this away, nobody is trusted.
  const handle = (socket as unknown as { _handle?: Verifying | null })._handle
  if (!handle?.verifyError) return { certificate, trusted: false, reason: 'not verified' }
  const error = handle.verifyError()
  if (!error) return { certificate, trusted: true }
  const { code = 'unknown reason' } = error
  const reason = code === 'INVALID_PURPOSE' && anchors ? serverChainProblem(chain, anchors) : code
  return { certificate, trusted: reason === undefined, reason }
}
