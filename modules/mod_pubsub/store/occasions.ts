import type { Database, Reader } from '#core'
import type { Range } from '../../lib_pubsub'
import { bothWays, readRange } from '../../lib_keyset'
import type { Hashes } from './hashes'

/** A subscription at a node to which something happens. */
export interface OccasionRow {
  id: number
  jid: string
  node: string
}

type Person = { host: string; hash: Buffer }

/** The subscriptions of somebody that presence or a roster concerns. */
export class Occasions {
  readonly #host: string
  readonly #hashes: Hashes
  readonly #sql

  constructor(db: Database, host: string, hashes: Hashes) {
    this.#host = host
    this.#hashes = hashes
    const any = (column: 'on_presence' | 'by_roster') =>
      db.statement<{ host: string }, { id: number }>((knex, p) =>
        knex('pubsub_nodes').select('id').where('host', p('host')).where(column, 1).limit(1)
      )
    this.#sql = {
      anyOnPresence: any('on_presence'),
      anyByRoster: any('by_roster'),
      onPresence: bothWays<Person, OccasionRow>(db, 's.id', (knex, p) =>
        knex('pubsub_subscriptions as s')
          .join('pubsub_nodes as n', 'n.id', 's.node_id')
          .select('s.id', 's.jid', 'n.name as node')
          .where('s.host', p('host'))
          .where('s.bare_hash', p('hash'))
          .where('s.state', 'subscribed')
          .where('n.on_presence', 1)
      ),
      byRoster: bothWays<Person & { owner: Buffer }, OccasionRow>(db, 's.id', (knex, p) =>
        knex('pubsub_subscriptions as s')
          .join('pubsub_nodes as n', 'n.id', 's.node_id')
          .join('pubsub_affiliations as a', on => on.on('a.node_id', 's.node_id'))
          .select('s.id', 's.jid', 'n.name as node')
          .where('s.host', p('host'))
          .where('s.bare_hash', p('hash'))
          .where('n.by_roster', 1)
          .where('a.jid_hash', p('owner'))
          .where('a.affiliation', 'owner')
      )
    }
  }

  /** Those that get the last item when somebody becomes available. */
  async onPresence(reader: Reader, bare: string, range: Range): Promise<OccasionRow[]> {
    if (!(await reader.get(this.#sql.anyOnPresence, { host: this.#host }))) return []
    return await readRange(reader, this.#sql.onPresence, this.#person(bare), range)
  }

  /** Those of somebody at the nodes of that owner to which rosters give access. */
  async byRoster(reader: Reader, owner: string, bare: string, range: Range): Promise<OccasionRow[]> {
    if (!(await reader.get(this.#sql.anyByRoster, { host: this.#host }))) return []
    const params = { ...this.#person(bare), owner: this.#hashes.of(owner) }
    return await readRange(reader, this.#sql.byRoster, params, range)
  }

  #person(bare: string): Person {
    return { host: this.#host, hash: this.#hashes.of(bare) }
  }
}
