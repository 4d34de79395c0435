import assert from 'node:assert'
import test from 'node:test'
import { parseElement, serialize } from '../../../core/xml'

test('reads what serialize wrote', () => {
  for (const xml of [
    '<message to="a@b" xml:lang="cs"><body>žluť &lt;</body><a xmlns=""/><x xmlns="urn:x" p:a="1" xmlns:p="urn:p"/></message>',
    '<entry xmlns="http://www.w3.org/2005/Atom"><title/></entry>',
    `<a>${'<b>'.repeat(200)}${'</b>'.repeat(200)}</a>`.replace(/<b><\/b>/, '<b/>'),
    `<a>${'x'.repeat(1e6)}</a>`
  ]) {
    assert.strictEqual(serialize(parseElement(xml)), xml)
  }
})

test('drops the namespace that a stanza has anyway', () => {
  assert.strictEqual(serialize(parseElement('<iq xmlns="jabber:client"/>')), '<iq/>')
  assert.strictEqual(serialize(parseElement('<iq xmlns="jabber:server"/>', 'jabber:server')), '<iq/>')
  assert.strictEqual(serialize(parseElement('<iq xmlns="jabber:server"/>')), '<iq xmlns="jabber:server"/>')
})

test('refuses what is not one whole element', () => {
  for (const xml of [
    '',
    ' ',
    'text',
    '<a>',
    '<a',
    '<a/><b/>',
    '<a/>text',
    '</a>',
    '<a/></stream:stream>',
    '<a/><'
  ]) {
    assert.throws(() => parseElement(xml), { name: 'StreamError' }, xml)
  }
})
