import { JID, nameHash, type AdminAct, type Database } from '#core'

/** What is kept of a sentence, in characters. */
const MAX_DETAIL = 2000
const MAX_NAME = 3071
/** Rows that one write deletes, so that others have their turn between. */
const BATCH = 500

/** What a row is of: each has its room, so that none pushes out another. */
export const KIND = {
  change: 0,
  /** Refused because of the role. */
  denied: 1,
  /** Only looked at, or not done. */
  unchanged: 2
} as const
export type Kind = (typeof KIND)[keyof typeof KIND]

/** A row of the audit. */
export interface KeptAct {
  id: number
  /** Empty for what is about the server as a whole. */
  host: string
  at: number
  actor: string
  command: string
  target: string
  result: string
  detail: string
  /** How often it was, and the last time: for denials, which are kept once. */
  times: number
  last: number
}

/** What to look for; what is left out does not matter. */
export interface Filter {
  /** A JID (a bare one for all its resources), or `local:USER`. */
  actor?: string
  command?: string
  /** A JID (a bare one for all its resources), a domain, a module. */
  target?: string
  /** Milliseconds since the epoch; both included. */
  since?: number
  until?: number
  result?: 'done' | 'undone' | 'denied'
  /** Only what is older than this row. */
  after?: { at: number; id: number }
}

interface NewAct {
  host: string
  at: number
  actor: string
  actorHash: Buffer
  command: string
  target: string
  targetHash: Buffer
  result: string
  detail: string
  denied: number
}

/** The table of what administrators did, of all hosts; `''` stands for the server as a whole. */
export class Acts {
  readonly #db: Database
  readonly #insert
  readonly #repeat
  readonly #beyond
  readonly #old
  readonly #delete

  constructor(db: Database) {
    this.#db = db
    this.#insert = db.statement<NewAct>((knex, p) =>
      knex('audit_acts').insert({
        host: p('host'),
        at: p('at'),
        actor: p('actor'),
        actor_hash: p('actorHash'),
        command: p('command'),
        target: p('target'),
        target_hash: p('targetHash'),
        result: p('result'),
        detail: p('detail'),
        denied: p('denied'),
        times: 1,
        last: p('at')
      })
    )
    this.#repeat = db.statement<{ id: number; more: number; last: number }>((knex, p) =>
      knex('audit_acts')
        .where('id', p('id'))
        .update({ times: knex.raw('times + ?', [p('more')]), last: p('last') })
    )
    this.#beyond = db.statement<{ host: string; denied: number; most: number }, { id: number }>((knex, p) =>
      knex('audit_acts')
        .select('id')
        .where('host', p('host'))
        .where('denied', p('denied'))
        .orderBy([
          { column: 'at', order: 'desc' },
          { column: 'id', order: 'desc' }
        ])
        .limit(BATCH)
        .offset(p('most'))
    )
    this.#old = db.statement<{ host: string; before: number }, { id: number }>((knex, p) =>
      knex('audit_acts').select('id').where('host', p('host')).where('at', '<', p('before')).limit(BATCH)
    )
    this.#delete = db.statement<{ ids: number[] }>((knex, p) =>
      knex('audit_acts')
        .whereIn('id', [p('ids')])
        .delete()
    )
  }

  /** Resolves with the row's id when it is on the disk. */
  async add(host: string, act: AdminAct, kind: Kind = KIND.change): Promise<number> {
    const { lastId } = await this.#db.write(tx =>
      tx.run(this.#insert, {
        host,
        at: act.at,
        actor: act.by.slice(0, MAX_NAME),
        actorHash: hashOf(act.by),
        command: act.command.slice(0, 100),
        target: act.on.slice(0, MAX_NAME),
        targetHash: hashOf(act.on),
        result: act.result.slice(0, 50),
        detail: (act.detail ?? '').slice(0, MAX_DETAIL),
        denied: kind
      })
    )
    return lastId
  }

  /** The same came again, so many times. */
  async repeat(id: number, more: number, last: number): Promise<void> {
    await this.#db.write(tx => tx.run(this.#repeat, { id, more, last }))
  }

  /** Newest first; of one host, or of all. */
  page(host: string | undefined, filter: Filter, limit: number): Promise<KeptAct[]> {
    const { actor, command, target, since, until, result, after } = filter
    const query = this.#db
      .knex('audit_acts')
      .select('id', 'host', 'at', 'actor', 'command', 'target', 'result', 'detail', 'times', 'last')
      .orderBy([
        { column: 'at', order: 'desc' },
        { column: 'id', order: 'desc' }
      ])
      .limit(limit)
    if (host !== undefined) void query.where('host', host)
    if (actor !== undefined) {
      void query.where('actor_hash', hashOf(actor))
      if (isResource(actor)) void query.where('actor', actor)
    }
    if (target !== undefined) {
      void query.where('target_hash', hashOf(target))
      if (isResource(target)) void query.where('target', target)
    }
    if (command !== undefined) void query.where('command', command)
    if (since !== undefined) void query.where('at', '>=', since)
    if (until !== undefined) void query.where('at', '<=', until)
    if (result === 'denied') void query.where('denied', KIND.denied)
    if (result === 'done') void query.where('result', 'done')
    if (result === 'undone') void query.whereNot('result', 'done')
    if (after)
      void query
        .where('at', '<=', after.at)
        .where(older => void older.where('at', '<', after.at).orWhere('id', '<', after.id))
    // Off the main thread: where little of much fits, it is long
    return this.#db.wide.query<KeptAct>(query)
  }

  /** Deletes what is older, and the oldest of what is too much: half as many are kept of what changed nothing, of denials a tenth. */
  async prune(host: string, before: number, most: number): Promise<void> {
    await this.#deleteAll(() => this.#db.read.all(this.#old, { host, before }))
    for (const [denied, kept] of [
      [KIND.change, most],
      [KIND.unchanged, Math.ceil(most / 2)],
      [KIND.denied, Math.ceil(most / 10)]
    ] as const)
      await this.#deleteAll(() => this.#db.wide.all(this.#beyond, { host, denied, most: kept }))
  }

  async #deleteAll(find: () => Promise<{ id: number }[]>): Promise<void> {
    for (;;) {
      const ids = (await find()).map(({ id }) => id)
      if (ids.length === 0) return
      await this.#db.write(tx => tx.run(this.#delete, { ids }))
    }
  }
}

/** By the bare JID, so that whoever looks for somebody finds all their resources. */
function hashOf(name: string): Buffer {
  return nameHash(JID.tryParse(name)?.bare ?? name)
}

function isResource(name: string): boolean {
  return (JID.tryParse(name)?.resource ?? '') !== ''
}
