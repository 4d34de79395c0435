/** The namespace of stream management. */
export const SM = 'urn:xmpp:sm:3'
