import assert from 'node:assert'
import test from 'node:test'
import { HEADER, Reading, stanzas } from './reading'

const STREAM =
  `<?xml version='1.0'?>${HEADER}\n` +
  `<message to='romeo@montague.lit' xml:lang="cs"><body a='>' b="'">žluť&#x1F600; 😀\r\n<![CDATA[]]&]]]>]]&gt;</body></message> ` +
  `<p:a xmlns:p='urn:p' p:x='&lt;'><p:b/></p:a><stream:error/></stream:stream>`

function told(reading: Reading): unknown {
  const { xml, sizes, whitespace, closes, condition } = reading
  return { xml, sizes, whitespace, closes, condition, header: reading.headers[0]?.element.toString() }
}

test('a stream cut at every byte is the same stream', () => {
  const bytes = Buffer.from(STREAM)
  const expected = told(new Reading().write(bytes))
  assert.strictEqual(new Reading().write(bytes).stanzas.length, 3)
  for (let at = 0; at <= bytes.length; at++) {
    assert.deepStrictEqual(
      told(new Reading().write(bytes.subarray(0, at), bytes.subarray(at))),
      expected,
      `cut at ${at}`
    )
  }
  assert.deepStrictEqual(told(new Reading().byByte(STREAM)), expected)
})

test('a stream cut at every two bytes is the same stream', () => {
  const bytes = Buffer.from(STREAM)
  const expected = told(new Reading().write(bytes))
  for (let a = 0; a < bytes.length; a += 2) {
    for (let b = a + 1; b < bytes.length; b += 3) {
      const pieces = [bytes.subarray(0, a), bytes.subarray(a, b), bytes.subarray(b)]
      assert.deepStrictEqual(told(new Reading().write(...pieces)), expected, `cut at ${a} and ${b}`)
    }
  }
})

test('a chunk may be used for something else once it is parsed', () => {
  const reading = stanzas()
  const chunk = Buffer.from('<a b="first value of it">the first text</a><c d="the beginning')
  reading.write(chunk)
  chunk.fill('x')
  reading.write(' and end"/>')
  assert.deepStrictEqual(reading.xml, [
    '<a b="first value of it">the first text</a>',
    '<c d="the beginning and end"/>'
  ])
})

// A parser that looks at what it holds again for each byte would take half a minute for each of these.
const LONG = 'x'.repeat(250000)
const TOKENS: Record<string, string> = {
  text: `<a>${LONG}</a>`,
  'a value': `<a b="${LONG}"/>`,
  'spaces in a tag': `<a ${' '.repeat(250000)}/>`,
  'a section': `<a><![CDATA[${LONG}]]></a>`,
  brackets: `<a><![CDATA[${']'.repeat(250000)}]]></a>`,
  entities: `<a>${'&lt;'.repeat(60000)}</a>`,
  'line ends': `<a>${'\r'.repeat(250000)}</a>`,
  sections: `<a>${'<![CDATA[x]]>'.repeat(19000)}</a>`,
  elements: `<a>${'<b/>'.repeat(16000)}</a>`,
  'characters of four bytes': `<a>${'😀'.repeat(60000)}</a>`
}

for (const [what, sent] of Object.entries(TOKENS)) {
  test(`a long stanza of ${what} that comes a byte at a time`, { timeout: 20000 }, () => {
    const reading = stanzas().byByte(sent)
    assert.strictEqual(reading.condition, undefined)
    assert.deepStrictEqual(reading.sizes, [Buffer.byteLength(sent)])
    assert.deepStrictEqual(reading.xml, stanzas(sent).xml)
  })
}

test('no byte is copied or decoded more than a few times', t => {
  let work = 0
  const prototype = Buffer.prototype as unknown as Record<string, (...args: unknown[]) => unknown>
  for (const method of ['copy', 'latin1Slice', 'utf8Slice']) {
    const original = prototype[method] as (...args: unknown[]) => unknown
    prototype[method] = function (this: Buffer, ...args: unknown[]) {
      const result = original.apply(this, args)
      work += typeof result === 'number' ? result : String(result).length
      return result
    }
    t.after(() => (prototype[method] = original))
  }
  const reading = stanzas()
  for (const sent of [TOKENS.text, TOKENS['a value'], TOKENS['a section']]) {
    work = 0
    reading.byByte(sent ?? '')
    assert(work >= LONG.length && work < 6 * LONG.length, `${work} bytes of work for ${LONG.length}`)
  }
  assert.strictEqual(reading.stanzas.length, 3)
})
