import assert from 'node:assert/strict'
import test from 'node:test'
import { dialbackXml, errorXml, keyXml, readDialback } from '../../../core/streams/s2s/dialback'
import { DialbackKeys } from '../../../core/streams/s2s/keys'
import { parseStanza } from '../../lib/reader'

const NS = 'jabber:server:dialback'

test('XEP-0185 §3, XEP-0220 §2: the keys of the examples', () => {
  const example = new DialbackKeys('s3cr3tf0rd14lb4ck')
  const key = '37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643'
  assert.equal(example.make('xmpp.example.com', 'example.org', 'D60000229F'), key)
  assert.equal(
    example.make('montague.example', 'capulet.example', 'D60000229F'),
    'b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3'
  )
  assert.equal(
    new DialbackKeys('d14lb4ck43v3r').make('capulet.example', 'montague.example', '417GAF25'),
    '225cc5aa6a071133249d25fef42ae516fc7a86c523aa1c6980a7f73e784c972d'
  )
})

test('a key is for one stream between two domains, in one direction', () => {
  const keys = new DialbackKeys(Buffer.from('a secret'))
  const key = keys.make('b.example', 'a.example', 'one')
  assert.ok(keys.matches(key, 'b.example', 'a.example', 'one'))
  assert.ok(!keys.matches(key, 'a.example', 'b.example', 'one'))
  assert.ok(!keys.matches(key, 'b.example', 'a.example', 'two'))
  assert.ok(!keys.matches(key.toUpperCase(), 'b.example', 'a.example', 'one'))
  assert.ok(!keys.matches('', 'b.example', 'a.example', 'one'))
  assert.ok(!keys.matches('ü'.repeat(32), 'b.example', 'a.example', 'one'))
  assert.ok(!new DialbackKeys('another').matches(key, 'b.example', 'a.example', 'one'))
  // Names cannot be cut elsewhere
  assert.notEqual(keys.make('b.example', 'a.example x', 'y'), keys.make('b.example', 'a.example', 'x y z'))
})

test('dialback elements as they are read', () => {
  const read = (xml: string) => readDialback(parseStanza(xml))
  const result = read(`<result xmlns='${NS}' from='A.example' to='bücher.example'> key\n</result>`)
  assert.ok(result)
  const { from, to, key, type, id, written } = result
  assert.deepEqual(
    { from, to, key, type, id },
    { from: 'a.example', to: 'bücher.example', key: 'key', type: '', id: '' }
  )
  assert.deepEqual(written, { from: 'A.example', to: 'bücher.example' })
  const error = read(
    `<verify xmlns='${NS}' from='a.example' to='b.example' id='1' type='error'><error xmlns='jabber:server' type='cancel'>` +
      `<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></verify>`
  )
  assert.equal(error?.error?.condition, 'item-not-found')
  for (const wrong of [
    `<result xmlns='${NS}' to='b.example'>key</result>`,
    `<result xmlns='${NS}' from='a.example'>key</result>`,
    `<result xmlns='${NS}' from='romeo@a.example' to='b.example'>key</result>`,
    `<result xmlns='${NS}' from='a.example' to='b.example/x'>key</result>`,
    `<result xmlns='${NS}' from='a.example' to='b.example'>${'k'.repeat(513)}</result>`,
    `<verify xmlns='${NS}' from='a.example' to='b.example' id='${'i'.repeat(257)}'>key</verify>`
  ])
    assert.equal(read(wrong), undefined, wrong)
})

test('dialback elements as they are written', () => {
  assert.equal(
    dialbackXml('result', { from: `a'b`, to: 'b.example', type: undefined }, keyXml('<&')),
    `<db:result from='a&apos;b' to='b.example'>&lt;&amp;</db:result>`
  )
  assert.equal(dialbackXml('verify', { id: '1', type: 'valid' }), `<db:verify id='1' type='valid'/>`)
  assert.match(
    errorXml('item-not-found'),
    /^<error type="cancel"><item-not-found xmlns="[^"]*stanzas"\/><\/error>$/
  )
})
