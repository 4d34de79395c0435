import assert from 'node:assert/strict'
import test from 'node:test'
import { Presences } from '../../../modules/mod_pubsub/presences'

test('an address is there as long as one of its resources is', () => {
  const presences = new Presences()
  presences.add('a@x/1')
  presences.add('a@x/2')
  for (const jid of ['a@x', 'a@x/1', 'a@x/2']) assert.ok(presences.has(jid), jid)
  for (const jid of ['a@x/3', 'b@x']) assert.ok(!presences.has(jid), jid)
  assert.deepEqual(presences.remove('a@x/1'), ['a@x/1'])
  assert.ok(presences.has('a@x'))
  assert.deepEqual(presences.remove('a@x/2'), ['a@x/2', 'a@x'])
  assert.ok(!presences.has('a@x'))
})

test('who was not there does not go: nobody has to look for their subscriptions', () => {
  const presences = new Presences()
  assert.deepEqual(presences.remove('a@x/1'), [])
  presences.add('a@x/1')
  assert.deepEqual(presences.remove('a@x/2'), [])
  assert.deepEqual(presences.remove('a@x'), ['a@x', 'a@x/1'])
})

test('what the version before knew is known; resources of one person are bounded', () => {
  const presences = new Presences()
  for (let i = 0; i < 1000; i++) presences.add(`a@x/${i}`)
  presences.add('b@x/1')
  const saved = presences.save()
  assert.equal(saved.length, 51)
  const next = new Presences(saved)
  assert.ok(next.has('a@x/49') && next.has('b@x/1') && !next.has('a@x/50'))
  assert.ok(!new Presences('nonsense').has('a@x'))
})
