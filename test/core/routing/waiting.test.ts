import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { StanzaError } from '../../../core/errors'
import type { Relayed } from '../../../core/hosts/host'
import { JID } from '../../../core/jid'
import { Backoff } from '../../../core/routing/components/backoff'
import { WaitingRoom, type GivenUp, type WaitingLimits } from '../../../core/routing/components/waiting'
import { handshakeMatches, handshakeOf } from '../../../core/streams/component/handshake'
import { domainOf } from '../../../core/streams/component/addresses'
import { el } from '../../../core/xml/element'

const SOMEBODY = JID.parse('juliet@capulet.example')

const stanza = (id: string): Relayed => ({
  stanza: el('message', { id }),
  from: SOMEBODY,
  to: SOMEBODY,
  fail: () => undefined
})

function room(t: TestContext, given: Partial<WaitingLimits> = {}) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const limits = { seconds: 10, stanzas: 3, bytes: 100, ...given }
  const over: [string, GivenUp][] = []
  const waiting = new WaitingRoom({
    limits: () => limits,
    giveUp: ({ stanza: { attrs } }, why) => void over.push([attrs.id ?? '', why])
  })
  t.after(() => waiting.close())
  const left = (): string[] => {
    const sent: string[] = []
    waiting.leave(xml => sent.push(xml))
    return sent
  }
  return { waiting, over, left, limits, passes: (ms: number) => t.mock.timers.tick(ms) }
}

test('what waits leaves in its order, once', t => {
  const { waiting, over, left } = room(t)
  for (const id of ['1', '2', '3']) waiting.add(stanza(id), id)
  assert.equal(waiting.length, 3)
  assert.deepEqual(left(), ['1', '2', '3'])
  assert.deepEqual(left(), [])
  assert.deepEqual(over, [])
})

test('more than may wait, in number or size, does not', t => {
  const { waiting, over, left } = room(t)
  waiting.add(stanza('large'), 'x'.repeat(101))
  waiting.add(stanza('1'), 'x'.repeat(60))
  waiting.add(stanza('2'), 'x'.repeat(60))
  waiting.add(stanza('3'), 'x')
  waiting.add(stanza('4'), 'x')
  waiting.add(stanza('5'), 'x')
  assert.deepEqual(over, [
    ['large', 'full'],
    ['2', 'full'],
    ['5', 'full']
  ])
  assert.equal(left().length, 3)
  // There is room again
  waiting.add(stanza('6'), 'x'.repeat(100))
  assert.equal(waiting.length, 1)
})

test('each waits for its time, no longer', t => {
  const { waiting, over, left, limits, passes } = room(t)
  waiting.add(stanza('1'), 'x')
  passes(4000)
  waiting.add(stanza('2'), 'x')
  passes(5999)
  assert.equal(over.length, 0)
  passes(1)
  assert.deepEqual(over, [['1', 'late']])
  // A shorter time holds for those who come then
  limits.seconds = 1
  waiting.add(stanza('3'), 'three')
  passes(4000)
  assert.deepEqual(
    over
      .slice(1)
      .map(([id]) => id)
      .sort(),
    ['2', '3']
  )
  assert.equal(waiting.length, 0)
  limits.seconds = 0
  waiting.add(stanza('4'), 'x')
  assert.deepEqual(over.at(-1), ['4', 'late'])
  limits.seconds = 10
  waiting.add(stanza('5'), 'five')
  passes(9999)
  assert.deepEqual(left(), ['five'])
  passes(10_000)
  assert.equal(over.length, 4)
})

test('what waits for somebody who never comes is given up', t => {
  const { waiting, over } = room(t)
  waiting.add(stanza('1'), 'x')
  waiting.close()
  assert.deepEqual(over, [['1', 'closed']])
  waiting.close()
  assert.equal(over.length, 1)
})

test('attempts come after twice as long each time, never all at once, and begin anew after what has held', () => {
  let now = 0
  let random = 1
  const backoff = new Backoff(
    () => 60_000,
    () => now,
    () => random
  )
  assert.deepEqual(
    Array.from({ length: 8 }, () => backoff.next()),
    [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]
  )
  random = 0
  assert.equal(backoff.next(), 30_000)
  // Somebody who lets us in and throws us out is not asked all the time
  backoff.succeeded()
  now += 9000
  assert.equal(backoff.next(), 30_000)
  backoff.succeeded()
  now += 10_000
  assert.equal(backoff.next(), 500)
})

test('XEP-0114 §3: the handshake is the lower-case SHA-1 of id and secret', () => {
  // RFC 3174 §7.3, test 1
  assert.equal(handshakeOf('a', 'bc'), 'a9993e364706816aba3e25717850c26c9cd0d89d')
  assert.ok(handshakeMatches('a9993e364706816aba3e25717850c26c9cd0d89d', 'ab', 'c'))
  for (const wrong of [
    '',
    'A9993E364706816ABA3E25717850C26C9CD0D89D',
    ' a9993e364706816aba3e25717850c26c9cd0d89d'
  ])
    assert.ok(!handshakeMatches(wrong, 'ab', 'c'), wrong)
})

test('the domain of an address whose other parts do not conform', () => {
  for (const [address, domain] of [
    ['a"b@Example.org/x', 'example.org'],
    ['example.org/a@b/c', 'example.org'],
    ['a@b@example.org', undefined],
    ['a@example.org/\u0000', 'example.org'],
    ['', undefined],
    ['@', undefined],
    ['/x', undefined],
    [undefined, undefined]
  ] as const)
    assert.equal(domainOf(address), domain, address)
})

test('what may not leave any more is answered or dropped, and makes room', t => {
  const { waiting, over, left } = room(t, { bytes: 9 })
  const answered: unknown[] = []
  for (const id of ['1', '2', '3'])
    waiting.add({ ...stanza(id), fail: error => void answered.push([id, error]) }, 'xxx')
  const error = new StanzaError('not-acceptable')
  waiting.sift(({ stanza: { attrs } }) => (attrs.id === '1' ? error : attrs.id === '2' ? 'drop' : undefined))
  assert.deepEqual(answered, [['1', error]])
  waiting.add(stanza('4'), 'yyyyyy')
  assert.deepEqual(left(), ['xxx', 'yyyyyy'])
  assert.deepEqual(over, [])
})
