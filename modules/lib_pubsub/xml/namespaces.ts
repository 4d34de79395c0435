/** XEP-0060 §16.1 and its forms (§16.4). */
export const PUBSUB = 'http://jabber.org/protocol/pubsub'
export const OWNER = `${PUBSUB}#owner`
export const EVENT = `${PUBSUB}#event`
export const ERRORS_NS = `${PUBSUB}#errors`
export const NODE_CONFIG = `${PUBSUB}#node_config`
export const META_DATA = `${PUBSUB}#meta-data`
export const PUBLISH_OPTIONS = `${PUBSUB}#publish-options`
export const SUBSCRIBE_AUTHORIZATION = `${PUBSUB}#subscribe_authorization`
export const SUBSCRIBE_OPTIONS = `${PUBSUB}#subscribe_options`
/** XEP-0413 */
export const ORDER_BY = 'urn:xmpp:order-by:1'
/** XEP-0131 */
export const SHIM = 'http://jabber.org/protocol/shim'
