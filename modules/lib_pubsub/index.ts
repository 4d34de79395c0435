/*
 * XEP-0060 as a library: an engine without stanzas, storage or state (PubsubService), and the XML of its
 * requests, answers and events (xml/). See README.md.
 */
export * from './access'
export { ON_PRESENCE } from './arrival'
export { audienceOf } from './audience'
export * from './authorize'
export type { Choice, OptionsRequest } from './choices'
export * from './config'
export * from './definition'
export type { Metadata, NodesRequest } from './discovery'
export * from './errors'
export * from './events'
export type { ItemsPage, ItemsRequest } from './items'
export type {
  AffiliationChange,
  Changed,
  ChangeRequest,
  ListRequest,
  NodeListRequest,
  Standing,
  SubscriptionChange
} from './memberships'
export type { ConfigureRequest, Created, CreateRequest, DeleteRequest } from './nodes'
export * from './page'
export { DEFAULT_OPTIONS, optionFields, shownOptions, type OptionsDefinition } from './options'
export type { PayloadSummary, Published, PublishRequest } from './publish'
export type { RetractRequest } from './retract'
export * from './roles'
export { rosterAccess, type ContactList, type RosterContact, type Rosters } from './roster-access'
export { bareOf, enter, enterToWrite, type Scope, type WriteScope } from './scope'
export { PubsubService } from './service'
export type * from './store'
export type { SubscribeRequest, SubscribeResult } from './subscribe'
