import { nameHash, type Database, type Tx } from '#core'

/** What happened to a channel, and who did it. */
export interface LogEntry {
  /** Bare JID of the channel. */
  channel: string
  /** Milliseconds UTC. */
  at: number
  kind: 'membership' | 'config' | 'node'
  /** Whom it concerns; '' for nobody. */
  subject: string
  actor: string
  data: object
}

/** The dated log of membership and config changes: for replay, which must tell of leavings too. */
export class LogTable {
  readonly #host: string
  readonly #sql

  constructor(db: Database, host: string) {
    this.#host = host
    this.#sql = {
      insert: db.statement<{
        host: string
        channel: string
        channelHash: Buffer
        at: number
        kind: string
        subject: string
        subjectHash: Buffer
        actor: string
        actorHash: Buffer
        data: string
      }>((knex, p) =>
        knex('channel_log').insert({
          host: p('host'),
          channel: p('channel'),
          channel_hash: p('channelHash'),
          at: p('at'),
          kind: p('kind'),
          subject: p('subject'),
          subject_hash: p('subjectHash'),
          actor: p('actor'),
          actor_hash: p('actorHash'),
          data: p('data')
        })
      ),
      purgeSubject: db.statement<{ host: string; hash: Buffer }>((knex, p) =>
        knex('channel_log').delete().where('host', p('host')).where('subject_hash', p('hash'))
      ),
      purgeChannel: db.statement<{ host: string; hash: Buffer }>((knex, p) =>
        knex('channel_log').delete().where('host', p('host')).where('channel_hash', p('hash'))
      ),
      forgetActor: db.statement<{ host: string; hash: Buffer; nobody: Buffer }>((knex, p) =>
        knex('channel_log')
          .update({ actor: '', actor_hash: p('nobody') })
          .where('host', p('host'))
          .where('actor_hash', p('hash'))
      ),
      old: db.statement<{ host: string; before: number; limit: number }, { id: number }>((knex, p) =>
        knex('channel_log')
          .select('id')
          .where('host', p('host'))
          .where('at', '<', p('before'))
          .limit(p('limit'))
      ),
      delete: db.statement<{ ids: readonly number[] }>((knex, p) =>
        knex('channel_log')
          .delete()
          .whereIn('id', [p('ids')])
      )
    }
  }

  async add(tx: Tx, entry: LogEntry): Promise<void> {
    const { channel, subject, actor, data } = entry
    await tx.run(this.#sql.insert, {
      ...entry,
      host: this.#host,
      channelHash: nameHash(channel),
      subjectHash: nameHash(subject),
      actorHash: nameHash(actor),
      data: JSON.stringify(data)
    })
  }

  /** An account is gone: its name does not stay, as whoever and as a channel. */
  async purge(tx: Tx, jid: string): Promise<void> {
    const person = { host: this.#host, hash: nameHash(jid) }
    await tx.run(this.#sql.purgeSubject, person)
    await tx.run(this.#sql.purgeChannel, person)
    await tx.run(this.#sql.forgetActor, { ...person, nobody: nameHash('') })
  }

  /** Forgets the oldest entries, so many at most; tells how many there were. */
  async expire(tx: Tx, before: number, limit: number): Promise<number> {
    const rows = await tx.all(this.#sql.old, { host: this.#host, before, limit })
    if (rows.length > 0) await tx.run(this.#sql.delete, { ids: rows.map(row => row.id) })
    return rows.length
  }
}
