import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import Session = require('node-xmpp-server/lib/C2S/Session')
import TCPServer = require('node-xmpp-server/lib/C2S/TCP/Server')
import LibraryWebSocketServer = require('node-xmpp-server/lib/C2S/WebSocket/Server')
import type { WebSocket, WebSocketServer } from 'ws'
import type { ClientStream } from './client'
import type { Connection } from './connection'

/*
 * What node-xmpp-server is used for: its C2S servers take a socket and make the session object, which carries our
 * connection and our stream through the openings that it has for them (`Session`, `connection`). It listens on
 * stand-ins, so that our checks come first, and it never sees a byte: what it would parse, answer and
 * authenticate is switched off here (docs/architecture.md says why).
 */

/** A WebSocket and what its handshake told. */
export interface AcceptedWebSocket {
  webSocket: WebSocket
  socket: Socket
  secure: boolean
}

/** Makes the connection and the stream of a socket that was accepted. */
export type Begin<S> = (socket: S) => { connection: Connection; stream: ClientStream }

/** The library's session: made by its servers, driven by `core/streams`. */
class AcceptedSession extends Session {
  readonly #connection: Connection
  readonly #gone: () => void

  constructor(options: Session.SessionOptions) {
    const { begin, gone } = options.server as Beginner
    const { connection } = begin(options.socket)
    // Its identifiers come from Math.random; RFC 6120 §4.7.3 wants better ones. With no bits they cost nothing.
    super({ socket: options.socket, server: options.server, connection, idBits: 0 })
    this.generateId = undefined
    this.#connection = connection
    this.#gone = gone
    connection.keeper = this
  }

  // In the library these parse, answer and authenticate.
  override _addConnectionListeners(): void {}

  connectionGone(): void {
    this.emit('close')
    this.#gone()
  }

  /** A session that is resumed takes the place of the stream that the connection began with (XEP-0198 §5). */
  get stream(): ClientStream | undefined {
    return this.#connection.owner as ClientStream | undefined
  }

  override end(): void {
    this.stream?.close()
  }
}

interface Beginner {
  begin: Begin<unknown>
  gone: () => void
}

/** The way in for sockets of one kind. */
export interface Entrance<S> {
  accept(socket: S): void
  streams(): ClientStream[]
  /** How many connections there are. */
  readonly size: number
}

/** For TCP sockets. `gone` is called whenever a connection has ended. */
export function tcpEntrance(begin: Begin<Socket>, gone: () => void): Entrance<Socket> {
  const standIn = new EventEmitter()
  const library = Object.assign(new TCPServer({ server: standIn, autostart: false }), { begin, gone })
  library.Session = AcceptedSession
  return {
    accept: socket => void standIn.emit('connection', socket),
    streams: () => streamsOf(library.connections),
    get size() {
      return library.connections.size
    }
  }
}

/** An upgrade request that has passed our checks. */
export interface Upgrade {
  request: IncomingMessage
  socket: Socket
  head: Buffer
  /** Of the client, where a proxy is in between; that of the socket unless given. */
  remoteAddress?: string
}

export interface WebSocketOptions {
  /** Whether a socket is protected as by TLS. */
  isSecure: (socket: Socket) => boolean
  /** Bytes of a message, above which the connection is cut. */
  maxPayload: () => number
}

/** For upgrade requests to WebSocket. */
export function webSocketEntrance(
  begin: Begin<AcceptedWebSocket>,
  gone: () => void,
  { isSecure, maxPayload }: WebSocketOptions
): Entrance<Upgrade> {
  const standIn = new EventEmitter()
  const library = Object.assign(new LibraryWebSocketServer({ server: standIn, autostart: false }), {
    begin,
    gone
  })
  library.Session = AcceptedSession
  const server = library.WS as Omit<WebSocketServer, 'clients'> & { clients: Set<WebSocket> | undefined }
  // The library hands over no options, and wraps every WebSocket into a parser of its own.
  server.clients = undefined
  server.removeAllListeners('connection')
  server.on('connection', (webSocket, { socket }) => {
    library.acceptConnection({ webSocket, socket, secure: isSecure(socket) } satisfies AcceptedWebSocket)
  })
  return {
    accept: ({ request, socket, head }) => {
      Object.assign(server.options, {
        // RFC 7395 §3.1
        handleProtocols: () => 'xmpp',
        maxPayload: maxPayload(),
        perMessageDeflate: false
      })
      standIn.emit('upgrade', request, socket, head)
    },
    streams: () => streamsOf(library.connections),
    get size() {
      return library.connections.size
    }
  }
}

function streamsOf(sessions: Set<Session>): ClientStream[] {
  return [...sessions].flatMap(session => (session as AcceptedSession).stream ?? [])
}
