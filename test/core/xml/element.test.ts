import assert from 'node:assert'
import test from 'node:test'
import {
  childOf,
  childText,
  childrenOf,
  detached,
  el,
  firstChild,
  nsOf,
  readdress,
  serialize,
  textOf
} from '../../../core/xml'

const stanza = el(
  'message',
  { to: 'a', from: undefined, id: 7 },
  el('body', null, 'one ', 2, false, null, undefined, ''),
  el('x', 'urn:x', el('y'), el('z', 'urn:z')),
  [el('x', { xmlns: 'urn:w' }), ['text']]
)

test('el leaves out what is not there', () => {
  assert.strictEqual(
    serialize(stanza),
    '<message to="a" id="7"><body>one 2</body><x xmlns="urn:x"><y/><z xmlns="urn:z"/></x><x xmlns="urn:w"/>text</message>'
  )
})

test('children are found by name and namespace', () => {
  const x = childOf(stanza, 'x')
  assert(x)
  assert.strictEqual(x.attrs.xmlns, 'urn:x')
  assert.strictEqual(childOf(stanza, 'x', 'urn:w')?.attrs.xmlns, 'urn:w')
  assert.strictEqual(childOf(stanza, 'x', 'urn:none'), undefined)
  assert.strictEqual(childOf(x, 'y', 'urn:x')?.name, 'y')
  assert.strictEqual(childOf(x, 'z', 'urn:x'), undefined)
  assert.strictEqual(childrenOf(stanza).length, 3)
  assert.strictEqual(childrenOf(stanza, 'x').length, 2)
  assert.strictEqual(childrenOf(stanza, 'x', 'urn:x').length, 1)
  assert.strictEqual(firstChild(stanza)?.name, 'body')
  assert.strictEqual(firstChild(el('a', null, 'text')), undefined)
  assert.strictEqual(textOf(stanza), 'text')
  assert.strictEqual(childText(stanza, 'body'), 'one 2')
  assert.strictEqual(childText(stanza, 'subject'), undefined)
})

test('readdress changes addresses and shares the rest', () => {
  const other = readdress(stanza, { to: 'b', id: undefined })
  assert.deepStrictEqual({ ...other.attrs }, { to: 'b' })
  assert.strictEqual(firstChild(other), firstChild(stanza))
  assert.strictEqual(firstChild(stanza)?.parent, stanza)
  assert.strictEqual(stanza.attrs.to, 'a')
})

test('detached stands alone', () => {
  const y = childOf(stanza, 'x')?.children[0]
  assert(y && typeof y === 'object')
  const copy = detached(y)
  assert.deepStrictEqual([nsOf(copy), copy.parent, serialize(copy)], ['urn:x', null, '<y xmlns="urn:x"/>'])
  assert.strictEqual(serialize(y), '<y/>')
})

test('attributes may have the names that objects have', () => {
  const element = el(
    'a',
    JSON.parse('{"__proto__":"1","constructor":"2","hasOwnProperty":"3"}') as Record<string, string>
  )
  const xml = '<a __proto__="1" constructor="2" hasOwnProperty="3"/>'
  assert.strictEqual(serialize(element), xml)
  assert.strictEqual(serialize(readdress(element, {})), xml)
  assert.strictEqual(serialize(detached(element)), xml)
  assert.strictEqual(el('a').attrs.constructor, undefined)
})
