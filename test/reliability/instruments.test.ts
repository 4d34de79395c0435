import assert from 'node:assert/strict'
import test from 'node:test'
import { Counter, Ledger } from './lib/ledger'
import { Numbers } from './lib/numbers'
import { slope } from './lib/slope'

/*
 * The other tests here pass when nothing is wrong, which is also what a blind instrument says.
 */

test('numbers that are lost, doubled or late are noticed', async () => {
  const inOrder = new Numbers()
  inOrder.expect(3)
  for (const n of [1, 2, 3]) inOrder.arrived('a', n)
  await inOrder.caughtUp(0, 1000)
  for (const wrong of [[1, 3], [1, 1], [2]]) {
    const numbers = new Numbers()
    numbers.expect(wrong.length)
    for (const n of wrong) numbers.arrived('a', n)
    await assert.rejects(numbers.caughtUp(0, 1000), /^Error: a: \d came after \d$/)
  }
  const late = new Numbers()
  late.expect(1)
  await assert.rejects(late.caughtUp(0, 10), /1 numbers have not arrived/)
})

test('what is lost, doubled, back again or from nowhere is noticed', () => {
  const ledger = new Ledger('things')
  for (const key of ['a', 'b', 'c', 'd']) ledger.asked(key)
  ledger.acknowledged('a')
  ledger.acknowledged('b')
  ledger.acknowledged('c', false)
  assert.deepEqual(ledger.audit(['b', 'b', 'c', 'e']), [
    'things: twice: b',
    'things: lost: a',
    'things: back again: c',
    'things: from nowhere: e'
  ])
  assert.deepEqual(ledger.audit(['b', 'c']), [], 'a and d, which were not there, are not missed again')
  assert.deepEqual(ledger.audit(['b', 'c', 'd']), ['things: back again: d'])
})

test('a value between what was acknowledged and what was asked for is good', () => {
  for (const [found, good] of [
    [1, false],
    [2, true],
    [3, true],
    [4, false]
  ] as const) {
    const counter = new Counter('name')
    counter.asked = 3
    counter.acknowledged = 2
    assert.equal(counter.audit(found).length === 0, good, String(found))
  }
})

test('the slope of a line with noise on it', () => {
  const points = Array.from({ length: 50 }, (_, x) => [x, 7 * x + 100 + (x % 2)] as const)
  assert.ok(Math.abs(slope(points) - 7) < 0.01)
})
