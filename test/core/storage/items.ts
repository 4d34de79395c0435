import path from 'node:path'
import type { Database } from '../../../core/storage'

/** Gives a database the tables `nodes` and `items`. */
export async function withItems(database: Database): Promise<Database> {
  await database.migrate('mod_items', path.join(__dirname, 'item-migrations'))
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
