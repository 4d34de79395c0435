/** The namespaces that core itself speaks. Modules name their own. */
export const NS = {
  CLIENT: 'jabber:client',
  SERVER: 'jabber:server',
  COMPONENT: 'jabber:component:accept',
  STREAM: 'http://etherx.jabber.org/streams',
  STREAM_ERRORS: 'urn:ietf:params:xml:ns:xmpp-streams',
  STANZA_ERRORS: 'urn:ietf:params:xml:ns:xmpp-stanzas',
  FRAMING: 'urn:ietf:params:xml:ns:xmpp-framing',
  TLS: 'urn:ietf:params:xml:ns:xmpp-tls',
  SASL: 'urn:ietf:params:xml:ns:xmpp-sasl',
  SASL2: 'urn:xmpp:sasl:2',
  CHANNEL_BINDINGS: 'urn:xmpp:sasl-cb:0',
  BIND: 'urn:ietf:params:xml:ns:xmpp-bind',
  BIND2: 'urn:xmpp:bind:0',
  SESSION: 'urn:ietf:params:xml:ns:xmpp-session',
  FORM: 'jabber:x:data',
  RSM: 'http://jabber.org/protocol/rsm',
  DELAY: 'urn:xmpp:delay',
  DISCO_INFO: 'http://jabber.org/protocol/disco#info',
  DISCO_ITEMS: 'http://jabber.org/protocol/disco#items',
  COMMANDS: 'http://jabber.org/protocol/commands'
} as const
