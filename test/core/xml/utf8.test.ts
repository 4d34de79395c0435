import { isUtf8 } from 'node:buffer'
import assert from 'node:assert'
import test from 'node:test'
import { utf8 } from '../../../core/xml/decode'
import { stanzas } from './reading'

function refusal(bytes: Buffer): string | undefined {
  try {
    utf8(bytes, 0, bytes.length)
    return undefined
  } catch (thrown) {
    return (thrown as { condition: string }).condition
  }
}

function* sequences(): Generator<number[]> {
  for (let a = 0x80; a < 0x100; a++) {
    yield [a]
    for (let b = 0; b < 0x100; b++) yield [a, b]
  }
  for (let a = 0xe0; a < 0xf0; a++)
    for (let b = 0x70; b < 0xd0; b++) for (let c = 0x78; c < 0xc8; c++) yield [a, b, c]
  const edges = [0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0]
  for (let a = 0xf0; a < 0x100; a++)
    for (const b of edges) for (const c of edges) for (const d of edges) yield [a, b, c, d]
}

test('decoding accepts exactly what is UTF-8 and a character of XML', () => {
  let count = 0
  for (const sequence of sequences()) {
    const bytes = Buffer.from(sequence)
    const illegal = sequence[0] === 0xef && sequence[1] === 0xbf && (sequence[2] ?? 0) >= 0xbe
    const expected = !isUtf8(bytes) ? 'unsupported-encoding' : illegal ? 'not-well-formed' : undefined
    if (refusal(bytes) !== expected)
      assert.fail(`${sequence.join(' ')}: ${refusal(bytes)} instead of ${expected}`)
    count++
  }
  assert(count > 100000)
})

const PLACES: Record<string, [string, string]> = {
  text: ['<a>', '</a>'],
  'a value': ['<a b="', '"/>'],
  'a section': ['<a><![CDATA[', ']]></a>'],
  'a name': ['<a', '/>'],
  'an attribute name': ['<a b', '="1"/>']
}

const WRONG: Record<string, number[]> = {
  'an overlong "/"': [0xc0, 0xaf],
  'an overlong NUL': [0xe0, 0x80, 0x80],
  'half a surrogate pair': [0xed, 0xa0, 0x80],
  'a surrogate pair (CESU-8)': [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
  'more than U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
  'a lone continuation': [0x80],
  'a cut character': [0xe2, 0x82],
  Latin1: [0xe9],
  '0xFF': [0xff]
}

for (const [place, [before, after]] of Object.entries(PLACES)) {
  for (const [what, bytes] of Object.entries(WRONG)) {
    test(`refuses ${what} in ${place}`, () => {
      const sent = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)])
      assert.strictEqual(stanzas(sent).condition, 'unsupported-encoding')
      assert.strictEqual(stanzas().byByte(sent).condition, 'unsupported-encoding')
    })
  }
}

test('U+FFFD may be sent', () => {
  assert.deepStrictEqual(stanzas('<a b="\ufffd">\ufffd</a>').xml, ['<a b="\ufffd">\ufffd</a>'])
})

test('characters between stanzas are refused by their first byte', () => {
  for (const byte of [0x80, 0xc0, 0xfe, 0xff, 0x00]) {
    assert.strictEqual(stanzas(Uint8Array.of(byte)).condition, 'unsupported-encoding')
  }
})
