import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { signatureHash } from './signature-hash'

/** What binds a login to the TLS connection that it comes over, so that nobody can stand in between (RFC 5056). */
export interface ChannelBindings {
  /** The types to announce, the strongest first (XEP-0440 §2); none where TLS knows none. */
  readonly types: readonly string[]
  /**
   * Whether a client that was told no types may take the default one, `tls-unique` (RFC 5802 §6.1): TLS 1.3 has none
   * (RFC 9266 §3).
   */
  readonly unique: boolean
  /** The data that both sides have by that type; undefined where this connection has none. */
  data(type: string): Buffer | undefined
}

const EXPORTER_LABEL = 'EXPORTER-Channel-Binding'
const EXPORTER_LENGTH = 32

/** The bindings of a TLS connection that this server has accepted, after its handshake. */
export function channelBindings(socket: TLSSocket): ChannelBindings {
  // RFC 9266 §2: below TLS 1.3 it needs an extension of which Node says nothing.
  const exporter = socket.getProtocol() === 'TLSv1.3'
  // RFC 7627 §1: without that extension a session that is resumed is where tls-unique is not unique.
  const unique = socket.getProtocol() === 'TLSv1.2' && !socket.isSessionReused()
  const endPoint = endPointHash(socket) !== undefined
  return {
    types: [...(exporter ? ['tls-exporter'] : []), ...(endPoint ? ['tls-server-end-point'] : [])],
    unique,
    data(type) {
      if (type === 'tls-exporter' && exporter)
        return socket.exportKeyingMaterial(EXPORTER_LENGTH, EXPORTER_LABEL, Buffer.alloc(0))
      if (type === 'tls-server-end-point') return endPointData(socket)
      // RFC 5929 §3.1: the first Finished message, which is the client's unless the session was resumed
      if (type === 'tls-unique' && unique) return socket.getPeerFinished()
      return undefined
    }
  }
}

/** RFC 5929 §4.1: the hash of our certificate. */
function endPointData(socket: TLSSocket): Buffer | undefined {
  const hash = endPointHash(socket)
  const certificate = certificateOf(socket)
  return hash && certificate ? createHash(hash).update(certificate).digest() : undefined
}

function endPointHash(socket: TLSSocket): string | undefined {
  const certificate = certificateOf(socket)
  const hash = certificate && signatureHash(certificate)
  // RFC 5929 §4.1
  return hash === 'md5' || hash === 'sha1' ? 'sha256' : hash
}

function certificateOf(socket: TLSSocket): Buffer | undefined {
  return (socket.getCertificate() as { raw?: Buffer } | null)?.raw
}
