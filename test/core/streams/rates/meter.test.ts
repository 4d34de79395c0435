import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Meter, UNLIMITED } from '../../../../core/streams/rates/meter'

const RATES = { bytesPerSecond: 100, burstBytes: 1000, stanzasPerSecond: 10, burstStanzas: 50 }

test('a burst is free, what is beyond it is a debt that time pays', () => {
  const meter = new Meter(RATES, 0)
  meter.count(1000, 0)
  assert.equal(meter.overdrawn(RATES, 0), false)
  meter.count(250, 0)
  assert.equal(meter.overdrawn(RATES, 0), true)
  assert.equal(meter.overdrawn(RATES, 2400), true)
  assert.equal(meter.overdrawn(RATES, 2500), false)
})

test('stanzas are counted apart from bytes', () => {
  const meter = new Meter(RATES, 0)
  meter.count(10, 51)
  assert.equal(meter.overdrawn(RATES, 0), true)
  assert.equal(meter.overdrawn(RATES, 100), false)
})

test('it is full again after a while, and never more than full', () => {
  const meter = new Meter(RATES, 0)
  assert.equal(meter.full(RATES, 0), true)
  meter.count(500, 1)
  assert.equal(meter.full(RATES, 4999), false)
  assert.equal(meter.full(RATES, 5000), true)
  assert.equal(meter.full(RATES, 3_600_000), true)
  meter.count(1001, 0)
  assert.equal(meter.overdrawn(RATES, 3_600_000), true)
})

test('without a rate nothing is overdrawn, and nothing is remembered for a rate that comes later', () => {
  const meter = new Meter(UNLIMITED, 0)
  meter.count(1e9, 1e6)
  assert.equal(meter.overdrawn(UNLIMITED, 0), false)
  assert.equal(meter.overdrawn(RATES, 1), false)
})

test('a smaller burst takes from what there was, a clock that is set back takes nothing', () => {
  const meter = new Meter(RATES, 10_000)
  meter.count(0, 0)
  const small = { ...RATES, burstBytes: 10 }
  assert.equal(meter.full(small, 10_000), true)
  meter.count(11, 0)
  assert.equal(meter.overdrawn(small, 10_000), true)
  assert.equal(meter.overdrawn(small, 5000), true)
  assert.equal(meter.overdrawn(small, 5010), false)
})

test('whoever is not read while it is overdrawn brings no more than the burst and the rate, and one piece', () => {
  const piece = 64
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(piece), fc.nat(700)), { maxLength: 200 }), steps => {
      const meter = new Meter(RATES, 0)
      let now = 0
      let read = 0
      for (const [bytes, pause] of steps) {
        now += pause
        if (meter.overdrawn(RATES, now)) continue
        meter.count(bytes, 0)
        read += bytes
      }
      assert.ok(read <= RATES.burstBytes + (RATES.bytesPerSecond * now) / 1000 + piece)
    })
  )
})
