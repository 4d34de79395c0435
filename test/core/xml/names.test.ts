import assert from 'node:assert'
import test from 'node:test'
import { isName, isNcName } from '../../../core/xml/decode'
import { stanzas } from './reading'

// XML 1.0 (fifth edition) §2.3 [4] and [4a]
const START: [number, number][] = [
  [0x3a, 0x3a],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
  [0xc0, 0xd6],
  [0xd8, 0xf6],
  [0xf8, 0x2ff],
  [0x370, 0x37d],
  [0x37f, 0x1fff],
  [0x200c, 0x200d],
  [0x2070, 0x218f],
  [0x2c00, 0x2fef],
  [0x3001, 0xd7ff],
  [0xf900, 0xfdcf],
  [0xfdf0, 0xfffd],
  [0x10000, 0xeffff]
]
const FURTHER: [number, number][] = [
  [0x2d, 0x2e],
  [0x30, 0x39],
  [0xb7, 0xb7],
  [0x300, 0x36f],
  [0x203f, 0x2040]
]

const within = (ranges: [number, number][], code: number): boolean =>
  ranges.some(([first, last]) => code >= first && code <= last)

test('every character starts a name, or stands in one, as the tables say', () => {
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue
    const char = String.fromCodePoint(code)
    const starts = within(START, code)
    const stands = starts || within(FURTHER, code)
    const colon = char === ':'
    if (isName(char) !== starts || isName(`a${char}`) !== stands) assert.fail(`U+${code.toString(16)}`)
    if (isNcName(char) !== (starts && !colon) || isNcName(`a${char}`) !== (stands && !colon)) {
      assert.fail(`U+${code.toString(16)} without colon`)
    }
  }
  assert(!isName('') && !isNcName(''))
})

test('names that hash alike are told apart', () => {
  assert.deepStrictEqual(stanzas('<Aa BB="1" Aa="2"><BB/></Aa><BB Aa="1"/>').xml, [
    '<Aa BB="1" Aa="2"><BB/></Aa>',
    '<BB Aa="1"/>'
  ])
})

test('more names than the parser remembers', () => {
  const sent = Array.from({ length: 20000 }, (_, i) => `<n${i} a${i}="${i}" xmlns="urn:${i}"/>`)
  const expected = Array.from({ length: 20000 }, (_, i) => `<n${i} a${i}="${i}" xmlns="urn:${i}"/>`)
  assert.deepStrictEqual(stanzas(...sent, ...sent).xml, [...expected, ...expected])
})

test('namespaces that differ in one character are told apart', () => {
  const namespaces = Array.from({ length: 40 }, (_, i) => {
    const letters = [...'http://example.org/a-namespace-of-40-chars']
    letters[i] = letters[i] === 'z' ? 'y' : 'z'
    return letters.join('')
  })
  const sent = namespaces.map(ns => `<a xmlns="${ns}"/>`)
  assert.deepStrictEqual(stanzas(...sent, ...sent).xml, [...sent, ...sent])
})
