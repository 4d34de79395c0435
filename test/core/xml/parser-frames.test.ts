import assert from 'node:assert'
import test from 'node:test'
import { Reading } from './reading'

const FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing'

function frames(...sent: (string | Uint8Array)[]): Reading {
  return new Reading({ mode: 'frame' }).write(...sent)
}

test('a stream in WebSocket messages (RFC 7395 §3)', () => {
  const reading = frames(
    `<open xmlns="${FRAMING}" to="example.com" version="1.0"/>`,
    '<message xmlns="jabber:client" xml:lang="en"><body>Every message stands alone.</body></message>',
    `<?xml version='1.0'?><stream:error xmlns:stream="http://etherx.jabber.org/streams"><a/></stream:error>`,
    `<close xmlns="${FRAMING}" see-other-uri="wss://other.example"/>\n`
  )
  assert.strictEqual(reading.condition, undefined)
  assert.strictEqual(
    reading.headers[0]?.element.toString(),
    `<open xmlns="${FRAMING}" to="example.com" version="1.0"/>`
  )
  assert.deepStrictEqual(reading.xml, [
    '<message xml:lang="en"><body>Every message stands alone.</body></message>',
    '<error xmlns="http://etherx.jabber.org/streams"><a xmlns=""/></error>'
  ])
  assert.strictEqual(reading.closes, 1)
})

test('a stanza has to say its namespace', () => {
  assert.deepStrictEqual(frames('<message/>').xml, ['<message xmlns=""/>'])
})

test('the size of a stanza is that of its message', () => {
  assert.deepStrictEqual(frames('<a>é</a> ').sizes, [10])
})

test('a stream may be opened again (RFC 7395 §3.7)', () => {
  const open = `<open xmlns="${FRAMING}" version="1.0"/>`
  const reading = frames(open)
  reading.handle = () => reading.parser.reset()
  reading.write('<auth xmlns="urn:a"/>', open)
  assert.deepStrictEqual([reading.condition, reading.headers.length], [undefined, 2])
})

test('messages wait while the parser is paused', () => {
  const reading = frames()
  reading.handle = () => reading.parser.pause()
  reading.write('<a/>', '<b/>', '<c/>')
  assert.deepStrictEqual([reading.stanzas.length, reading.parser.waitingBytes], [1, 8])
  reading.parser.resume()
  reading.parser.resume()
  assert.deepStrictEqual(
    reading.stanzas.map(stanza => stanza.name),
    ['a', 'b', 'c']
  )
})

test('messages behind a stop are not parsed', () => {
  const reading = frames()
  reading.handle = () => reading.parser.stop()
  assert.strictEqual(reading.write('<a/>', '<b/>').stanzas.length, 1)
})

const REFUSED: Record<string, string[]> = {
  'bad-format': ['', ' ', ' <a/>', 'text', '\ufeff<a/>'],
  'not-well-formed': [
    '<a>',
    '<a',
    '<a/><b/>',
    '<a/>text',
    '<a></b>',
    '</a>',
    '<',
    '<a>text',
    '<a/></a>',
    "<?xml version='1.0'?>",
    '<p:a/>',
    '<a/><'
  ],
  'restricted-xml': [
    '<a/><!-- -->',
    '<!DOCTYPE a><a/>',
    '<?pi?><a/>',
    "<?xml version='1.0'?><?xml version='1.0'?><a/>"
  ]
}

for (const [condition, sent] of Object.entries(REFUSED)) {
  for (const message of sent) {
    test(`refuses the message ${JSON.stringify(message)} with ${condition}`, () => {
      const reading = frames('<first/>', message, '<last/>')
      assert.deepStrictEqual([reading.condition, reading.stanzas.length], [condition, 1])
    })
  }
}
