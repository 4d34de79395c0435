import type { MigrationContext } from '#core'

/**
 * Nodes, who is what to them, and their items. What hangs on a node goes with it. On both databases an index ends
 * with the row's key, so that lists by key need no more than the columns that choose them.
 */
export async function up(db: MigrationContext): Promise<void> {
  await db.createTable('pubsub_nodes', table => {
    table.bigIncrements('id')
    table.string('host', 255).notNullable()
    db.longName(table, 'name')
    // bare JID; '' once that account is gone
    db.longName(table, 'creator')
    db.time(table, 'created').notNullable()
    db.payload(table, 'config').notNullable()
    table.bigInteger('item_count').notNullable()
    // of the newest item; never counts down
    table.bigInteger('seq').notNullable()
    table.bigInteger('subscribers').notNullable()
    // grows with each change of the subscriptions: what is kept of them in memory is valid for one version
    table.bigInteger('version').notNullable()
    table.unique(['host', 'name_hash'], { indexName: 'pubsub_nodes_name' })
    table.index(['host'], 'pubsub_nodes_host')
    table.index(['host', 'creator_hash'], 'pubsub_nodes_creator')
  })
  // XEP-0060 §8.4.1: where a node has gone that is no longer here
  await db.createTable('pubsub_redirects', table => {
    table.bigIncrements('id')
    table.string('host', 255).notNullable()
    db.longName(table, 'name')
    table.binary('creator_hash', 32).notNullable()
    table.string('uri', 3071).notNullable()
    db.time(table, 'created').notNullable()
    table.unique(['host', 'name_hash'], { indexName: 'pubsub_redirects_name' })
    table.index(['host', 'creator_hash'], 'pubsub_redirects_creator')
    table.index(['host', 'created'], 'pubsub_redirects_created')
  })
  await db.createTable('pubsub_affiliations', table => {
    table.bigIncrements('id')
    table.string('host', 255).notNullable()
    table.bigInteger('node_id').unsigned().notNullable().references('pubsub_nodes.id').onDelete('CASCADE')
    db.longName(table, 'jid')
    table.string('affiliation', 16).notNullable()
    table.unique(['node_id', 'jid_hash'], { indexName: 'pubsub_affiliations_jid' })
    table.index(['node_id', 'affiliation'], 'pubsub_affiliations_list')
    table.index(['host', 'jid_hash'], 'pubsub_affiliations_person')
  })
  await db.createTable('pubsub_subscriptions', table => {
    table.bigIncrements('id')
    table.string('host', 255).notNullable()
    table.bigInteger('node_id').unsigned().notNullable().references('pubsub_nodes.id').onDelete('CASCADE')
    // the address that is notified, bare or full, and whose it is
    db.longName(table, 'jid')
    table.binary('bare_hash', 32).notNullable()
    table.string('state', 16).notNullable()
    table.unique(['node_id', 'jid_hash'], { indexName: 'pubsub_subscriptions_jid' })
    table.index(['node_id', 'bare_hash'], 'pubsub_subscriptions_bare')
    table.index(['node_id', 'state'], 'pubsub_subscriptions_state')
    table.index(['host', 'bare_hash'], 'pubsub_subscriptions_person')
  })
  await db.createTable('pubsub_items', table => {
    table.bigIncrements('id')
    table.bigInteger('node_id').unsigned().notNullable().references('pubsub_nodes.id').onDelete('CASCADE')
    table.string('item_id', 512).notNullable()
    // bare JID; '' once that account is gone
    db.longName(table, 'publisher')
    db.time(table, 'created').notNullable()
    db.time(table, 'updated').notNullable()
    // order of publication in the node: grows with each write
    table.bigInteger('seq').notNullable()
    db.payload(table, 'payload').nullable()
    table.unique(['node_id', 'item_id'], { indexName: 'pubsub_items_item' })
    table.unique(['node_id', 'seq'], { indexName: 'pubsub_items_seq' })
    table.index(['publisher_hash', 'node_id'], 'pubsub_items_publisher')
  })
}
