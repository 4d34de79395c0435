import assert from 'node:assert/strict'
import test from 'node:test'
import { CollapsedLog } from '../../core/collapsed-log'
import { createLogger } from '../../core/log'

function make() {
  const lines: { level: string; msg: string; more?: number; address?: string }[] = []
  const clock = { now: 0 }
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[0]) }
  const log = new CollapsedLog(createLogger({ format: 'json', destination }), {
    window: 60_000,
    now: () => clock.now
  })
  return { lines, clock, log }
}

test('what is repeated is written once, and then how often it was', t => {
  const { lines, clock, log } = make()
  t.after(() => log.flush())
  for (let i = 1; i <= 1000; i++) log.warn('refused', { address: `192.0.2.${i % 250}` }, 'refused')
  log.info('other', {}, 'something else')
  assert.deepEqual(
    lines.map(({ level, msg }) => `${level} ${msg}`),
    ['warn refused', 'info something else']
  )
  clock.now = 60_000
  log.warn('refused', { address: '192.0.2.7' }, 'refused')
  assert.equal(lines.length, 4)
  assert.deepEqual([lines[2]?.more, lines[2]?.level, lines[2]?.address], [999, 'warn', '192.0.2.0'])
  assert.match(lines[2]?.msg ?? '', /^refused \(999 more times/)
  assert.equal(lines[3]?.address, '192.0.2.7')
})

test('what was not written yet is told at the end; what came once is not told twice', () => {
  const { lines, log } = make()
  log.error('once', {}, 'once')
  log.warn('often', {}, 'often')
  log.warn('often', {}, 'often')
  log.flush()
  assert.deepEqual(
    lines.map(({ msg, more }) => [msg.slice(0, 5), more]),
    [
      ['once', undefined],
      ['often', undefined],
      ['often', 1]
    ]
  )
})

test('what is repeated is told after the window, also where nothing follows', t => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const lines: string[] = []
  const log = new CollapsedLog(
    createLogger({ format: 'json', destination: { write: line => void lines.push(line) } }),
    { window: 1000 }
  )
  log.warn('a', {}, 'a')
  log.warn('a', {}, 'a')
  t.mock.timers.tick(1000)
  assert.equal(lines.length, 2)
  t.mock.timers.tick(10_000)
  assert.equal(lines.length, 2)
})

test('keys of strangers do not make as many lines', () => {
  const { lines, log } = make()
  for (let i = 0; i < 50_000; i++) log.warn(`address ${i}`, {}, 'refused')
  assert.ok(lines.length <= 1001, String(lines.length))
  log.flush()
})
