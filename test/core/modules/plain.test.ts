import assert from 'node:assert/strict'
import test from 'node:test'
import { plain } from '../../../core/modules/plain'
import { el } from '../../../core/xml/element'

test('plain data comes out as a deep copy, circles and shared parts included', () => {
  const shared = { n: 1 }
  const data: Record<string, unknown> = {
    list: [shared, shared, undefined, null, 'text', 1n],
    map: new Map([['a', new Set([1, 2])]]),
    date: new Date(7),
    bytes: new Uint8Array([1, 2]),
    bare: Object.assign(Object.create(null) as object, { x: 1 })
  }
  data.self = data
  const copy = plain(data) as typeof data
  assert.deepEqual({ ...copy, self: 0, bare: 0 }, { ...data, self: 0, bare: 0 })
  assert.deepEqual(copy.bare, { x: 1 })
  assert.equal(copy.self, copy)
  const [first, second] = copy.list as unknown[]
  assert.equal(first, second)
  assert.notEqual(first, shared)
  assert.notEqual(copy.map, data.map)
  assert.equal(plain(undefined), undefined)
})

test('a key that would set the prototype is a key', () => {
  const copy = plain(JSON.parse('{ "__proto__": { "admin": true } }')) as Record<string, unknown>
  assert.equal(copy.admin, undefined)
  assert.deepEqual(Object.keys(copy), ['__proto__'])
})

class Roster {}

for (const [value, says] of [
  [() => undefined, 'the saved state must be plain data, it is a function'],
  [{ a: [0, { b: Symbol('x') }] }, 'the saved state.a[1].b must be plain data, it is a symbol'],
  [
    new Map([['k', new Roster()]]),
    'the saved state[k] must be plain data, it is an object of the class Roster'
  ],
  [
    new Set([new Roster()]),
    'an entry of the saved state must be plain data, it is an object of the class Roster'
  ],
  [
    { stanza: el('message') },
    'the saved state.stanza must be plain data, it is an object of the class Element'
  ],
  [
    { later: Promise.resolve() },
    'the saved state.later must be plain data, it is an object of the class Promise'
  ]
] as const) {
  test(`refused: ${says}`, () => {
    assert.throws(() => plain(value), { name: 'TypeError', message: says })
  })
}
