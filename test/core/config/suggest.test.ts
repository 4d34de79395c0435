import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { editDistance, suggest } from '../../../core/config/suggest'

test('distances', () => {
  for (const [a, b, distance] of [
    ['', '', 0],
    ['a', '', 1],
    ['roster', 'rostr', 1],
    ['prot', 'port', 1],
    ['kitten', 'sitting', 3],
    ['abc', 'xyz', 3]
  ] as const) {
    assert.equal(editDistance(a, b), distance, `${a} ${b}`)
  }
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      const distance = editDistance(a, b)
      assert.equal(distance, editDistance(b, a))
      assert.equal(distance === 0, a === b)
      assert.ok(distance <= Math.max(a.length, b.length) && distance >= Math.abs(a.length - b.length))
    })
  )
})

test('the nearest is suggested, and nothing that is far', () => {
  const names = ['roster', 'register', 'c2s', 'stanzaBytes', 'server_buddy']
  for (const [word, meant] of [
    ['rostr', 'roster'],
    ['Roster', 'roster'],
    ['stanza_bytes', 'stanzaBytes'],
    ['serverBuddy', 'server_buddy'],
    ['s2s', 'c2s'],
    ['x', undefined],
    ['message', undefined],
    ['r'.repeat(10_000), undefined]
  ] as const) {
    assert.equal(suggest(word, names), meant, word)
  }
})
