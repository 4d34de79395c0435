import assert from 'node:assert/strict'
import test from 'node:test'
import { sourceOf } from '../../../core/streams/rates/source'
import { HourlyLimit } from '../../../modules/mod_register/limiter'

const HOUR = 3_600_000

test('so many an hour for each key, and as many again in the next hour', () => {
  const limit = new HourlyLimit(() => 2)
  assert.deepEqual(
    [0, 1, 2].map(now => limit.take('a', now)),
    [true, true, false]
  )
  assert.equal(limit.take('b', 3), true, 'another key is counted by itself')
  assert.equal(limit.take('a', HOUR - 1), false)
  assert.equal(limit.take('a', HOUR), true)
})

test('what came to nothing is given back', () => {
  const limit = new HourlyLimit(() => 1)
  assert.equal(limit.take('a', 0), true)
  limit.giveBack('a')
  limit.giveBack('a')
  limit.giveBack('unknown')
  assert.equal(limit.take('a', 1), true)
  assert.equal(limit.take('a', 2), false)
})

test('keys are forgotten after their hour, and the oldest beyond ten thousand', () => {
  const limit = new HourlyLimit(() => 1)
  for (let i = 0; i < 25_000; i++) limit.take(`key ${i}`, i)
  assert.equal(limit.counts.size, 10_000)
  assert.equal(limit.take('key 24999', 25_000), false)
  limit.take('later', 2 * HOUR)
  assert.deepEqual([...limit.counts.keys()], ['later'])
})

test('counts outlive a reload of the module, under the limit of the new version', () => {
  const before = new HourlyLimit(() => 1)
  before.take('a', 0)
  const after = new HourlyLimit(() => 1, structuredClone(before.counts))
  assert.equal(after.take('a', 1), false)
})

test('an IPv4 address is one party, an IPv6 network of 64 bits is one', () => {
  assert.equal(sourceOf('192.0.2.7'), '192.0.2.7')
  assert.equal(sourceOf('::ffff:192.0.2.7'), '192.0.2.7')
  assert.equal(sourceOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  assert.equal(sourceOf('2001:db8:1:2::1'), '2001:db8:1:2::/64')
  assert.equal(sourceOf('2001:0DB8:0001:0002::'), '2001:db8:1:2::/64')
  assert.equal(sourceOf('2001:db8::1'), '2001:db8:0:0::/64')
  assert.equal(sourceOf('::1'), '0:0:0:0::/64')
  assert.equal(sourceOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
})
