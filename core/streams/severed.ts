import type { Connection } from './connection'
import type { Framing } from './framing'

/**
 * What a session has in place of a connection while it has none (XEP-0198 §5): it tells how the last one was, and
 * takes nothing. A connection that is gone would cost as much as an idle one.
 */
class Severed {
  readonly ended = true
  readonly channelBindings = undefined
  owner: undefined
  deadline = 0
  maxOutput = 0
  readonly transport: Connection['transport']
  readonly secure: boolean
  readonly remoteAddress: string
  readonly framing: Framing

  constructor({ transport, secure, remoteAddress, framing }: Connection) {
    this.transport = transport
    this.secure = secure
    this.remoteAddress = remoteAddress
    this.framing = framing
  }

  send(): void {}
  end(): void {}
  lose(): void {}
  pause(): void {}
  resume(): void {}
}

/** Stands for a connection that is lost. */
export function severed(connection: Connection): Connection {
  // A stream without a connection is asked for nothing else
  return new Severed(connection) as unknown as Connection
}
