import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** A request as a route gets it. */
export interface HttpRequest {
  request: Request
  /** What stands for the `:name` parts of the path. */
  params: Readonly<Record<string, string>>
  /** Whoever asks; where a trusted proxy is in between, whom it speaks for (`http.trustedProxies`). */
  remoteAddress: string
  /** Whether it came over TLS. */
  secure: boolean
}

/** A page or the like that a module serves; offered on the server's own scope. */
export interface HttpRoute {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS'
  /** A path of hono: `/pages/:node`, `/feeds/*`. */
  path: string
  /** What it throws is logged and answered with 500. */
  handle(request: HttpRequest): Response | Promise<Response>
}

/** A request to leave HTTP for another protocol. */
export interface HttpUpgradeRequest {
  request: IncomingMessage
  socket: Socket
  /** What came behind the request already. */
  head: Buffer
  /** As of a request. */
  remoteAddress: string
}

/** Takes over connections at a path (RFC 9110 §7.8); offered on the server's own scope. */
export interface HttpUpgrade {
  /** Exactly this path. */
  path: string
  /** As in the `Upgrade` header, in lower case: `websocket`. */
  protocol: string
  /** Answers, and takes the socket over or ends it. */
  accept(upgrade: HttpUpgradeRequest): void
}

declare module '../events/items' {
  interface ItemTypes {
    'http-route': HttpRoute
    'http-upgrade': HttpUpgrade
  }
}
