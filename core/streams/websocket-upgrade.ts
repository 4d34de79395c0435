import { refuseUpgrade } from '../http/upgrade'
import type { Upgrade } from './library'

/** Who may open a WebSocket, and how it is protected. */
export interface WebSocketPolicy {
  /** What a browser may name as the origin of its page (RFC 6455 §10.2); `*` is any. Others name none. */
  origins: readonly string[]
  /** It counts as protected, for its proxy speaks TLS. Otherwise only TLS that ends here counts. */
  assumeSecure: boolean
}

/** Whether the request may become a WebSocket of XMPP; it is answered where it may not. */
export function checkUpgrade(upgrade: Upgrade, policy: WebSocketPolicy): boolean {
  const { headers } = upgrade.request
  const { origin } = headers
  if (
    origin !== undefined &&
    !policy.origins.some(allowed => allowed === '*' || allowed === origin.toLowerCase())
  ) {
    refuseUpgrade(upgrade, 403, 'Pages of that origin may not connect here.')
    return false
  }
  // RFC 7395 §3.1
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/)
  if (!protocols.includes('xmpp')) {
    refuseUpgrade(upgrade, 400, 'The subprotocol xmpp must be offered (RFC 7395).')
    return false
  }
  return true
}
