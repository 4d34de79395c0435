import type { MigrationContext } from '#core'

/*
 * Which item rates which: one rating of a person for an item, whoever is first. Both keys go with their items, so a
 * rating is gone with its post also while this module is off.
 */
export async function up(db: MigrationContext): Promise<void> {
  await db.createTable('channel_ratings', table => {
    table.bigInteger('item_id').unsigned().notNullable().primary()
    table.foreign('item_id').references('channel_items.id').onDelete('CASCADE')
    table.bigInteger('target_id').unsigned().notNullable().references('channel_items.id').onDelete('CASCADE')
    table.binary('rater_hash', 32).notNullable()
    table.integer('rating').notNullable()
    table.unique(['target_id', 'rater_hash'], { indexName: 'channel_ratings_once' })
  })
}
