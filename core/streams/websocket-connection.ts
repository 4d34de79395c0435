import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { WebSocket } from 'ws'
import { StreamError } from '../errors'
import type { XmlLimits } from '../xml/limits'
import { channelBindings, type ChannelBindings } from './channel-binding'
import { Connection } from './connection'
import { WEBSOCKET_FRAMING, type Framing } from './framing'
import { coarseNow } from './sweeper'

const CONNECTION = Symbol('connection')

/** UTF-16 units after which the socket must have taken what it was given. */
const AT_ONCE = 65_536

interface Owned {
  [CONNECTION]?: WebSocketConnection
}

function connectionOf(emitter: WebSocket | Socket): WebSocketConnection | undefined {
  return (emitter as Owned)[CONNECTION]
}

function onMessage(this: WebSocket, data: Buffer, isBinary: boolean): void {
  connectionOf(this)?.onMessage(data, isBinary)
}
function onPong(this: WebSocket): void {
  connectionOf(this)?.onPong()
}
function onError(this: WebSocket, error: Error): void {
  connectionOf(this)?.onSocketError(error)
}
function onClosed(this: WebSocket): void {
  connectionOf(this)?.onClosed()
}
function onDrain(this: Socket): void {
  connectionOf(this)?.onDrain()
}

/** XMPP over WebSocket (RFC 7395): every element is a message of its own. */
export class WebSocketConnection extends Connection {
  readonly #webSocket: WebSocket
  readonly #socket: Socket
  readonly #secure: boolean
  #frames: string[] = []
  #reason = 'the connection ended'

  /**
   * @param socket the one below, whose output buffer is watched
   * @param remoteAddress of the client, where the socket is a proxy's
   */
  constructor(
    webSocket: WebSocket,
    socket: Socket,
    secure: boolean,
    limits: XmlLimits,
    remoteAddress: string | undefined = socket.remoteAddress
  ) {
    super(remoteAddress, 'frame', limits)
    this.#webSocket = webSocket
    this.#socket = socket
    this.#secure = secure
    ;(webSocket as WebSocket & Owned)[CONNECTION] = this
    ;(socket as Socket & Owned)[CONNECTION] = this
    webSocket.on('message', onMessage).on('pong', onPong).on('error', onError).on('close', onClosed)
    socket.on('drain', onDrain)
  }

  get transport(): 'websocket' {
    return 'websocket'
  }

  get secure(): boolean {
    return this.#secure
  }

  get framing(): Framing {
    return WEBSOCKET_FRAMING
  }

  // Behind a proxy that ends TLS there is nothing to bind to.
  override get channelBindings(): ChannelBindings | undefined {
    return this.#socket instanceof TLSSocket ? channelBindings(this.#socket) : undefined
  }

  protected append(xml: string): void {
    this.#frames.push(xml)
  }

  protected transmit(): number {
    const frames = this.#frames
    let sent = 0
    let at = 0
    this.#socket.cork()
    for (; at < frames.length && sent < AT_ONCE; at++) {
      const frame = frames[at] as string
      this.#webSocket.send(frame)
      sent += frame.length
    }
    this.#socket.uncork()
    this.#frames = at === frames.length ? [] : frames.slice(at)
    this.blocked = this.#socket.writableNeedDrain || this.#frames.length > 0
    return this.#frames.reduce((left, frame) => left + frame.length, 0)
  }

  protected get backlog(): number {
    return this.#webSocket.bufferedAmount
  }

  protected pauseTransport(): void {
    this.#webSocket.pause()
  }

  protected resumeTransport(): void {
    this.#webSocket.resume()
  }

  protected endTransport(): void {
    for (const frame of this.#frames) this.#webSocket.send(frame)
    this.#frames = []
    this.#webSocket.close(1000)
  }

  protected destroyTransport(): void {
    this.#frames = []
    this.#webSocket.terminate()
  }

  // RFC 7395 §3.8: white space must not be used
  keepalive(): void {
    // Whoever takes nothing at the moment would only have more to take
    if (this.blocked) return
    if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#webSocket.ping()
    this.lastWrite = coarseNow()
  }

  // RFC 7395 §3.9
  startTls(): boolean {
    return false
  }

  onMessage(data: Buffer, isBinary: boolean): void {
    if (this.ended) return
    // RFC 7395 §3.2
    if (isBinary) this.onError(new StreamError('bad-format', 'a message must be text'))
    else this.read(data)
  }

  onPong(): void {
    this.lastRead = coarseNow()
  }

  onDrain(): void {
    this.drained()
  }

  onSocketError(error: Error & { code?: string }): void {
    this.#reason = `the connection failed: ${error.code ?? error.message}`
  }

  onClosed(): void {
    this.closed(this.#reason)
  }
}
