import assert from 'node:assert/strict'
import test from 'node:test'
import type { AdminAct } from '../../../core/modules/acts'
import { KIND, type Kind } from '../../../modules/mod_audit/acts'
import { Repeats } from '../../../modules/mod_audit/repeats'

const HOUR = 3_600_000

interface Row {
  what: string
  times: number
  kind: Kind | undefined
}

function table() {
  const rows: Row[] = []
  return {
    rows,
    add(host: string, act: AdminAct, kind?: Kind): Promise<number> {
      const what = [host, act.by, act.command, act.on, act.result].filter(Boolean).join(' ')
      return Promise.resolve(rows.push({ what, times: 1, kind }))
    },
    repeat(id: number, more: number): Promise<void> {
      const row = rows[id - 1]
      assert.ok(row)
      row.times += more
      return Promise.resolve()
    }
  }
}

const act = (more: Partial<AdminAct> = {}): AdminAct => ({
  at: 1000,
  by: 'admin@localhost/hall',
  command: 'get',
  on: 'romeo@localhost',
  result: 'done',
  ...more
})

test('the first are kept one by one, then they are counted, by command and result; the next hour begins anew', async () => {
  const acts = table()
  const repeats = new Repeats(acts, { kind: KIND.unchanged, single: 2, counting: 1, all: 10 })
  for (let i = 0; i < 9; i++) await repeats.add('h', act())
  for (let i = 0; i < 4; i++) await repeats.add('h', act({ command: `other${i}` }))
  await repeats.add('h', act({ command: 'other', result: 'refused' }))
  await repeats.add('h', act({ by: 'admin@localhost/elsewhere' }))
  await repeats.flush(2000)
  const who = 'h admin@localhost/hall'
  const first = [
    { what: `${who} get romeo@localhost done`, times: 1, kind: 2 },
    { what: `${who} get romeo@localhost done`, times: 1, kind: 2 },
    { what: `${who} get done`, times: 8, kind: 2 },
    { what: `${who} others done`, times: 4, kind: 2 },
    { what: `${who} others refused`, times: 1, kind: 2 }
  ]
  assert.deepEqual(acts.rows, first)
  await repeats.add('h', act())
  await repeats.add('h', act({ at: 1000 + HOUR }))
  await repeats.flush(1000 + HOUR)
  assert.deepEqual(
    acts.rows.map(({ times }) => times),
    [1, 1, 9, 4, 1, 1]
  )
})

test('no account takes the room of the others; what nobody has room for is left to the log', async () => {
  const acts = table()
  const repeats = new Repeats(acts, { kind: KIND.denied, single: 0, counting: 3, all: 9 })
  const denied = (by: string, command: string) =>
    repeats.add('h', act({ by, command, on: '', result: 'forbidden', denied: true }))
  for (let i = 0; i < 55; i++) await denied('mallory@localhost/x', `command${i}`)
  await denied('juliet@localhost/x', 'command0')
  await repeats.flush(2000)
  assert.deepEqual(
    acts.rows.map(({ what, times }) => `${what} ${times}`),
    [
      'h mallory@localhost/x command0 forbidden 1',
      'h mallory@localhost/x command1 forbidden 1',
      'h mallory@localhost/x command2 forbidden 1',
      'h mallory@localhost/x others forbidden 52',
      'h juliet@localhost/x command0 forbidden 1'
    ]
  )
  for (const who of ['a', 'b', 'c', 'd', 'e']) await denied(`${who}@localhost/x`, 'command0')
  assert.equal(acts.rows.length, 9)
  // The hour is over: there is room again
  await repeats.flush(1000 + HOUR)
  await denied('e@localhost/x', 'command0')
  assert.equal(acts.rows.length, 10)
})
