import type { Database } from '#core'
import type { NodeConfig } from '../../lib_pubsub'
import { Agenda } from './agenda'
import { AffiliationTable } from './affiliation-table'
import { Audiences } from './audiences'
import { Configs } from './configs'
import { Hashes } from './hashes'
import { ItemTable } from './item-table'
import { NodeTable } from './node-table'
import { SubscriptionTable } from './subscription-table'

/** The tables of one host: statements built once, and what is kept in memory. */
export class Tables {
  readonly nodes: NodeTable
  readonly affiliations: AffiliationTable
  readonly subscriptions: SubscriptionTable
  readonly items: ItemTable
  readonly hashes = new Hashes()
  readonly configs: Configs
  readonly audiences = new Audiences()
  readonly agenda = new Agenda()

  /**
   * @param defaults what nodes have that were stored by a version with fewer fields
   * @param subIds whether an address may subscribe several times (XEP-0060 §6.1.6)
   */
  constructor(
    db: Database,
    host: string,
    defaults: () => NodeConfig,
    readonly subIds: () => boolean = () => false
  ) {
    this.nodes = new NodeTable(db, host, this.hashes)
    this.affiliations = new AffiliationTable(db, host, this.hashes)
    this.subscriptions = new SubscriptionTable(db, host, this.hashes)
    this.items = new ItemTable(db, this.hashes)
    this.configs = new Configs(defaults)
  }
}
