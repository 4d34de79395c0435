import type { Socket } from 'node:net'
import { TLSSocket, type SecureContext, type TLSSocketOptions } from 'node:tls'
import type { XmlLimits } from '../xml/limits'
import { channelBindings, type ChannelBindings } from './channel-binding'
import { Connection } from './connection'
import { TCP_FRAMING, type Framing } from './framing'

const CONNECTION = Symbol('connection')

interface Owned {
  [CONNECTION]?: SocketConnection
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

/** How TLS is negotiated on a connection that begins with it (XEP-0368). */
export interface DirectTls {
  /** For a client that names no domain. */
  secureContext: SecureContext
  SNICallback: NonNullable<TLSSocketOptions['SNICallback']>
  /** As `tls.convertALPNProtocols` makes them. */
  ALPNProtocols: Buffer
}

/** XMPP over TCP, with TLS from the start or after STARTTLS. The socket must allow half-open connections. */
export class SocketConnection extends Connection {
  readonly transport: 'tcp' | 'tls'
  #socket: Socket
  #secure = false
  #output = ''
  #reason = 'the connection ended'

  /** @param framing of clients' streams unless given */
  constructor(
    socket: Socket,
    limits: XmlLimits,
    direct?: DirectTls,
    readonly framing: Framing = TCP_FRAMING
  ) {
    super(socket.remoteAddress, 'stream', limits, framing.contentNs)
    this.transport = direct ? 'tls' : 'tcp'
    this.#socket = socket
    if (direct) this.#encrypt(direct)
    else this.#attach()
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
    delete socket[CONNECTION]
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

  protected transmit(): void {
    const output = this.#output
    this.#output = ''
    if (!this.#socket.write(output)) this.blocked = true
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
    if (this.#output !== '') this.transmit()
    this.#socket.end()
  }

  protected destroyTransport(): void {
    this.#output = ''
    this.#socket.destroy()
  }

  keepalive(): void {
    this.send(' ')
  }

  startTls(secureContext: SecureContext, proceed: string): boolean {
    // RFC 6120 §5.4.3.3: what came behind <starttls/> was not protected and must not count as if it were
    if (this.parser.stop().length > 0 || this.blocked) return false
    this.send(proceed)
    this.flush()
    this.#detach()
    this.blocked = false
    this.#encrypt({ secureContext })
    return true
  }

  #encrypt(options: Partial<DirectTls>): void {
    // A client certificate is not asked for: no mechanism here makes use of one.
    this.#socket = new TLSSocket(this.#socket, { isServer: true, requestCert: false, ...(options as object) })
    this.#attach()
    this.#socket.on('secure', onSecure)
  }

  onData(chunk: Buffer): void {
    this.read(chunk)
  }

  onDrain(): void {
    this.drained()
  }

  onEnd(): void {
    if (this.ended) return
    this.owner?.streamEnd()
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
