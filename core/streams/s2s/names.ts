import { NS } from '../../xml/namespaces'
import { tcpFraming } from '../framing'

/** XEP-0220 */
export const DIALBACK = 'jabber:server:dialback'
export const DIALBACK_FEATURE = 'urn:xmpp:features:dialback'
/** XEP-0288 */
export const BIDI = 'urn:xmpp:bidi'
export const BIDI_FEATURE = 'urn:xmpp:features:bidi'

/** XEP-0220 §2.4.1: the prefix is `db`, for there are peers that know no other. */
export const SERVER_FRAMING = tcpFraming(NS.SERVER, ` xmlns:db='${DIALBACK}'`)
