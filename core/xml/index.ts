/** XML as XMPP has it: elements, the parser and the serialiser. */
export { parseElement } from './document'
export * from './element'
export { escapeAttribute, escapeText } from './escape'
export { DEFAULT_LIMITS, type XmlLimits } from './limits'
export { NS } from './namespaces'
export { StreamParser, type ParserHandlers, type ParserOptions, type StreamHeader } from './parser'
export { frozen, serialize, serializeAs } from './serialize'
export { stored } from './stored'
