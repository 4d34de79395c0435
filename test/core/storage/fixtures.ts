import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import type { Database } from '../../../core/storage'

const folders: string[] = []
after(() => folders.forEach(folder => fs.rmSync(folder, { recursive: true, force: true })))

/** A folder with these migrations: the body of `up`, by file name. Removed after the tests. */
export function migrationFolder(files: Record<string, string>): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-migrations-'))
  folders.push(folder)
  writeMigrations(folder, files)
  return folder
}

export function writeMigrations(folder: string, files: Record<string, string>): void {
  for (const [name, body] of Object.entries(files))
    fs.writeFileSync(
      path.join(folder, name),
      `import type { MigrationContext } from '#core'\nexport async function up(db: MigrationContext): Promise<void> {\n${body}\n}\n`
    )
}

const ITEMS = migrationFolder({
  '001_items.ts': `
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
  })`
})

/** Gives a database the tables `nodes` and `items`. */
export async function withItems(database: Database): Promise<Database> {
  await database.migrate('mod_items', ITEMS)
  return database
}

export interface NewItem {
  nodeId: number
  name: string
  payload: string | null
  published: number
}

export function itemStatements(database: Database) {
  return {
    addNode: database.statement<{ node: string; hash: Buffer }>((knex, p) =>
      knex('nodes').insert({ node: p('node'), node_hash: p('hash') })
    ),
    nodeId: database.statement<{ hash: Buffer }, { id: number; node: string }>((knex, p) =>
      knex('nodes')
        .select('id', 'node')
        .where({ node_hash: p('hash') })
    ),
    addItem: database.statement<NewItem>((knex, p) =>
      knex('items').insert({
        node_id: p('nodeId'),
        name: p('name'),
        payload: p('payload'),
        published: p('published')
      })
    ),
    item: database.statement<
      { nodeId: number; name: string },
      { name: string; payload: string; published: number }
    >((knex, p) =>
      knex('items')
        .select('name', 'payload', 'published')
        .where({ node_id: p('nodeId'), name: p('name') })
    ),
    newest: database.statement<{ nodeId: number; limit: number }, { name: string }>((knex, p) =>
      knex('items')
        .select('name')
        .where({ node_id: p('nodeId') })
        .orderBy([
          { column: 'published', order: 'desc' },
          { column: 'id', order: 'desc' }
        ])
        .limit(p('limit'))
    ),
    named: database.statement<{ names: string[] }, { name: string }>((knex, p) =>
      knex('items')
        .select('name')
        .whereIn('name', [p('names')])
        .orderBy('name')
    ),
    count: database.statement<object, { n: number }>(knex => knex('items').count({ n: '*' }))
  }
}
