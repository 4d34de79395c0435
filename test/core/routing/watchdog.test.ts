import assert from 'node:assert/strict'
import test from 'node:test'
import { createLogger } from '../../../core/log'
import { Metrics } from '../../../core/metrics'
import type { Incoming } from '../../../core/routing/incoming'
import { Watchdog } from '../../../core/routing/watchdog'
import { el } from '../../../core/xml/element'

interface Stub {
  event: Incoming
  refused: string[]
}

/** What the watchdog needs of a stanza under way. */
function stanza(id: string): Stub {
  const refused: string[] = []
  const event = {
    stanza: el('iq', { id }),
    host: { name: 'localhost' },
    owner: { module: 'sloth' },
    refuse: (error: Error) => void refused.push(error.message),
    fail: (error: Error) => void refused.push(error.message)
  } as unknown as Incoming
  return { event, refused }
}

function setUp(): { watchdog: Watchdog; lines: () => string[] } {
  const written: string[] = []
  const log = createLogger({
    level: 'error',
    format: 'json',
    destination: { write: line => void written.push(line) }
  })
  const lines = (): string[] => written.map(line => (JSON.parse(line) as { id: string }).id)
  return { watchdog: new Watchdog(log, new Metrics(), 1000), lines }
}

test('a handler that does not end is named once, and whoever waits for it waits no longer', async t => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] })
  const { watchdog, lines } = setUp()
  t.after(() => watchdog.stop())
  const stubs = ['a', 'b', 'c', 'd', 'e'].map(stanza)
  const ends: (() => void)[] = []
  const watched = stubs.map(({ event }) =>
    watchdog.watch(event, new Promise<void>(resolve => ends.push(resolve)))
  )
  t.mock.timers.tick(900)
  // in any order: the others are still looked after
  for (const which of [1, 4, 0]) {
    ends[which]?.()
    await watched[which]
  }
  assert.deepEqual(lines(), [])
  t.mock.timers.tick(200)
  await Promise.all(watched)
  assert.deepEqual(lines().sort(), ['c', 'd'])
  for (const [i, { refused }] of stubs.entries()) assert.equal(refused.length, i === 2 || i === 3 ? 1 : 0)
  // one that ends after all is forgotten, and nobody is named twice
  ends[2]?.()
  t.mock.timers.tick(5000)
  assert.equal(lines().length, 2)
})

test('what a handler throws is the stanza’s', async t => {
  const { watchdog, lines } = setUp()
  t.after(() => watchdog.stop())
  const { event, refused } = stanza('x')
  await watchdog.watch(event, Promise.reject(new Error('no')))
  assert.deepEqual(refused, ['no'])
  assert.deepEqual(lines(), [])
})
