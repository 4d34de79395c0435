import type { Database, Tx } from '#core'
import type { Hashes } from './hashes'

type Person = { host: string; hash: Buffer }

/** What has to go, and what loses a name, when an account is removed. */
export class Departures {
  readonly #host: string
  readonly #hashes: Hashes
  readonly #sql

  constructor(db: Database, host: string, hashes: Hashes) {
    this.#host = host
    this.#hashes = hashes
    const subscriptions = 'pubsub_subscriptions'
    this.#sql = {
      soleOwner: db.statement<Person & { owner: string }, { name: string }>((knex, p) =>
        knex('pubsub_affiliations as a')
          .join('pubsub_nodes as n', 'n.id', 'a.node_id')
          .select('n.name')
          .where('a.host', p('host'))
          .where('a.jid_hash', p('hash'))
          .where('a.affiliation', p('owner'))
          .whereNotExists(
            knex('pubsub_affiliations as b')
              .select(knex.raw('1'))
              .whereRaw('b.node_id = a.node_id')
              .where('b.affiliation', p('owner'))
              .whereRaw('b.id <> a.id')
          )
          .orderBy('a.id')
      ),
      uncount: db.statement<Person & { same: Buffer }>((knex, p) =>
        knex('pubsub_nodes')
          .update({
            version: knex.raw('version + 1'),
            // by the person's index, not by that of all subscribers
            subscribers: knex.raw('subscribers - (?)', [
              knex(subscriptions)
                .select(knex.raw("SUM(CASE WHEN state = 'subscribed' THEN 1 ELSE 0 END)"))
                .whereRaw('node_id = pubsub_nodes.id')
                .where('bare_hash', p('same'))
            ])
          })
          .whereIn(
            'id',
            knex(subscriptions).select('node_id').where('host', p('host')).where('bare_hash', p('hash'))
          )
      ),
      unsubscribe: db.statement<Person>((knex, p) =>
        knex(subscriptions).delete().where('host', p('host')).where('bare_hash', p('hash'))
      ),
      disaffiliate: db.statement<Person>((knex, p) =>
        knex('pubsub_affiliations').delete().where('host', p('host')).where('jid_hash', p('hash'))
      ),
      forgetRedirects: db.statement<Person>((knex, p) =>
        knex('pubsub_redirects').delete().where('host', p('host')).where('creator_hash', p('hash'))
      ),
      forgetCreator: db.statement<Person & { nobody: Buffer }>((knex, p) =>
        knex('pubsub_nodes')
          .update({ creator: '', creator_hash: p('nobody') })
          .where('host', p('host'))
          .where('creator_hash', p('hash'))
      ),
      forgetPublisher: db.statement<Person & { nobody: Buffer }>((knex, p) =>
        knex('pubsub_items')
          .update({ publisher: '', publisher_hash: p('nobody') })
          .where('publisher_hash', p('hash'))
          .whereIn('node_id', knex('pubsub_nodes').select('id').where('host', p('host')))
      )
    }
  }

  /** Names of the nodes that would be left without owner. */
  async soleOwner(tx: Tx, bare: string, owner: string): Promise<string[]> {
    const rows = await tx.all(this.#sql.soleOwner, { ...this.#person(bare), owner })
    return rows.map(row => row.name)
  }

  /** Everything else: subscriptions, affiliations, and the name wherever it stands. */
  async forget(tx: Tx, bare: string): Promise<void> {
    const person = this.#person(bare)
    const renamed = { ...person, nobody: this.#hashes.of('') }
    await tx.run(this.#sql.uncount, { ...person, same: person.hash })
    await tx.run(this.#sql.unsubscribe, person)
    await tx.run(this.#sql.disaffiliate, person)
    await tx.run(this.#sql.forgetRedirects, person)
    await tx.run(this.#sql.forgetCreator, renamed)
    await tx.run(this.#sql.forgetPublisher, renamed)
  }

  #person(bare: string): Person {
    return { host: this.#host, hash: this.#hashes.of(bare) }
  }
}
