import type { MigrationContext } from '#core'

/** How an item is rated is read from this index alone. */
export async function up(db: MigrationContext): Promise<void> {
  await db.addIndex('channel_ratings', 'channel_ratings_sums', ['target_id', 'rating'])
}
