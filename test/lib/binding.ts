import { createHash } from 'node:crypto'
import type tls from 'node:tls'
import { childrenOf, textOf } from '../../core/xml/element'
import type { Element } from '../../core/xml/element'
import { NS } from '../../core/xml/namespaces'

/** What a client binds a login to, found in its own way. `hash` is that of the certificate's signature. */
export function bindingData(socket: tls.TLSSocket, type: string, hash = 'sha256'): Buffer {
  if (type === 'tls-exporter')
    return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
  if (type === 'tls-server-end-point') {
    // Not getPeerX509Certificate, which answers once only
    return createHash(hash).update(socket.getPeerCertificate().raw).digest()
  }
  if (type !== 'tls-unique') throw new Error(`the test client does not know the binding ${type}`)
  // RFC 5929 §3.1: the first Finished message; of a session that was resumed it is the server's
  const finished = socket.isSessionReused() ? socket.getPeerFinished() : socket.getFinished()
  if (!finished) throw new Error('the handshake has not finished')
  return finished
}

/** The types of channel binding that a stream announces (XEP-0440 §2). */
export function bindingTypesOf(features: Element): string[] {
  return childrenOf(features, 'sasl-channel-binding', NS.CHANNEL_BINDINGS).flatMap(list =>
    childrenOf(list, 'channel-binding').map(({ attrs }) => String(attrs.type))
  )
}

/** The mechanisms that a stream offers, by RFC 6120 §6.3.3 or by XEP-0388 §2.1. */
export function mechanismsIn(features: Element, ns: string = NS.SASL): string[] {
  const name = ns === NS.SASL ? 'mechanisms' : 'authentication'
  return childrenOf(features, name, ns).flatMap(list => childrenOf(list, 'mechanism').map(textOf))
}

/** XEP-0474 §6.2: the hash of what was offered, as a client sees it. */
export function offerHashOf(features: Element, ns: string, hash: 'SHA-1' | 'SHA-256'): string {
  const types = bindingTypesOf(features)
  const text =
    mechanismsIn(features, ns).sort().join('\x1e') +
    (types.length > 0 ? '\x1f' : '') +
    types.sort().join('\x1e')
  return createHash(hash === 'SHA-1' ? 'sha1' : 'sha256')
    .update(text)
    .digest('base64')
}
