/** The XML of XEP-0060 for whoever runs a PubsubService: requests read, answers and events built. */
export { bodyOf, hasBody } from './body'
export { asAnswer, toStanzaError } from './errors'
export { notificationContent, notificationMessages } from './event'
export {
  authorizationForm,
  choiceForm,
  configForm,
  metadataForm,
  parseConfig,
  parseDecision,
  type Decision
} from './forms'
export * from './namespaces'
export { parseRequest, type ParseOptions } from './parse'
export { payloadElement, payloadOf, summary } from './payload'
export { itemsReply, read, write, type Answer } from './reply'
export type { Operation, ReadOperation, WriteOperation } from './request'
export { pageElement, parsePage } from './rsm'
