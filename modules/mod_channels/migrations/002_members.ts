import type { MigrationContext } from '#core'

/*
 * What outlives a membership: who invited whom (found by name when an account goes), bans of accounts that are gone,
 * and addresses that do not take what is sent to them.
 */
export async function up(db: MigrationContext): Promise<void> {
  await db.addColumns('channel_members', table => {
    // of `invited_by`, where somebody is invited
    table.binary('invited_by_hash', 32).nullable()
  })
  await db.addIndex('channel_members', 'channel_members_inviter', ['host', 'invited_by_hash'])
  // A ban of an account that was removed: no name, only what tells that the same one is made again.
  await db.createTable('channel_ghosts', table => {
    table.bigIncrements('id')
    table.string('host', 255).notNullable()
    table.bigInteger('channel_id').unsigned().notNullable().references('channels.id').onDelete('CASCADE')
    table.binary('ghost', 32).notNullable()
    table.unique(['channel_id', 'ghost'], { indexName: 'channel_ghosts_channel' })
    table.index(['host', 'ghost'], 'channel_ghosts_host')
  })
  // One row for an address, whatever it follows; it goes when the address is heard of again, or after some weeks.
  await db.createTable('channel_bounces', table => {
    table.bigIncrements('id')
    table.string('host', 255).notNullable()
    db.longName(table, 'jid')
    table.integer('count').notNullable()
    db.time(table, 'first').notNullable()
    db.time(table, 'last').notNullable()
    // number of the notification that came back last
    table.bigInteger('stamp').notNullable()
    table.unique(['host', 'jid_hash'], { indexName: 'channel_bounces_jid' })
    table.index(['host', 'last'], 'channel_bounces_last')
  })
}
