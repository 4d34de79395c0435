import test from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { StreamError } from '../../../core/errors'
import { AckQueue, advance, distance, readCount, type AckRhythm } from '../../../core/streams/smacks'

const RHYTHM: AckRhythm = { every: 5, again: 60_000, timeout: 30_000 }

test('XEP-0198 §4: h is an unsignedInt', () => {
  const read = ['0', '7', ' 007 ', '+5', '4294967295'].map(readCount)
  assert.deepEqual(read, [0, 7, 7, 5, 4294967295])
  for (const text of [undefined, '', '-1', '4294967296', '1e3', '0x10', 'three', '1.0', '99999999999', '1 2'])
    assert.equal(readCount(text), undefined, String(text))
})

test('what is acknowledged is forgotten, what is not is kept in order', () => {
  const queue = new AckQueue<string>()
  for (const word of ['a', 'b', 'c', 'd']) queue.push(word, 10)
  const arrived: string[] = []
  assert.equal(
    queue.ack(2, word => arrived.push(word)),
    2
  )
  assert.deepEqual(arrived, ['a', 'b'])
  assert.deepEqual([...queue.pending()], ['c', 'd'])
  assert.deepEqual([queue.length, queue.bytes, queue.sent, queue.acked], [2, 20, 4, 2])
  assert.equal(queue.ack(2), 0)
  assert.deepEqual(queue.drain(), ['c', 'd'])
  assert.deepEqual([queue.length, queue.bytes, queue.sent], [0, 0, 4])
})

test('XEP-0198 §6: an h that is too high, or goes back, is a stream error that says both numbers', () => {
  const queue = new AckQueue<string>()
  for (let n = 0; n < 8; n++) queue.push('x', 1)
  const refused = (h: number, text: RegExp): void =>
    assert.throws(
      () => queue.ack(h),
      (error: unknown) => {
        assert(error instanceof StreamError)
        assert.equal(error.condition, 'undefined-condition')
        assert.equal(error.app?.name, 'handled-count-too-high')
        assert.deepEqual({ ...error.app?.attrs }, { xmlns: 'urn:xmpp:sm:3', h: String(h), 'send-count': '8' })
        assert.match(error.text ?? '', text)
        return true
      }
    )
  refused(10, /10 stanzas, but only 8/)
  refused(4294967295, /4294967295/)
  assert.equal(queue.length, 8, 'a refused h changes nothing')
  queue.ack(5)
  refused(3, /3 stanzas, after 5/)
})

test('the bounds are of count and of bytes', () => {
  const queue = new AckQueue<string>()
  assert.equal(queue.full({ count: 2, bytes: 100 }), false)
  queue.push('x', 60)
  assert.equal(queue.full({ count: 2, bytes: 100 }), false)
  queue.push('x', 30)
  assert.equal(queue.full({ count: 2, bytes: 100 }), true)
  queue.ack(1)
  assert.equal(queue.full({ count: 2, bytes: 30 }), true)
  assert.equal(queue.full({ count: 2, bytes: 31 }), false)
})

test('acknowledgements are asked for by count, by tick, and once at a time', () => {
  const queue = new AckQueue<number>()
  assert.equal(queue.due(0, RHYTHM, true), false, 'nothing was sent')
  for (let n = 0; n < 4; n++) queue.push(n, 1)
  assert.equal(queue.due(0, RHYTHM), false)
  assert.equal(queue.due(0, RHYTHM, true), true, 'the tick does not wait for a full batch')
  queue.push(4, 1)
  assert.equal(queue.due(0, RHYTHM), true)
  queue.asked(1000)
  for (let n = 0; n < 20; n++) queue.push(n, 1)
  assert.equal(queue.due(1000, RHYTHM), false, 'one request is under way')
  assert.equal(queue.overdue(30_999, RHYTHM), false)
  assert.equal(queue.overdue(31_000, RHYTHM), true)
  queue.ack(5)
  assert.equal(queue.overdue(31_000, RHYTHM), false)
  assert.equal(queue.due(1001, RHYTHM), true, 'more than a batch came meanwhile')
  queue.asked(2000)
  queue.ack(24)
  assert.equal(queue.due(2500, RHYTHM, true), false, 'the last is asked for again later')
  assert.equal(queue.due(62_000, RHYTHM, true), true)
  queue.asked(62_000)
  queue.cut()
  assert.equal(queue.overdue(99_000, RHYTHM), false)
  assert.equal(queue.due(62_001, RHYTHM, true), true, 'on the next connection it is asked for at once')
})

test('an unrequested acknowledgement beyond what was asked for leaves nothing to ask', () => {
  const queue = new AckQueue<number>()
  for (let n = 0; n < 5; n++) queue.push(n, 1)
  queue.asked(0)
  for (let n = 0; n < 5; n++) queue.push(n, 1)
  queue.ack(8)
  assert.equal(queue.due(1, RHYTHM), false)
  assert.equal(queue.due(1, RHYTHM, true), true)
  queue.ack(10)
  assert.equal(queue.due(99_999_999, RHYTHM, true), false)
})

test('property: across the wrap at 2^32, any acknowledgements leave exactly what was not acknowledged', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 3000 }) }),
      fc.record({ ack: fc.double({ min: 0, max: 1, noNaN: true }) })
    ),
    { maxLength: 40 }
  )
  const start = fc.integer({ min: 0, max: 5000 }).map(n => advance(4294967295, -n))
  fc.assert(
    fc.property(start, steps, (first, list) => {
      const queue = new AckQueue<number>(first)
      const model: number[] = []
      let next = 0
      for (const step of list) {
        if ('push' in step) {
          for (let n = 0; n < step.push; n++) {
            queue.push(next, 3)
            model.push(next++)
          }
        } else {
          const count = Math.floor(step.ack * model.length)
          queue.ack(advance(queue.acked, count))
          model.splice(0, count)
        }
        assert.equal(queue.length, model.length)
        assert.equal(queue.bytes, model.length * 3)
        assert.equal(distance(first, queue.sent), next)
        assert.throws(() => queue.ack(advance(queue.sent)))
      }
      assert.deepEqual(queue.drain(), model)
    }),
    { numRuns: 200 }
  )
})

test('what a peer was asked about and has answered is forgiven, and counted when it is acknowledged after all', () => {
  const queue = new AckQueue<string>()
  for (const word of ['a', 'b', 'c', 'd']) queue.push(word, 10)
  assert.equal(queue.forgive(), 0, 'it was never asked')
  queue.asked(0)
  queue.push('e', 10)
  assert.equal(queue.forgive(), 0, 'it has not answered')
  queue.ack(1)
  const arrived: string[] = []
  assert.equal(
    queue.forgive(word => arrived.push(word)),
    3
  )
  assert.deepEqual(arrived, ['b', 'c', 'd'])
  assert.equal(queue.forgive(), 0)
  assert.deepEqual([[...queue.pending()], queue.bytes, queue.sent, queue.acked], [['e'], 10, 5, 1])
  assert.equal(queue.ack(3), 2)
  assert.deepEqual([...queue.pending()], ['e'])
  assert.throws(() => queue.ack(6))
  assert.equal(queue.ack(5), 2)
  assert.deepEqual([queue.length, queue.sent], [0, 5])
  queue.push('f', 10)
  assert.equal(queue.forgive(), 0, 'what came behind the last answer is not')
  assert.deepEqual(queue.drain(), ['f'])
  assert.equal(queue.sent, 6)
})
