import type { MigrationContext } from '#core'

export async function up(db: MigrationContext): Promise<void> {
  await db.createTable('offline_messages', table => {
    table.bigIncrements('id')
    table.string('host', 255).notNullable()
    db.longName(table, 'user')
    db.time(table, 'received').notNullable()
    db.payload(table, 'stanza').notNullable()
    table.index(['host', 'user_hash', 'id'], 'offline_messages_user')
    table.index(['received'], 'offline_messages_received')
  })
}
