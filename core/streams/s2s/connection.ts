import type { SecureContext } from 'node:tls'
import { asciiDomain } from '../../precis'
import { certificateProblem } from '../identity'
import { OUTPUT_FULL } from '../connection'
import { SocketConnection } from '../socket-connection'

/** XEP-0368 §3 */
export const SERVER_ALPN = 'xmpp-server'

/** The connection of a stream between servers: whoever has much to send waits until it is taken. */
export class ServerConnection extends SocketConnection {
  /** Told when the transport takes output again. */
  whenDrained: (() => void) | undefined

  /** Whether the transport takes output at the moment. */
  get writable(): boolean {
    return !this.blocked
  }

  /**
   * It is read also while it takes nothing: acknowledgements come in between, and two servers that both wait until
   * the other one reads would wait for ever. What is sent meanwhile is little, and bounded by `maxOutput`.
   */
  override pause(reason: number): void {
    if (reason !== OUTPUT_FULL) super.pause(reason)
  }

  protected override drained(): void {
    super.drained()
    if (!this.blocked) this.whenDrained?.()
  }

  /** When the certificate expires that the peer was believed by; milliseconds since the epoch. */
  believedUntil = Number.POSITIVE_INFINITY

  /** What keeps the peer from speaking for a domain by its certificate, at this moment; undefined where nothing does. */
  certificateProblem(domain: string): string | undefined {
    const peer = this.peerCertificate
    const problem = certificateProblem(peer, domain)
    if (peer && problem === undefined) this.believedUntil = Date.parse(peer.certificate.validTo)
    return problem
  }
}

/** How TLS is negotiated with the server of that domain. */
export function connectTls(secureContext: SecureContext, domain: string) {
  return { secureContext, servername: asciiDomain(domain) }
}
