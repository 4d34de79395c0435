import type { MigrationContext } from '#core'

/*
 * Lists of one thread and lists without ratings, each read along an index of its own: also of what was deleted.
 */
export async function up(db: MigrationContext): Promise<void> {
  await db.addIndex('channel_items', 'channel_items_kind', ['node_id', 'kind', 'seq'])
  await db.addIndex('channel_items', 'channel_items_answers', ['parent_id', 'kind', 'seq'])
  await db.addIndex('channel_tombstones', 'channel_tombstones_kind', ['node_id', 'kind', 'seq'])
  await db.addIndex('channel_tombstones', 'channel_tombstones_answers', [
    'node_id',
    'parent_item',
    'kind',
    'seq'
  ])
}
