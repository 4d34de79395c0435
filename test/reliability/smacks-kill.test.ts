// time limit: 300 s
import assert from 'node:assert/strict'
import test from 'node:test'
import { childText, nsOf } from '../../core/xml/element'
import { forEachDatabase } from '../lib/databases'
import type { DatabaseName } from '../lib/databases'
import { managedHost, SM } from '../lib/smacks'
import { spawnTestServer } from '../lib/spawn'
import { join } from '../lib/wire'

/*
 * XEP-0198 §4: what the server has told a client to be handled, the client forgets. So a server that is killed in the
 * middle of what it does must have it when it comes back.
 */

const LIVES: Readonly<Record<DatabaseName, number>> = { SQLite: 6, MariaDB: 2 }
const MESSAGES = 1000

forEachDatabase(database => {
  const lives = LIVES[database]
  test(`killed ${lives} times, the server keeps every message that it has acknowledged, and none twice`, async t => {
    const server = await spawnTestServer(t, {
      ...managedHost({}, { offline: { limit: 100_000, maxBytes: 1e8 } }),
      database,
      config: database === 'SQLite' ? { storage: { driver: 'sqlite', durability: 'full' } } : {}
    })
    await server.addUser('romeo@localhost', 'a password for tests')
    let total = 0
    for (let life = 1; life <= lives; life++) {
      const juliet = await join(server, 'juliet', { jid: 'juliet@localhost/balcony' })
      juliet.write(`<enable xmlns='${SM}' resume='true'/>`)
      await juliet.receives(`<enabled xmlns='${SM}'/>`)
      const enough = 20 + Math.floor(Math.random() * 300)
      let acknowledged = 0
      let dying: Promise<unknown> | undefined
      for (let n = 0; n < MESSAGES; n++) {
        juliet.send(`<message to='romeo@localhost' type='chat' id='${n}'><body>${life}-${n}</body></message>`)
        juliet.write(`<r xmlns='${SM}'/>`)
      }
      while (!juliet.closed) {
        const stanza = await juliet.next().catch((error: unknown) => {
          if (!juliet.closed) throw error
          return undefined
        })
        if (!stanza || nsOf(stanza) !== SM || stanza.name !== 'a') continue
        acknowledged = Number(stanza.attrs.h)
        if (acknowledged >= enough) dying ??= server.kill('SIGKILL')
      }
      assert.equal(await dying, 'SIGKILL')
      assert.ok(acknowledged < MESSAGES, 'it died in the middle')
      await server.start()
      const romeo = await join(server, 'romeo', { jid: 'romeo@localhost/garden', presence: true })
      await romeo.fence()
      const bodies = romeo.unread.flatMap(stanza => childText(stanza, 'body') ?? [])
      const numbers = Array.from({ length: bodies.length }, (_, n) => `${life}-${n}`)
      assert.deepEqual(bodies, numbers)
      assert.ok(bodies.length >= acknowledged, `${acknowledged} acknowledged, ${bodies.length} kept`)
      total += acknowledged
      await romeo.close()
    }
    t.diagnostic(`${total} messages were acknowledged`)
  })
})
