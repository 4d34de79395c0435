import assert from 'node:assert/strict'
import test from 'node:test'
import type { Audience } from '../../../modules/lib_pubsub'
import { Audiences } from '../../../modules/mod_pubsub/store/audiences'

/** A quarter of them is told otherwise. */
const list = (length: number): Audience => {
  const jids = Array.from({ length }, (_, i) => `u${i}@example`)
  const special = jids.slice(0, length / 4).map(jid => ({ jid, subIds: ['1', '2'], body: false }))
  return { plain: jids.slice(special.length), special }
}

test('a list is of use for one version of the subscriptions', () => {
  const audiences = new Audiences(10)
  audiences.keep(1, 5, list(1))
  assert.deepEqual(audiences.get(1, 5), list(1))
  assert.equal(audiences.get(1, 4), undefined)
  assert.equal(audiences.get(1, 6), undefined)
  assert.equal(audiences.get(2, 5), undefined)
})

test('what is kept is bounded in addresses; what was used last stays', () => {
  const audiences = new Audiences(10)
  audiences.keep(1, 1, list(4))
  audiences.keep(2, 1, list(4))
  assert.ok(audiences.get(1, 1))
  audiences.keep(3, 1, list(4))
  assert.equal(audiences.get(2, 1), undefined)
  assert.ok(audiences.get(1, 1))
  assert.ok(audiences.get(3, 1))
  audiences.keep(4, 1, list(11))
  assert.equal(audiences.get(4, 1), undefined)
  // a new version takes the place of the old one
  for (let version = 2; version < 100; version++) audiences.keep(1, version, list(6))
  assert.ok(audiences.get(1, 99))
  assert.ok(audiences.get(3, 1))
})
