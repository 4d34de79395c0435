import type { MigrationContext } from '#core'

export async function up(db: MigrationContext): Promise<void> {
  await db.createTable('audit_acts', table => {
    table.bigIncrements('id')
    // Empty for what is about the server as a whole
    table.string('host', 255).notNullable()
    db.time(table, 'at').notNullable()
    // Of the hash: whose resource it is
    table.text('actor').notNullable()
    table.binary('actor_hash', 32).notNullable()
    table.string('command', 100).notNullable()
    table.text('target').notNullable()
    table.binary('target_hash', 32).notNullable()
    table.string('result', 50).notNullable()
    table.text('detail').notNullable()
    table.smallint('denied').notNullable()
    // The same denial again and again is one row
    table.integer('times').notNullable()
    db.time(table, 'last').notNullable()
    table.index(['at', 'id'], 'audit_acts_all')
    table.index(['host', 'at', 'id'], 'audit_acts_host')
    table.index(['host', 'denied', 'at', 'id'], 'audit_acts_denied')
    table.index(['host', 'actor_hash', 'at', 'id'], 'audit_acts_actor')
    table.index(['host', 'target_hash', 'at', 'id'], 'audit_acts_target')
    table.index(['host', 'command', 'at', 'id'], 'audit_acts_command')
  })
}
