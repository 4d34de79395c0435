// The parts of node-xmpp-server 2.2.7 that core/streams/listeners uses; the package has no types.

declare module 'node-xmpp-server/lib/C2S/Session' {
  import { EventEmitter } from 'node:events'

  namespace Session {
    /** What a session does with its connection while it is made. */
    interface SessionConnection {
      streamAttrs: Record<string, string>
    }

    interface SessionOptions {
      connection?: SessionConnection
      socket: unknown
      server: unknown
      idBits?: number
    }
  }

  class Session extends EventEmitter {
    constructor(options: Session.SessionOptions)
    generateId: (() => string) | undefined
    connection: Session.SessionConnection
    _addConnectionListeners(): void
    end(): void
  }
  export = Session
}

declare module 'node-xmpp-server/lib/C2S/TCP/Server' {
  import { EventEmitter } from 'node:events'
  import Session = require('node-xmpp-server/lib/C2S/Session')

  class TCPServer extends EventEmitter {
    constructor(options: { server: EventEmitter; autostart: false })
    Session: new (options: Session.SessionOptions) => Session
    readonly connections: Set<Session>
    acceptConnection(socket: unknown): void
  }
  export = TCPServer
}

declare module 'node-xmpp-server/lib/C2S/WebSocket/Server' {
  import { EventEmitter } from 'node:events'
  import type { WebSocketServer as WsServer } from 'ws'
  import Session = require('node-xmpp-server/lib/C2S/Session')

  class WebSocketServer extends EventEmitter {
    constructor(options: { server: EventEmitter; autostart: false })
    Session: new (options: Session.SessionOptions) => Session
    /** The WebSocket server below. */
    readonly WS: WsServer
    readonly connections: Set<Session>
    acceptConnection(socket: unknown): void
  }
  export = WebSocketServer
}
