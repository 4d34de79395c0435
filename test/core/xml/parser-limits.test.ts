import assert from 'node:assert'
import test from 'node:test'
import { DEFAULT_LIMITS, type XmlLimits } from '../../../core/xml'
import { HEADER, Reading } from './reading'

/** What comes of a stanza under limits, whole and a byte at a time, and behind other stanzas. */
function refused(sent: string, limits: Partial<XmlLimits>, mode: 'stream' | 'frame' = 'stream'): boolean {
  const all = { ...DEFAULT_LIMITS, ...limits }
  const answers = new Set<string | undefined>()
  const readings =
    mode === 'frame'
      ? [new Reading({ mode, limits: all }).write(sent)]
      : [
          streamWith(all).write(sent),
          streamWith(all).byByte(sent),
          streamWith(all).write('<a/> ', '<b></b>', ' ').byByte(sent),
          streamWith(all).write(`<a/>\n${sent}`),
          streamWith(all).byByte(`<a>b</a> ${sent}`)
        ]
  for (const reading of readings) {
    answers.add(reading.condition)
    if (reading.condition === undefined) assert(reading.sizes.at(-1) === Buffer.byteLength(sent))
  }
  assert.strictEqual(answers.size, 1, `answers differ: ${[...answers].join(', ')}`)
  const [condition] = answers
  if (condition !== undefined) assert.strictEqual(condition, 'policy-violation')
  return condition !== undefined
}

/** The header is longer than the stanzas here. */
function streamWith(limits: XmlLimits): Reading {
  const reading = new Reading()
  reading.write(HEADER)
  reading.parser.limits = limits
  return reading
}

const STANZA =
  '<message to="žofie@example.org"><body>what she has to say</body><x xmlns="urn:x" a="1"/></message>'

test('a stanza may have as many bytes as the limit says', () => {
  const bytes = Buffer.byteLength(STANZA)
  assert(bytes > STANZA.length)
  assert(!refused(STANZA, { stanzaBytes: bytes }))
  assert(refused(STANZA, { stanzaBytes: bytes - 1 }))
  assert(refused('<a>bcd</a>', { stanzaBytes: 9 }))
  assert(!refused('<a>bcd</a>', { stanzaBytes: 10 }))
  assert(refused('<abcdef/>', { stanzaBytes: 8 }))
  assert(!refused('<abcdef/>', { stanzaBytes: 9 }))
})

test('every stanza of a long stream may be as long as the limit says', () => {
  const limits = { ...DEFAULT_LIMITS, stanzaBytes: Buffer.byteLength(STANZA) }
  const bytes = Buffer.from(`${STANZA} `.repeat(20))
  for (const size of [1, 2, 7, 50, 101, 333, 5000]) {
    const reading = streamWith(limits)
    for (let at = 0; at < bytes.length; at += size) reading.write(bytes.subarray(at, at + size))
    assert.deepStrictEqual(
      [reading.condition, reading.stanzas.length],
      [undefined, 20],
      `in pieces of ${size}`
    )
  }
})

test('the limit holds before the stanza ends', () => {
  for (const [start, more] of [
    ['<a>', 'text'],
    ['<a b="', 'value'],
    ['<a ', 'b '],
    ['<a><![CDATA[', 'text'],
    ['<a', 'a'],
    ['<a>', '<b/>'],
    ['<a>', '<b>x</b>']
  ] as const) {
    const reading = streamWith({ ...DEFAULT_LIMITS, stanzaBytes: 1000, nameBytes: 5000 }).write(start)
    for (let i = 0; i < 1000 && !reading.condition; i++) reading.write(more)
    // Attributes without a value are looked at when the tag ends.
    assert.strictEqual(reading.condition, 'policy-violation', start + more)
    assert.strictEqual(reading.stanzas.length, 0)
  }
})

test('the limit holds for the header', () => {
  const header = HEADER.replace('>', ` id='${'x'.repeat(2000)}'>`)
  for (const limit of [header.length, header.length - 1]) {
    const reading = new Reading({ limits: { ...DEFAULT_LIMITS, stanzaBytes: limit } })
    assert.strictEqual(
      reading.write(header).condition,
      limit < header.length ? 'policy-violation' : undefined
    )
    const bytes = new Reading({ limits: { ...DEFAULT_LIMITS, stanzaBytes: limit } }).byByte(header)
    assert.strictEqual(bytes.condition, reading.condition)
  }
})

test('white space is not counted as a stanza', () => {
  const reading = streamWith({ ...DEFAULT_LIMITS, stanzaBytes: 100 })
  for (let i = 0; i < 50; i++) reading.write(' '.repeat(90), '\n')
  assert.deepStrictEqual([reading.condition, reading.whitespace], [undefined, 50 * 91])
  assert.deepStrictEqual(reading.write('<a>x', '</a>').sizes, [8])
})

test('a stanza that is too big says so (RFC 6120 §4.9.3.14)', () => {
  const reading = streamWith({ ...DEFAULT_LIMITS, stanzaBytes: 100 }).write(`<a>${'x'.repeat(100)}</a>`)
  const [error] = reading.errors
  assert.strictEqual(error?.text, 'a stanza may have 100 bytes')
  assert.strictEqual(error.app?.toString(), '<stanza-too-big xmlns="urn:xmpp:errors"/>')
})

test('depth', () => {
  const deep = (depth: number): string => '<a>'.repeat(depth) + '</a>'.repeat(depth)
  assert(!refused(deep(10), { depth: 10 }))
  assert(refused(deep(11), { depth: 10 }))
  assert(refused(`${'<a>'.repeat(10)}<a/>${'</a>'.repeat(10)}`, { depth: 10 }))
  assert(!refused(deep(DEFAULT_LIMITS.depth), {}))
})

test('attributes of an element, with declarations', () => {
  const attributes = (count: number): string => Array.from({ length: count }, (_, i) => ` a${i}="1"`).join('')
  assert(!refused(`<a${attributes(9)} xmlns="urn:a"><b${attributes(10)}/></a>`, { attributes: 10 }))
  assert(refused(`<a${attributes(10)} xmlns="urn:a"/>`, { attributes: 10 }))
})

test('elements of a stanza', () => {
  assert(!refused(`<a>${'<b/>'.repeat(9)}</a>`, { elements: 10 }))
  assert(refused(`<a>${'<b/>'.repeat(10)}</a>`, { elements: 10 }))
})

test('names', () => {
  assert(!refused('<abcde fghij="1"/>', { nameBytes: 5 }))
  assert(refused('<abcdef/>', { nameBytes: 5 }))
  assert(refused('<a bcdefg="1"/>', { nameBytes: 5 }))
  assert(refused('<ééé/>', { nameBytes: 5 }))
})

test('prefixes in scope; one is declared by the header', () => {
  const nested = (count: number): string =>
    Array.from({ length: count }, (_, i) => `<a xmlns:p${i}="urn:p">`).join('') + '</a>'.repeat(count)
  assert(!refused(nested(9), { prefixes: 10 }))
  assert(refused(nested(10), { prefixes: 10 }))
  assert(!refused(`<a>${'<b xmlns:p="urn:p"/>'.repeat(50)}</a>`, { prefixes: 10 }))
})

test('WebSocket messages', () => {
  const sent = '<a xmlns="jabber:client">text</a>'
  assert(!refused(sent, { stanzaBytes: sent.length }, 'frame'))
  assert(refused(sent, { stanzaBytes: sent.length - 1 }, 'frame'))
})

test('limits may be changed while the stream runs', () => {
  const reading = streamWith({ ...DEFAULT_LIMITS, stanzaBytes: 20 }).write('<a>small</a>')
  reading.parser.limits = { ...DEFAULT_LIMITS, stanzaBytes: 100 }
  reading.write(`<a>${'x'.repeat(90)}</a>`)
  assert.deepStrictEqual([reading.condition, reading.stanzas.length], [undefined, 2])
})
