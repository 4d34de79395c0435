import type { MigrationContext } from '#core'

/** Nodes to which something happens without a request: found without reading all configurations. */
export async function up(db: MigrationContext): Promise<void> {
  await db.addColumns('pubsub_nodes', table => {
    // pubsub#send_last_published_item is on_sub_and_presence
    table.integer('on_presence').notNullable().defaultTo(0)
    // pubsub#access_model goes by rosters
    table.integer('by_roster').notNullable().defaultTo(0)
  })
  await db.addIndex('pubsub_nodes', 'pubsub_nodes_on_presence', ['host', 'on_presence'])
  await db.addIndex('pubsub_nodes', 'pubsub_nodes_by_roster', ['host', 'by_roster'])
}
