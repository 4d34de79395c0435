import * as arrivals from './arrival'
import * as choices from './choices'
import type { ConfigChanges, NodeConfig } from './config'
import type { Definition } from './definition'
import * as discovery from './discovery'
import * as reading from './items'
import * as memberships from './memberships'
import * as nodes from './nodes'
import { offeredFields } from './offered'
import * as publishing from './publish'
import * as reassessing from './reassess'
import * as retracting from './retract'
import * as subscribing from './subscribe'
import type { Actor, Node, ReadStore, Store } from './store'

/**
 * The engine: the operations of XEP-0060 for one definition. Without state: everything is in the store that is
 * given with each call. Operations that write take the store of a write unit, throw PubsubError before any
 * effect, and return an Outcome whose notifications are sent after the commit.
 */
export class PubsubService<N extends Node = Node, X = unknown> {
  constructor(readonly definition: Definition<N, X>) {}

  /** §8.1 */
  create(store: Store<N, X>, actor: Actor, request: nodes.CreateRequest) {
    return nodes.create(this.definition, store, actor, request)
  }

  /** §8.2.1 */
  configuration(store: ReadStore<N, X>, actor: Actor, request: { node: string }) {
    return nodes.configuration(this.definition, store, actor, request)
  }

  /** §8.3 */
  defaultConfiguration(): NodeConfig {
    return this.definition.defaults
  }

  /** The fields of a form: of that node's configuration, or of what the actor's nodes are at first. */
  offeredFields(store: ReadStore<N, X>, actor: Actor, node?: N) {
    return offeredFields(this.definition, store, actor, node)
  }

  /** §8.2.4 */
  configure(store: Store<N, X>, actor: Actor, request: nodes.ConfigureRequest) {
    return nodes.configure(this.definition, store, actor, request)
  }

  /** §8.4 */
  delete(store: Store<N, X>, actor: Actor, request: nodes.DeleteRequest) {
    return nodes.remove(this.definition, store, actor, request)
  }

  /** §8.5 */
  purge(store: Store<N, X>, actor: Actor, request: { node: string }) {
    return retracting.purge(this.definition, store, actor, request)
  }

  /** §7.1 */
  publish(store: Store<N, X>, actor: Actor, request: publishing.PublishRequest) {
    return publishing.publish(this.definition, store, actor, request)
  }

  /** §7.2 */
  retract(store: Store<N, X>, actor: Actor, request: retracting.RetractRequest) {
    return retracting.retract(this.definition, store, actor, request)
  }

  /** §6.5 */
  items(store: ReadStore<N, X>, actor: Actor, request: reading.ItemsRequest) {
    return reading.items(this.definition, store, actor, request)
  }

  /** §6.1 */
  subscribe(store: Store<N, X>, actor: Actor, request: subscribing.SubscribeRequest) {
    return subscribing.subscribe(this.definition, store, actor, request)
  }

  /** §6.2 */
  unsubscribe(store: Store<N, X>, actor: Actor, request: subscribing.SubscribeRequest) {
    return subscribing.unsubscribe(this.definition, store, actor, request)
  }

  /** §6.3.2 */
  options(store: ReadStore<N, X>, actor: Actor, request: choices.OptionsRequest) {
    return choices.options(this.definition, store, actor, request)
  }

  /** §6.3.5 */
  setOptions(
    store: Store<N, X>,
    actor: Actor,
    request: choices.OptionsRequest & { options?: ConfigChanges }
  ) {
    return choices.setOptions(this.definition, store, actor, request)
  }

  /** §6.4 */
  defaultOptions(store: ReadStore<N, X>, actor: Actor, request: { node?: string }) {
    return choices.defaultOptions(this.definition, store, actor, request)
  }

  /** §12.19: for whoever sweeps, when a subscription is due (`Terms`); the actor is the service. */
  lapse(store: Store<N, X>, actor: Actor, request: { node: string; jid: string; key: number }) {
    return choices.lapse(this.definition, store, actor, request)
  }

  /** §12.5: an address is no longer available, and its temporary subscriptions to the node end. */
  depart(store: Store<N, X>, actor: Actor, request: { node: string; jid: string }) {
    return choices.depart(this.definition, store, actor, request)
  }

  /** §6.1.7: the actor's resource has become available. */
  arrive(store: ReadStore<N, X>, actor: Actor, request: { node: string }) {
    return arrivals.arrive(this.definition, store, actor, request)
  }

  /** Somebody's standing in an owner's roster has changed: their subscriptions stay, or end. */
  reconsider(store: Store<N, X>, actor: Actor, request: { node: string; jid: string }) {
    return reassessing.reconsider(this.definition, store, actor, request)
  }

  /** `pubsub#item_expire`: for whoever sweeps, when a node is due (`Store.setDue`). */
  expireItems(store: Store<N, X>, actor: Actor, request: { node: string }) {
    return retracting.expireItems(this.definition, store, actor, request)
  }

  /** §8.7.4: asks again for each request that waits. */
  remind(store: ReadStore<N, X>, actor: Actor, request: { node: string }) {
    return subscribing.remind(this.definition, store, actor, request)
  }

  /** §8.6 */
  decide(store: Store<N, X>, actor: Actor, request: subscribing.SubscribeRequest & { allow: boolean }) {
    return subscribing.decide(this.definition, store, actor, request)
  }

  /** §5.6 */
  subscriptionsOf(store: ReadStore<N, X>, actor: Actor, request: memberships.ListRequest) {
    return memberships.subscriptionsOf(this.definition, store, actor, request)
  }

  /** §5.7 */
  affiliationsOf(store: ReadStore<N, X>, actor: Actor, request: memberships.ListRequest) {
    return memberships.affiliationsOf(this.definition, store, actor, request)
  }

  /** §8.8.1 */
  subscriptionsTo(store: ReadStore<N, X>, actor: Actor, request: memberships.NodeListRequest) {
    return memberships.subscriptionsTo(this.definition, store, actor, request)
  }

  /** §8.9.1 */
  affiliations(store: ReadStore<N, X>, actor: Actor, request: memberships.NodeListRequest) {
    return memberships.affiliations(this.definition, store, actor, request)
  }

  /** §8.8.2 */
  changeSubscriptions(
    store: Store<N, X>,
    actor: Actor,
    request: memberships.ChangeRequest<memberships.SubscriptionChange>
  ) {
    return memberships.changeSubscriptions(this.definition, store, actor, request)
  }

  /** §8.9.2 */
  changeAffiliations(
    store: Store<N, X>,
    actor: Actor,
    request: memberships.ChangeRequest<memberships.AffiliationChange>
  ) {
    return memberships.changeAffiliations(this.definition, store, actor, request)
  }

  /** §5.4 */
  metadata(store: ReadStore<N, X>, actor: Actor, request: { node: string }) {
    return discovery.metadata(this.definition, store, actor, request)
  }

  /** §5.2 */
  nodes(store: ReadStore<N, X>, actor: Actor, request?: discovery.NodesRequest) {
    return discovery.nodes(this.definition, store, actor, request)
  }

  /** §10: features for disco#info, made from the definition. */
  features(): string[] {
    return discovery.features(this.definition)
  }
}
