import assert from 'node:assert/strict'
import path from 'node:path'
import test from 'node:test'
import type { AdminAct } from '../../../core/modules/acts'
import { Acts, KIND } from '../../../modules/mod_audit/acts'
import { DENIALS, Repeats } from '../../../modules/mod_audit/repeats'
import { forEachDatabase, type Open } from '../../lib/databases'

const MIGRATIONS = path.resolve(__dirname, '../../../modules/mod_audit/migrations')

async function open(openDatabase: Open): Promise<Acts> {
  const { database } = await openDatabase()
  await database.migrate('mod_audit', MIGRATIONS)
  return new Acts(database)
}

function act(at: number, more: Partial<AdminAct> = {}): AdminAct {
  return { at, by: 'juliet@localhost/balcony', command: 'delete-user', on: '', result: 'done', ...more }
}

async function times(acts: Acts, host: string | undefined, filter = {}, limit = 100): Promise<number[]> {
  return (await acts.page(host, filter, limit)).map(({ at }) => Number(at))
}

forEachDatabase((_, openDatabase) => {
  test('newest first, in pages, of one host, of the server, of all', async () => {
    const acts = await open(openDatabase)
    // Two of the same time: the later row is the newer one
    for (const at of [10, 30, 20, 30]) await acts.add('localhost', act(at, { on: `n${at}` }))
    await acts.add('', act(25, { command: 'module-reload' }))
    await acts.add('other', act(26))
    assert.deepEqual(await times(acts, 'localhost'), [30, 30, 20, 10])
    assert.deepEqual(await times(acts, ''), [25])
    assert.deepEqual(await times(acts, undefined), [30, 30, 26, 25, 20, 10])
    const seen: number[] = []
    for (let after: { at: number; id: number } | undefined; ;) {
      const [row] = await acts.page('localhost', after ? { after } : {}, 1)
      if (!row) break
      seen.push(row.id)
      after = { at: Number(row.at), id: row.id }
    }
    assert.deepEqual(seen, [4, 2, 3, 1])
  })

  test('filtered by who, command, target, time and result', async () => {
    const acts = await open(openDatabase)
    const add = (at: number, more: Partial<AdminAct>): Promise<number> => acts.add('localhost', act(at, more))
    await add(1, { on: 'romeo@localhost' })
    await add(2, {
      by: 'juliet@localhost/chamber',
      on: 'romeo@localhost/orchard',
      command: 'end-user-session'
    })
    await add(3, { by: 'local:root', on: 'capulet.lit', result: 'item-not-found' })
    await add(4, { by: 'Juliet@localhost', on: 'roster ', result: 'failed' })
    await acts.add('localhost', act(5, { by: 'mallory@localhost/x', result: 'forbidden' }), KIND.denied)
    for (const [filter, wanted] of [
      [{ actor: 'juliet@localhost' }, [4, 2, 1]],
      [{ actor: 'juliet@localhost/chamber' }, [2]],
      [{ actor: 'local:root' }, [3]],
      [{ actor: 'local:ROOT' }, []],
      [{ target: 'romeo@localhost' }, [2, 1]],
      [{ target: 'romeo@localhost/orchard' }, [2]],
      [{ target: 'capulet.lit' }, [3]],
      [{ target: 'roster' }, []],
      [{ command: 'end-user-session' }, [2]],
      [{ since: 2, until: 3 }, [3, 2]],
      [{ result: 'done' }, [2, 1]],
      [{ result: 'undone' }, [5, 4, 3]],
      [{ result: 'denied' }, [5]],
      [{ actor: 'juliet@localhost', command: 'delete-user', since: 2 }, [4]]
    ] as const)
      assert.deepEqual(await times(acts, 'localhost', filter), wanted, JSON.stringify(filter))
  })

  test('what is long is cut, and kept', async () => {
    const acts = await open(openDatabase)
    const long = '\u{1F339}'.repeat(5000)
    await acts.add('localhost', act(1, { on: long, detail: long, command: 'x'.repeat(300), by: long }))
    const [row] = await acts.page('localhost', {}, 1)
    assert.equal(row?.detail.length, 2000)
    assert.equal(row.command.length, 100)
  })

  test('age and number are bounded for each host; denials, and what changed nothing, have bounds of their own', async () => {
    const acts = await open(openDatabase)
    for (let at = 1; at <= 30; at++) await acts.add('localhost', act(at))
    for (let at = 1; at <= 8; at++) await acts.add('localhost', act(at, { result: 'forbidden' }), KIND.denied)
    for (let at = 1; at <= 40; at++) await acts.add('localhost', act(at, { result: 'read' }), KIND.unchanged)
    await acts.add('other', act(1))
    await acts.prune('localhost', 0, 20)
    assert.equal((await times(acts, 'localhost', { result: 'done' })).length, 20)
    assert.equal((await times(acts, 'localhost', { result: 'denied' })).length, 2)
    assert.equal((await times(acts, 'localhost')).length, 20 + 2 + 10)
    await acts.prune('localhost', 28, 20)
    assert.deepEqual(await times(acts, 'localhost', { result: 'done' }), [30, 29, 28])
    assert.deepEqual(await times(acts, 'other'), [1])
  })

  test('the same denial is one row that counts; a new one after an hour', async () => {
    const acts = await open(openDatabase)
    const denials = new Repeats(acts, DENIALS)
    const denied = (at: number, more: Partial<AdminAct> = {}): Promise<void> =>
      denials.add('localhost', act(at, { denied: true, result: 'forbidden', ...more }))
    await Promise.all([0, 1, 2, 3].map(at => denied(at)))
    await denied(4, { by: 'juliet@localhost/another' })
    await denied(5, { command: 'restart' })
    await denials.flush(6)
    await denied(7)
    await denials.flush(8)
    const rows = async (): Promise<[string, number, number][]> =>
      (await acts.page('localhost', {}, 100)).map(row => [row.command, row.times, Number(row.last)])
    assert.deepEqual(await rows(), [
      ['restart', 1, 5],
      ['delete-user', 6, 7]
    ])
    await denied(3_600_000)
    assert.deepEqual((await rows())[0], ['delete-user', 1, 3_600_000])
  })

  test('many who are denied make no more than 500 rows an hour', async () => {
    const acts = await open(openDatabase)
    const denials = new Repeats(acts, DENIALS)
    await Promise.all(
      Array.from({ length: 520 }, (_, i) =>
        denials.add('localhost', act(i, { by: `m${i}@localhost/x`, denied: true, result: 'forbidden' }))
      )
    )
    assert.equal((await times(acts, 'localhost', {}, 1000)).length, 500)
  })
})
