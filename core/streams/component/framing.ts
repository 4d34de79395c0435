import { NS } from '../../xml/namespaces'
import { tcpFraming } from '../framing'

/** XEP-0114 §3: between a server and an external component that connects to it. */
export const COMPONENT_FRAMING = tcpFraming(NS.COMPONENT)
