import type { MigrationContext } from '../../../../core/storage'

export async function up(db: MigrationContext): Promise<void> {
  await db.createTable('nodes', table => {
    table.increments('id')
    db.longName(table, 'node')
    table.unique(['node_hash'], { indexName: 'nodes_node' })
  })
  await db.createTable('items', table => {
    table.increments('id')
    table.integer('node_id').unsigned().notNullable().references('nodes.id').onDelete('CASCADE')
    table.string('name', 200).notNullable()
    table.boolean('hidden').notNullable().defaultTo(false)
    db.payload(table, 'payload').nullable()
    db.time(table, 'published').notNullable()
    table.unique(['node_id', 'name'], { indexName: 'items_name' })
    table.index(['node_id', 'published', 'id'], 'items_published')
  })
}
