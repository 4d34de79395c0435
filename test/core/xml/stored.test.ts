import test from 'node:test'
import assert from 'node:assert/strict'
import { childOf, childText, el, frozen, isElement, nsOf, serialize } from '../../../core/xml'
import { stored } from '../../../core/xml/stored'

const xml = '<entry xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>O &amp; that</title></entry>'

test('a stored element is sent as it was stored, alone, inside others and inside frozen ones', () => {
  const element = stored(xml)
  assert.equal(serialize(element), xml)
  assert.equal(serialize(el('item', { id: 'a' }, element)), `<item id="a">${xml}</item>`)
  assert.equal(serialize(el('m', null, frozen(el('item', null, stored(xml))))), `<m><item>${xml}</item></m>`)
  assert.equal(element.toString(), xml)
})

test('whoever looks into a stored element finds what is there', () => {
  const item = el('item', 'urn:x', stored(xml))
  const entry = childOf(item, 'entry', 'http://www.w3.org/2005/Atom')
  assert.ok(isElement(entry))
  assert.equal(entry.name, 'entry')
  assert.equal(entry.attrs['xml:lang'], 'en')
  assert.equal(childText(entry, 'title'), 'O & that')
  const title = childOf(entry, 'title')
  assert.ok(title)
  assert.equal(nsOf(title), 'http://www.w3.org/2005/Atom')
})

test('what is no XML is found out by who looks into it', () => {
  assert.throws(() => stored('<a><b></a>').children, { name: 'StreamError' })
})
