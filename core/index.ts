/*
 * The public face of core: all that a module may import (`#core` inside the repository, `balcony` outside).
 */
export { z } from 'zod'

export { CodedError, StanzaError, StreamError, errorReply, isStanzaError } from './errors'
export type { ErrorType, StanzaCondition, StanzaErrorOptions, StreamCondition } from './errors'
export { escapeLocal, InvalidJid, JID, unescapeLocal } from './jid'
export {
  accountOption,
  domainOption,
  listenOption,
  networkOption,
  pathOption,
  placeOption,
  portOption,
  secretOption
} from './config/options'

export * from './xml/element'
export * from './xml/form'
export { readDateTime } from './xml/datatypes'
export { NS } from './xml/namespaces'
export { frozen, parseElement, serialize, stored } from './xml'
export { isDuplicate } from './storage/duplicate'
export { nameHash } from './storage/names'
import './http/items'
import './streams/items'

export { CollapsedLog } from './collapsed-log'
export { Allowances } from './streams/rates/allowances'
export { sourceOf } from './streams/rates/source'
export type { LimitSetting } from './streams/rates/limits'
export type { KindPolicy, LimitsPolicy, LoginPolicy } from './streams/rates/policy'

export { HANDLED, isPromise } from './events/hooks'
export type { Handled, Handler, HandlerResult, HookOptions, Traced } from './events/hooks'
// Modules add to these by declaration merging, which goes through `export *` only.
export * from './events/items'
export * from './events/server-events'

export type { Host } from './hosts/host'
export * from './streams/session'
export { Copies, delayed } from './streams/smacks'
export type { StreamManagement } from './streams/smacks'
export type { ClientStates, Judgement } from './streams/client-state'
export type { Origin } from './routing/origin'
export type {
  AcceptOptions,
  AttachOptions,
  ComponentPort,
  ComponentsApi,
  ComponentStatus
} from './routing/components/api'
export type { FederationApi, FederationQueue, FederationStream } from './federation/api'
export type { FederationSettings } from './federation/settings'
export type { ServerPort } from './streams/s2s/listeners'
export type { StanzaEvent, StanzaKind, Target } from './routing/event'
export * from './routing/events'

export * from './modules/contract'
export type {
  Access,
  AdhocCommand,
  CommandNote,
  CommandResult,
  CommandRun,
  CommandStage,
  StageForm
} from './modules/adhoc'
export { actorOf, commandOf, tellOf } from './modules/acts'
export type { AdminAct } from './modules/acts'
export { allows, begin, Denied, goOn, newWalk, WalkError } from './modules/walk'
export type { Walk, WalkAction, WalkState, WalkStep } from './modules/walk'
export type { ConfigOverride } from './modules/overrides'
export type { EndingApi, EndingKind, PlannedEnding } from './modules/ending'
export type { ShownOption } from './config'
export type { ModuleStatus, PlacedOptions, ReloadReport, Role, ServerApi } from './modules/server-api'
export { nameTaken } from './accounts/accounts'
export type { AccountApi } from './accounts/api'
export type {
  Database,
  Entry,
  MigrationContext,
  Page,
  Reader,
  Releasable,
  RunResult,
  Statement,
  Store,
  StoreOptions,
  Tx,
  Unit,
  Value
} from './storage/types'
