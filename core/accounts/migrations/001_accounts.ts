import type { MigrationContext } from '../../storage/types'

/** Accounts hold SCRAM keys, never passwords. */
export async function up(db: MigrationContext): Promise<void> {
  await db.createTable('accounts', table => {
    table.bigIncrements('id')
    table.string('host', 255).notNullable()
    db.longName(table, 'user')
    db.payload(table, 'credentials').notNullable()
    table.integer('disabled').notNullable().defaultTo(0)
    db.time(table, 'created').notNullable()
    table.index(['host', 'id'], 'accounts_host')
    table.unique(['host', 'user_hash'], { indexName: 'accounts_host_user' })
  })
}
