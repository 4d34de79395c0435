import type { MigrationContext } from '../types'

/**
 * What modules keep by key. A key is `head`, its first 512 bytes, by which entries are ordered, and `tail`, the
 * rest, which is told apart by its hash: whole keys are too long for an index of MySQL.
 */
export async function up(db: MigrationContext): Promise<void> {
  await db.createTable('entries', table => {
    // Of host, module and store; `owner` of host and user. Hashes of 16 bytes keep the indexes small.
    table.binary('space', 16).notNullable()
    table.string('head', 512).notNullable()
    table.binary('tail_hash', 32).notNullable()
    table.string('tail', 3071).notNullable()
    table.string('host', 255).notNullable()
    table.string('module', 64).notNullable()
    table.string('store', 64).notNullable()
    table.binary('owner', 16).nullable()
    db.payload(table, 'value').notNullable()
    db.time(table, 'updated').notNullable()
    table.primary(['space', 'head', 'tail_hash'])
    table.index(['host'], 'entries_host')
    table.index(['owner'], 'entries_owner')
  })
}
