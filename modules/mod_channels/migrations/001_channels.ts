import type { MigrationContext } from '#core'

/*
 * A channel has its members, rights and description once, for all its nodes (protoXEP §5.4); nodes hold items. Who
 * wrote what, where it belongs and when are columns, never looked for in the payload.
 */
export async function up(db: MigrationContext): Promise<void> {
  await db.createTable('channels', table => {
    table.bigIncrements('id')
    table.string('host', 255).notNullable()
    db.longName(table, 'jid')
    // personal, topic, ephemeral
    table.string('kind', 16).notNullable()
    table.string('access_model', 16).notNullable()
    table.string('title', 512).notNullable()
    db.payload(table, 'description').notNullable()
    table.string('default_affiliation', 16).notNullable()
    // '' once that account is gone
    db.longName(table, 'creator')
    db.time(table, 'created').notNullable()
    db.time(table, 'updated').notNullable()
    // grows with each change of the members: what is kept of them in memory is valid for one version
    table.bigInteger('members_version').notNullable()
    table.unique(['host', 'jid_hash'], { indexName: 'channels_host_jid' })
    table.index(['host', 'creator_hash'], 'channels_host_creator')
  })
  await db.createTable('channel_nodes', table => {
    table.bigIncrements('id')
    table.string('host', 255).notNullable()
    table.bigInteger('channel_id').unsigned().notNullable().references('channels.id').onDelete('CASCADE')
    table.string('type', 64).notNullable()
    // 0 to 63: its place among the channel's nodes, for lists of all nodes of all channels of a person
    table.integer('place').notNullable()
    table.integer('advertise').notNullable()
    // what this node has other than its type says; nothing yet
    db.payload(table, 'config').nullable()
    db.time(table, 'created').notNullable()
    table.bigInteger('item_count').notNullable()
    table.bigInteger('tombstone_count').notNullable()
    table.bigInteger('seq').notNullable()
    // times of the newest publication, and of the newest one that starts a thread
    db.time(table, 'last_item').notNullable()
    db.time(table, 'last_root').notNullable()
    table.unique(['channel_id', 'type'], { indexName: 'channel_nodes_type' })
    table.unique(['channel_id', 'place'], { indexName: 'channel_nodes_place' })
    table.index(['host', 'advertise'], 'channel_nodes_host')
  })
  await db.createTable('channel_members', table => {
    table.bigIncrements('id')
    table.string('host', 255).notNullable()
    table.bigInteger('channel_id').unsigned().notNullable().references('channels.id').onDelete('CASCADE')
    db.longName(table, 'jid')
    table.string('affiliation', 16).notNullable()
    // none, pending, subscribed, invited
    table.string('subscription', 16).notNullable()
    table.string('invited_by', 3071).nullable()
    db.time(table, 'created').notNullable()
    db.time(table, 'updated').notNullable()
    table.unique(['channel_id', 'jid_hash'], { indexName: 'channel_members_jid' })
    table.index(['channel_id', 'subscription'], 'channel_members_subscription')
    table.index(['channel_id', 'affiliation'], 'channel_members_affiliation')
    table.index(['host', 'jid_hash'], 'channel_members_person')
  })
  await db.createTable('channel_items', table => {
    table.bigIncrements('id')
    table.bigInteger('node_id').unsigned().notNullable().references('channel_nodes.id').onDelete('CASCADE')
    table.string('item_id', 128).notNullable()
    // post, comment, rating; data on nodes that are not Atom
    table.string('kind', 8).notNullable()
    db.longName(table, 'author')
    table.bigInteger('parent_id').unsigned().nullable().references('channel_items.id').onDelete('CASCADE')
    table.bigInteger('target_id').unsigned().nullable().references('channel_items.id').onDelete('SET NULL')
    // what a rating rates: it goes with it, whichever module is there
    table.bigInteger('rated_id').unsigned().nullable().references('channel_items.id').onDelete('CASCADE')
    table.integer('rating').nullable()
    db.time(table, 'created').notNullable()
    db.time(table, 'updated').notNullable()
    // order of publication in the node: grows with each write
    table.bigInteger('seq').notNullable()
    // of what starts a thread: seq of the newest in the thread
    table.bigInteger('thread').nullable()
    db.payload(table, 'payload').nullable()
    table.unique(['node_id', 'item_id'], { indexName: 'channel_items_item' })
    table.unique(['node_id', 'seq'], { indexName: 'channel_items_seq' })
    table.index(['node_id', 'thread'], 'channel_items_thread')
    table.index(['parent_id', 'node_id', 'seq'], 'channel_items_parent')
    table.index(['target_id'], 'channel_items_target')
    table.index(['rated_id'], 'channel_items_rated')
    table.index(['author_hash', 'node_id'], 'channel_items_author')
  })
  await db.createTable('channel_tombstones', table => {
    table.bigIncrements('id')
    table.bigInteger('node_id').unsigned().notNullable().references('channel_nodes.id').onDelete('CASCADE')
    table.string('item_id', 128).notNullable()
    table.string('kind', 8).notNullable()
    // the item that it answered
    table.string('parent_item', 128).nullable()
    db.time(table, 'created').notNullable()
    db.time(table, 'deleted').notNullable()
    table.bigInteger('seq').notNullable()
    table.bigInteger('thread').nullable()
    table.unique(['node_id', 'item_id'], { indexName: 'channel_tombstones_item' })
    table.index(['node_id', 'seq'], 'channel_tombstones_seq')
    table.index(['node_id', 'thread'], 'channel_tombstones_thread')
    table.index(['deleted'], 'channel_tombstones_deleted')
  })
  // Names, not keys: what happened to a channel is told also when it is gone.
  await db.createTable('channel_log', table => {
    table.bigIncrements('id')
    table.string('host', 255).notNullable()
    db.longName(table, 'channel')
    db.time(table, 'at').notNullable()
    // membership, config, node
    table.string('kind', 16).notNullable()
    // whom it concerns and who did it; '' for nobody
    db.longName(table, 'subject')
    db.longName(table, 'actor')
    db.payload(table, 'data').notNullable()
    table.index(['host', 'channel_hash'], 'channel_log_channel')
    table.index(['host', 'subject_hash'], 'channel_log_subject')
    table.index(['host', 'actor_hash'], 'channel_log_actor')
    table.index(['host', 'at'], 'channel_log_at')
  })
}
