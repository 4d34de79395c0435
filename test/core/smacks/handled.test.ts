import test from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { advance, Handled } from '../../../core/streams/smacks'

test('h covers a stanza only when nothing before it is missing', () => {
  const handled = new Handled()
  const [first, second, third] = [handled.take(), handled.take(), handled.take()]
  assert.deepEqual([first, second, third], [1, 2, 3])
  handled.done(second)
  assert.equal(handled.h, 0)
  handled.done(first)
  assert.equal(handled.h, 2)
  handled.done(first)
  handled.done(99)
  assert.equal(handled.h, 2)
  assert.equal(handled.complete, false)
  handled.done(third)
  assert.deepEqual([handled.h, handled.complete], [3, true])
})

test('who waits is told when everything that had come by then is handled', () => {
  const handled = new Handled()
  const told: string[] = []
  handled.whenHandled(() => told.push('at once'))
  const first = handled.take()
  const second = handled.take()
  handled.whenHandled(() => told.push('two'))
  const third = handled.take()
  handled.whenHandled(() => told.push('three'))
  handled.done(second)
  assert.deepEqual(told, ['at once'])
  handled.done(first)
  assert.deepEqual(told, ['at once', 'two'])
  handled.done(third)
  assert.deepEqual(told, ['at once', 'two', 'three'])
})

test('what is assumed is not counted again', () => {
  const handled = new Handled()
  const late = handled.take()
  let told = false
  handled.whenHandled(() => (told = true))
  handled.assume()
  assert.deepEqual([handled.h, told], [1, true])
  const next = handled.take()
  handled.done(late)
  assert.equal(handled.h, 1)
  handled.done(next)
  assert.equal(handled.h, 2)
})

test('property: h is the longest prefix that has ended, in whatever order, across the wrap', () => {
  const start = fc.integer({ min: 0, max: 200 }).map(n => advance(4294967295, -n))
  const orders = fc.integer({ min: 1, max: 200 }).chain(n =>
    fc.shuffledSubarray(
      Array.from({ length: n }, (_, i) => i),
      { minLength: n, maxLength: n }
    )
  )
  fc.assert(
    fc.property(start, orders, (first, order) => {
      const handled = new Handled(first)
      const numbers = order.map(() => handled.take())
      const ended = new Set<number>()
      for (const index of order) {
        handled.done(numbers[index] as number)
        ended.add(index)
        let prefix = 0
        while (ended.has(prefix)) prefix++
        assert.equal(handled.h, advance(first, prefix))
      }
      assert.equal(handled.complete, true)
    })
  )
})
