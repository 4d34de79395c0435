import net from 'node:net'
import tls from 'node:tls'
import WebSocket from 'ws'
import { el } from '../../core/xml/element'
import type { Element } from '../../core/xml/element'
import { NS } from '../../core/xml/namespaces'
import { StreamReader } from './reader'

export interface ChannelEvents {
  header(attrs: Record<string, string>): void
  stanza(stanza: Element): void
  /** The server closed its stream. */
  end(): void
  /** The socket is gone. */
  closed(): void
  /** What the server sent is no XMPP. */
  fault(error: Error): void
}

export interface ChannelOptions {
  host: string
  port: number
  /** Where TCP connections come from, such as 127.0.0.2. */
  localAddress?: string
  /** The server's name in TLS. */
  domain: string
  /** `ca`, `minVersion`, `cert`…; without a `ca` any certificate will do. */
  tls?: tls.ConnectionOptions
  /** WebSocket: the path, and what a browser would send as Origin. */
  path?: string
  origin?: string
  /** Milliseconds until a connection attempt fails. */
  timeout: number
}

/** What lies between a test client and the server: TCP with or without TLS, or WebSocket (RFC 7395). */
export interface Channel {
  /** Sends these very bytes; on a WebSocket they are one frame. */
  write(data: string | Uint8Array): void
  /** Opens a new stream on the channel: what came before belongs to the old one. */
  open(attrs: Record<string, string>): void
  /** Closes the stream politely. */
  close(): void
  /** Ends the writing side without closing the stream. */
  endWriting(): void
  /** Reads no more, as a peer that has stopped: the server's writes pile up. */
  pause(): void
  resume(): void
  destroy(): void
  secure(): Promise<void>
  readonly encrypted: boolean
  readonly tlsVersion: string | undefined
}

/** A connection that was refused or did not come about in time. */
async function established(
  socket: net.Socket,
  event: 'connect' | 'secureConnect',
  timeout: number
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => fail(new Error(`no ${event} within ${timeout} ms`)), timeout)
    const fail = (error: Error): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    const gone = (): void => fail(new Error(`the server closed the connection before ${event}`))
    socket.once('error', fail)
    socket.once('close', gone)
    socket.once(event, () => {
      clearTimeout(timer)
      socket.off('error', fail)
      socket.off('close', gone)
      resolve()
    })
  })
}

function tlsOptions(options: ChannelOptions): tls.ConnectionOptions {
  const given = options.tls ?? {}
  return {
    servername: net.isIP(options.domain) === 0 ? options.domain : undefined,
    rejectUnauthorized: given.ca !== undefined,
    ...given
  }
}

export class TcpChannel implements Channel {
  #reader: StreamReader | undefined

  private constructor(
    private socket: net.Socket,
    private readonly options: ChannelOptions,
    private readonly events: ChannelEvents
  ) {
    this.#listen()
  }

  /** Connects, over TLS at once where `direct` (XEP-0368). */
  static async connect(options: ChannelOptions, events: ChannelEvents, direct: boolean): Promise<TcpChannel> {
    const { host, port, localAddress, timeout } = options
    // tls.connect hands the local address on to net.connect, which its types do not know
    const address = { host, port, localAddress }
    const socket = direct
      ? tls.connect({ ...address, ALPNProtocols: ['xmpp-client'], ...tlsOptions(options) })
      : net.connect({ ...address, noDelay: true })
    await established(socket, direct ? 'secureConnect' : 'connect', timeout)
    return new TcpChannel(socket, options, events)
  }

  /** For a socket that was accepted. */
  static over(socket: net.Socket, options: ChannelOptions, events: ChannelEvents): TcpChannel {
    return new TcpChannel(socket, options, events)
  }

  get encrypted(): boolean {
    return this.socket instanceof tls.TLSSocket
  }

  get tlsVersion(): string | undefined {
    return this.socket instanceof tls.TLSSocket ? (this.socket.getProtocol() ?? undefined) : undefined
  }

  /** The TLS socket, for channel bindings; undefined without TLS. */
  get tlsSocket(): tls.TLSSocket | undefined {
    return this.socket instanceof tls.TLSSocket ? this.socket : undefined
  }

  /** The socket as it is now: with TLS, that of TLS. */
  get rawSocket(): net.Socket {
    return this.socket
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data)
  }

  open(attrs: Record<string, string>): void {
    this.#reader = undefined
    const written = Object.entries({ version: '1.0', xmlns: NS.CLIENT, ...attrs })
      .map(([name, value]) => ` ${name}='${value}'`)
      .join('')
    this.write(`<?xml version='1.0'?><stream:stream xmlns:stream='${NS.STREAM}'${written}>`)
  }

  close(): void {
    this.write('</stream:stream>')
  }

  endWriting(): void {
    this.socket.end()
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  destroy(): void {
    this.socket.destroy()
  }

  async secure(): Promise<void> {
    const plain = this.socket
    for (const event of ['data', 'close', 'error'] as const) plain.removeAllListeners(event)
    const socket = tls.connect({ socket: plain, ...tlsOptions(this.options) })
    await established(socket, 'secureConnect', this.options.timeout)
    this.socket = socket
    this.#listen()
  }

  #listen(): void {
    this.socket.on('data', (chunk: Buffer) => this.#read(chunk))
    this.socket.on('close', () => this.events.closed())
    // A reset connection is a closed one; what a test expects of it, it says.
    this.socket.on('error', () => undefined)
  }

  #read(chunk: Buffer): void {
    try {
      this.#reader ??= new StreamReader(this.events)
      this.#reader.write(chunk)
    } catch (error) {
      this.events.fault(error as Error)
      this.destroy()
    }
  }
}

const NO_NAMESPACE = 'urn:balcony:no-namespace'

export class WebSocketChannel implements Channel {
  private constructor(
    private readonly socket: WebSocket,
    private readonly options: ChannelOptions,
    private readonly events: ChannelEvents,
    readonly encrypted: boolean
  ) {
    socket.on('message', (data: Buffer, binary: boolean) => this.#read(data, binary))
    socket.on('close', () => this.events.closed())
    socket.on('error', () => undefined)
  }

  static async connect(
    options: ChannelOptions,
    events: ChannelEvents,
    secure: boolean
  ): Promise<WebSocketChannel> {
    const { host, port, path = '/xmpp-websocket', origin, timeout } = options
    const socket = new WebSocket(`${secure ? 'wss' : 'ws'}://${host}:${port}${path}`, 'xmpp', {
      origin,
      handshakeTimeout: timeout,
      perMessageDeflate: false,
      ...(secure ? tlsOptions(options) : {})
    })
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    return new WebSocketChannel(socket, options, events, secure)
  }

  get tlsVersion(): string | undefined {
    return undefined
  }

  write(data: string | Uint8Array): void {
    this.socket.send(data)
  }

  open(attrs: Record<string, string>): void {
    const written = Object.entries({ version: '1.0', ...attrs })
      .map(([name, value]) => ` ${name}='${value}'`)
      .join('')
    this.write(`<open xmlns='${NS.FRAMING}'${written}/>`)
  }

  close(): void {
    this.write(`<close xmlns='${NS.FRAMING}'/>`)
  }

  endWriting(): void {
    this.socket.close()
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  destroy(): void {
    this.socket.terminate()
  }

  secure(): Promise<void> {
    return Promise.reject(new Error(`no STARTTLS on a WebSocket to ${this.options.domain} (RFC 7395 §3.9)`))
  }

  #read(data: Buffer, binary: boolean): void {
    try {
      if (binary) throw new Error('the server sent a binary frame, which RFC 7395 §3.2 does not know')
      const element = readFrame(data)
      if (element.name === 'open' && element.attrs.xmlns === NS.FRAMING) this.events.header(element.attrs)
      else if (element.name === 'close' && element.attrs.xmlns === NS.FRAMING) this.events.end()
      else this.events.stanza(element)
    } catch (error) {
      this.events.fault(error as Error)
      this.destroy()
    }
  }
}

/** RFC 7395 §3.3.1: a frame is one element that stands alone, with all its namespaces. */
function readFrame(data: Buffer): Element {
  const found: Element[] = []
  const reader = new StreamReader({
    header: () => undefined,
    stanza: stanza => found.push(stanza),
    end: () => undefined
  })
  reader.write(Buffer.concat([Buffer.from(`<frame xmlns='${NO_NAMESPACE}'>`), data, Buffer.from('</frame>')]))
  const [element, second] = found
  if (!element || second) throw new Error(`the server sent a frame of ${found.length} elements`)
  return canonical(element)
}

/** In core's form a stanza carries no xmlns; one that was sent without any must not look like that. */
function canonical(element: Element): Element {
  const { xmlns, ...others } = element.attrs
  const attrs = xmlns === NS.CLIENT ? others : { ...others, xmlns: xmlns ?? NO_NAMESPACE }
  const stanza = el(element.name, attrs, element.children)
  // They would go on asking the first parent for their namespace.
  for (const child of stanza.getChildElements()) child.parent = stanza
  return stanza
}
