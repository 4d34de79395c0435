import type { MigrationContext } from '#core'

/*
 * What administrators list and go through: all channels of a host or those of a kind, in the order in which they
 * were made, and all its nodes.
 */
export async function up(db: MigrationContext): Promise<void> {
  await db.addIndex('channels', 'channels_all', ['host', 'id'])
  await db.addIndex('channels', 'channels_kind', ['host', 'kind', 'id'])
  await db.addIndex('channel_nodes', 'channel_nodes_all', ['host', 'id'])
}
