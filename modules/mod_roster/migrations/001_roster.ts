import type { MigrationContext } from '#core'

export async function up(db: MigrationContext): Promise<void> {
  await db.createTable('rosters', table => {
    table.bigIncrements('id')
    table.string('host', 255).notNullable()
    db.longName(table, 'user')
    // RFC 6121 §2.6: versions count up within an epoch; a roster that was made anew has another one.
    table.string('epoch', 32).notNullable()
    table.bigInteger('version').notNullable()
    table.unique(['host', 'user_hash'], { indexName: 'rosters_host_user' })
  })
  await db.createTable('roster_items', table => {
    table.bigIncrements('id')
    table.bigInteger('roster_id').unsigned().notNullable().references('rosters.id').onDelete('CASCADE')
    db.longName(table, 'jid')
    table.text('name').nullable()
    db.payload(table, 'item_groups').notNullable()
    table.string('subscription', 8).notNullable()
    table.integer('ask').notNullable()
    table.integer('approved').notNullable()
    // A removed item stays, so that its removal can be told to whoever asks by version.
    table.integer('listed').notNullable()
    db.payload(table, 'request').nullable()
    table.bigInteger('version').notNullable()
    table.unique(['roster_id', 'jid_hash'], { indexName: 'roster_items_jid' })
  })
}
