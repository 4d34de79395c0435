import assert from 'node:assert/strict'
import test from 'node:test'
import { Pace } from '../../../../core/streams/rates/pace'
import { CORE_LOGINS } from '../../../../core/streams/rates/policy'

const JULIET = 'juliet@capulet.lit'
const MINUTE = 60_000

function make(policy = CORE_LOGINS) {
  const clock = { now: 1_000_000 }
  const pace = new Pace(policy, () => clock.now)
  /** An attempt that waits as long as it has to, and fails. */
  const fail = (account = JULIET, address = '192.0.2.1'): number => {
    const wait = pace.begin(account, address, true)
    assert.ok(wait !== undefined)
    clock.now += wait
    pace.failed(account, address, true)
    return wait
  }
  return { clock, pace, fail }
}

test('the delay doubles with each failure of an account from an address, up to a bound', () => {
  const { fail } = make()
  const waits = Array.from({ length: 13 }, () => fail())
  assert.deepEqual(waits, [0, 0, 0, 0, 0, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000])
})

test('the owner elsewhere waits for nothing, or for a moment; where the account was used before for nothing', () => {
  const { pace, fail } = make()
  assert.equal(pace.begin(JULIET, '198.51.100.7', true), 0)
  pace.succeeded(JULIET, '198.51.100.7')
  for (let i = 0; i < 30; i++) fail()
  assert.equal(pace.begin(JULIET, '203.0.113.9', true), 0)
  for (let address = 1; address <= 100; address++) fail(JULIET, `192.0.2.${address}`)
  assert.equal(pace.begin(JULIET, '203.0.113.10', true), CORE_LOGINS.longestDelayForOthers)
  assert.equal(pace.begin(JULIET, '198.51.100.7', true), 0)
})

test('a success clears the record of the account at that address', () => {
  const { pace, fail } = make()
  for (let i = 0; i < 8; i++) fail()
  const wait = pace.begin(JULIET, '192.0.2.1', true)
  assert.ok(wait !== undefined && wait > 0)
  pace.succeeded(JULIET, '192.0.2.1')
  assert.equal(pace.begin(JULIET, '192.0.2.1', true), 0)
})

test('attempts that come at once wait for each other, and those that would wait too long are refused', () => {
  const { pace, fail } = make()
  for (let i = 0; i < 9; i++) fail()
  const waits = Array.from({ length: 10 }, () => pace.begin(JULIET, '192.0.2.1', true))
  const accepted = waits.filter(wait => wait !== undefined)
  assert.deepEqual(
    accepted,
    [...accepted].sort((a, b) => a - b)
  )
  assert.ok(accepted.length >= 2 && accepted.length < 6, waits.join())
  assert.equal(waits.at(-1), undefined)
})

test('an attempt that is given up counts like a failure, but for some that devices make at once', () => {
  const { pace } = make()
  const waits = Array.from({ length: 12 }, () => pace.begin(JULIET, '192.0.2.1', true))
  assert.deepEqual(waits.slice(0, 9), [0, 0, 0, 0, 0, 0, 0, 0, 0])
  assert.ok((waits[11] ?? 0) > 0)
})

test('an address that fails with many accounts is slowed down, but not for those who have logged in there', () => {
  const { pace, fail } = make()
  pace.begin('romeo@montague.lit', '192.0.2.1', true)
  pace.succeeded('romeo@montague.lit', '192.0.2.1')
  const waits = Array.from({ length: 40 }, (_, i) => fail(`user${i}@capulet.lit`))
  assert.equal(waits[29], 0)
  assert.ok((waits[39] ?? 0) >= 1000, String(waits[39]))
  assert.equal(pace.begin('romeo@montague.lit', '192.0.2.1', true), 0)
  assert.equal(pace.begin('new@capulet.lit', '198.51.100.1', true), 0)
})

test('an address that stands for many is not slowed down, the account from there is', () => {
  const { pace } = make()
  for (let i = 0; i < 100; i++) {
    assert.equal(pace.begin(`user${i}@capulet.lit`, '127.0.0.1', false), 0)
    pace.failed(`user${i}@capulet.lit`, '127.0.0.1', false)
  }
  for (let i = 0; i < 5; i++) {
    pace.begin(JULIET, '127.0.0.1', false)
    pace.failed(JULIET, '127.0.0.1', false)
  }
  pace.begin(JULIET, '127.0.0.1', false)
  assert.ok((pace.begin(JULIET, '127.0.0.1', false) ?? 0) > 0)
})

test('failures fade', () => {
  const { clock, fail } = make()
  for (let i = 0; i < 9; i++) fail()
  clock.now += 120 * MINUTE
  assert.equal(fail(), 0)
  assert.equal(fail(), 0)
})

test('no delay where none is wanted', () => {
  const { fail } = make({ ...CORE_LOGINS, longestDelay: 0, freePerAddress: 1000, longestDelayForOthers: 0 })
  for (let i = 0; i < 100; i++) assert.equal(fail(), 0)
})

test('what is remembered is bounded', () => {
  const { pace } = make()
  for (let i = 0; i < 50_000; i++) {
    pace.begin(`user${i}@capulet.lit`, `address ${i}`, true)
    pace.failed(`user${i}@capulet.lit`, `address ${i}`, true)
  }
  assert.ok(pace.size <= 80_000, String(pace.size))
})
