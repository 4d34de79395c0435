import type { Database, Reader, Tx } from '#core'
import { PUBSUB_ROLES, type Range } from '../../lib_pubsub'
import type { Hashes } from './hashes'
import { bothWays, readRange } from '../../lib_keyset'
import { merged } from './merged'

export interface AffiliationRow {
  id: number
  jid: string
  affiliation: string
}

export interface OwnAffiliationRow {
  id: number
  node: string
  affiliation: string
}

/** Each is a list of its own: a node's owners are found however many outcasts it has. */
const ALL = Object.keys(PUBSUB_ROLES.roles).filter(name => name !== 'none')

type At = { node: number; hash: Buffer }

/** Who is what to the nodes of one host: one row for each that is not `none`. */
export class AffiliationTable {
  readonly #host: string
  readonly #hashes: Hashes
  readonly #sql

  constructor(db: Database, host: string, hashes: Hashes) {
    this.#host = host
    this.#hashes = hashes
    const table = 'pubsub_affiliations'
    this.#sql = {
      one: db.statement<At, { affiliation: string }>((knex, p) =>
        knex(table).select('affiliation').where('node_id', p('node')).where('jid_hash', p('hash'))
      ),
      list: bothWays<{ node: number; affiliation: string }, AffiliationRow>(db, 'id', (knex, p) =>
        knex(table)
          .select('id', 'jid', 'affiliation')
          .where('node_id', p('node'))
          .where('affiliation', p('affiliation'))
      ),
      own: bothWays<{ host: string; hash: Buffer }, OwnAffiliationRow>(db, 'a.id', (knex, p) =>
        knex(`${table} as a`)
          .join('pubsub_nodes as n', 'n.id', 'a.node_id')
          .select('a.id', 'n.name as node', 'a.affiliation')
          .where('a.host', p('host'))
          .where('a.jid_hash', p('hash'))
      ),
      ownAt: bothWays<At, Omit<OwnAffiliationRow, 'node'>>(db, 'id', (knex, p) =>
        knex(table).select('id', 'affiliation').where('node_id', p('node')).where('jid_hash', p('hash'))
      ),
      put: db.statement<At & { host: string; jid: string; affiliation: string }>((knex, p) =>
        knex(table)
          .insert({
            host: p('host'),
            node_id: p('node'),
            jid: p('jid'),
            jid_hash: p('hash'),
            affiliation: p('affiliation')
          })
          .onConflict(['node_id', 'jid_hash'])
          .merge(['affiliation'])
      ),
      delete: db.statement<At>((knex, p) =>
        knex(table).delete().where('node_id', p('node')).where('jid_hash', p('hash'))
      )
    }
  }

  one(reader: Reader, node: number, jid: string): Promise<{ affiliation: string } | undefined> {
    return reader.get(this.#sql.one, this.#at(node, jid))
  }

  /** Those of a node; only those named, where some are. */
  async list(
    reader: Reader,
    node: number,
    range: Range,
    only: readonly string[] = ALL
  ): Promise<AffiliationRow[]> {
    const lists = only.map(affiliation => readRange(reader, this.#sql.list, { node, affiliation }, range))
    return merged(await Promise.all(lists), range)
  }

  /** Those of a person, on all nodes. */
  own(reader: Reader, jid: string, range: Range): Promise<OwnAffiliationRow[]> {
    return readRange(reader, this.#sql.own, { host: this.#host, hash: this.#hashes.of(jid) }, range)
  }

  ownAt(reader: Reader, node: number, jid: string, range: Range): Promise<Omit<OwnAffiliationRow, 'node'>[]> {
    return readRange(reader, this.#sql.ownAt, this.#at(node, jid), range)
  }

  async set(tx: Tx, node: number, jid: string, affiliation: string): Promise<void> {
    const at = this.#at(node, jid)
    if (affiliation === 'none') await tx.run(this.#sql.delete, at)
    else await tx.run(this.#sql.put, { ...at, host: this.#host, jid, affiliation })
  }

  #at(node: number, jid: string): At {
    return { node, hash: this.#hashes.of(jid) }
  }
}
