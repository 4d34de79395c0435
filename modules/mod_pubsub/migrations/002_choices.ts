import type { MigrationContext } from '#core'

/** What subscribers choose and when their subscriptions end, when items end, and items in the order of creation. */
export async function up(db: MigrationContext): Promise<void> {
  await db.addColumns('pubsub_subscriptions', table => {
    // pubsub#deliver, pubsub#include_body: what most say is 1 and 0
    table.integer('deliver').notNullable().defaultTo(1)
    table.integer('body').notNullable().defaultTo(0)
    // pubsub#expire: a moment, or 0 for as long as the subscriber is available; nothing: for ever
    db.time(table, 'expires').nullable()
    // when the subscription is looked at again: before its end, and at its end
    db.time(table, 'due').nullable()
  })
  await db.addIndex('pubsub_subscriptions', 'pubsub_subscriptions_due', ['host', 'due'])
  // requests that wait for an owner, wherever they are
  await db.addIndex('pubsub_subscriptions', 'pubsub_subscriptions_waiting', ['host', 'state', 'node_id'])
  // the subscriptions that end when somebody goes
  await db.addIndex('pubsub_subscriptions', 'pubsub_subscriptions_expires', ['host', 'expires'])
  await db.addColumns('pubsub_nodes', table => {
    // when the oldest item ends
    db.time(table, 'due').nullable()
  })
  await db.addIndex('pubsub_nodes', 'pubsub_nodes_due', ['host', 'due'])
  // XEP-0413: a row keeps its key when its item is overwritten
  await db.addIndex('pubsub_items', 'pubsub_items_created', ['node_id'])
}
