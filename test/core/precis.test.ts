import assert from 'node:assert'
import test from 'node:test'
import fc from 'fast-check'
import {
  enforceLocal,
  enforceOpaqueString,
  enforceUsername,
  PrecisError,
  saslprep,
  TABLES_VERSION
} from '../../core/precis'
import { bidiClass } from '../../core/precis/bidi'
import { inFreeformClass, inIdentifierClass } from '../../core/precis/classes'
import { isVirama, joiningType } from '../../core/precis/context'

type Enforce = (input: string) => string

function maps(name: string, enforce: Enforce, rows: [what: string, input: string, output: string][]): void {
  for (const [what, input, output] of rows) {
    test(`${name}: ${what}`, () => assert.strictEqual(enforce(input), output))
  }
}

function refuses(
  name: string,
  enforce: Enforce,
  rows: [what: string, input: string, reason: RegExp][]
): void {
  for (const [what, input, reason] of rows) {
    test(`${name} refuses ${what}`, () =>
      assert.throws(
        () => enforce(input),
        (error: unknown) => error instanceof PrecisError && reason.test(error.message)
      ))
  }
}

// RFC 8265 §3.6, then variants
maps('username', enforceUsername, [
  ['example 1', 'juliet@example.com', 'juliet@example.com'],
  ['example 2', 'fussball', 'fussball'],
  ['example 3, sharp s', 'fu\u00dfball', 'fu\u00dfball'],
  ['example 4', '\u03c0', '\u03c0'],
  ['example 5, capital sigma', '\u03a3', '\u03c3'],
  ['example 6', '\u03c3', '\u03c3'],
  ['example 7, final sigma', '\u03c2', '\u03c2'],
  ['capital sigma at the end of a word is no final sigma', '\u0391\u03a3', '\u03b1\u03c3'],
  ['ASCII case', 'JuLiEt', 'juliet'],
  ['ASCII punctuation', "!#$%*+,-.;=?[\\]^_`{|}~'", "!#$%*+,-.;=?[\\]^_`{|}~'"],
  ['fullwidth', '\uff2a\uff55\uff4c\uff49\uff45\uff54', 'juliet'],
  ['halfwidth katakana with its voiced mark', '\uff76\uff9e', '\u30ac'],
  ['capital sharp s', 'FU\u1e9eBALL', 'fu\u00dfball'],
  ['decomposed to composed', 'a\u0308', '\u00e4'],
  ['upper case and decomposed', 'A\u030a', '\u00e5'],
  ['capital I with dot keeps its dot', '\u0130', 'i\u0307'],
  ['marks are ordered', 'a\u0307\u0323', '\u1ea1\u0307'],
  ['Hebrew', '\u05d0\u05d1', '\u05d0\u05d1'],
  ['Hebrew with digits after it', '\u05d01', '\u05d01'],
  ['Catalan middle dot', 'col\u00b7lega', 'col\u00b7lega'],
  ['Greek keraia before Greek', '\u03b1\u0375\u03b2', '\u03b1\u0375\u03b2'],
  ['Hebrew geresh', '\u05d0\u05f3', '\u05d0\u05f3'],
  ['katakana middle dot', '\u30ab\u30fb', '\u30ab\u30fb'],
  ['Arabic-Indic digits of one kind', '\u0628\u0661', '\u0628\u0661'],
  ['ZWNJ after a virama', '\u0915\u094d\u200c\u0937', '\u0915\u094d\u200c\u0937'],
  ['ZWJ after a virama', '\u0915\u094d\u200d\u0937', '\u0915\u094d\u200d\u0937'],
  ['ZWNJ between joining letters', '\u0645\u06cc\u200c\u062e', '\u0645\u06cc\u200c\u062e'],
  [
    'ZWNJ between joining letters and marks',
    '\u0645\u064e\u200c\u064e\u062e',
    '\u0645\u064e\u200c\u064e\u062e'
  ]
])

refuses('username', enforceUsername, [
  ['example 8, a space', 'foo bar', /U\+0020/],
  ['example 9, nothing', '', /empty/],
  ['example 10, a Roman numeral', 'henry\u2163', /U\+2163/],
  ['example 11, a symbol', '\u221e', /U\+221E/],
  ['an ideographic space', 'a\u3000b', /U\+0020/],
  ['a no-break space', 'a\u00a0b', /U\+00A0/],
  ['a ligature', '\ufb01', /U\+FB01/],
  ['the Kelvin sign', '\u212a', /U\+212A/],
  ['the Angstrom sign', '\u212b', /U\+212B/],
  ['a superscript', 'a\u00b2', /U\+00B2/],
  ['a soft hyphen', 'a\u00adb', /U\+00AD/],
  ['a zero width space', 'a\u200bb', /U\+200B/],
  ['a variation selector', 'a\ufe0f', /U\+FE0F/],
  ['old Hangul jamo', '\u1100', /U\+1100/],
  ['Arabic tatweel', '\u0628\u0640\u0628', /U\+0640/],
  ['an emoji', '\u{1f3ad}', /U\+1F3AD/],
  ['an unassigned code point', 'a\u0378', /U\+0378, which Unicode has not assigned/],
  ['private use', '\ue000', /U\+E000/],
  ['half a surrogate pair', 'a\ud800', /surrogate/],
  ['a control character', 'a\u0000', /U\+0000/],
  ['DEL', 'a\u007f', /U\+007F/],
  ['right-to-left after left-to-right', 'a\u05d0', /RFC 5893 condition 5/],
  ['left-to-right inside right-to-left', '\u05d0a\u05d0', /RFC 5893 condition 2/],
  ['a digit before right-to-left', '1\u05d0', /RFC 5893 condition 1/],
  ['a hyphen after right-to-left', '\u05d0-', /RFC 5893 condition 3/],
  ['European and Arabic digits together', '\u06281\u0661', /RFC 5893 condition 4/],
  ['a middle dot elsewhere', 'a\u00b7b', /U\+00B7/],
  ['a keraia before Latin', '\u03b1\u0375a', /U\+0375/],
  ['a geresh after Latin', 'a\u05f3', /U\+05F3|RFC 5893/],
  ['a katakana middle dot alone', 'a\u30fb', /U\+30FB/],
  ['both kinds of Arabic digits', '\u0628\u0661\u06f1', /condition 4/],
  ['ZWNJ in Latin', 'a\u200cb', /U\+200C/],
  ['ZWJ without a virama', '\u0645\u200d\u062e', /U\+200D/],
  ['ZWNJ at the end', '\u0645\u200c', /condition 3/],
  ['decomposed Hangul (jamo are refused before they are composed)', '\u1100\u1161', /U\+1100/]
])

// RFC 8265 §4.3, then variants
maps('opaque string', enforceOpaqueString, [
  ['example 12', 'correct horse battery staple', 'correct horse battery staple'],
  ['example 13, case is kept', 'Correct Horse Battery Staple', 'Correct Horse Battery Staple'],
  ['example 14', '\u03c0\u00df\u00e5', '\u03c0\u00df\u00e5'],
  ['example 15', 'Jack of \u2666s', 'Jack of \u2666s'],
  ['example 16, other spaces', 'foo\u1680bar', 'foo bar'],
  ['fullwidth stays', '\uff21', '\uff21'],
  ['compatibility characters stay', '\ufb01\u00bd', '\ufb01\u00bd'],
  ['decomposed to composed', 'a\u0308', '\u00e4'],
  ['singletons are mapped', '\u212b', '\u00c5'],
  ['no rule of direction', 'a\u05d0', 'a\u05d0'],
  ['emoji', '\u{1f3ad}', '\u{1f3ad}'],
  ['only spaces', ' \u3000', '  ']
])

refuses('opaque string', enforceOpaqueString, [
  ['example 17, nothing', '', /empty/],
  ['example 18, a tab', 'my cat is a \tby', /U\+0009/],
  ['a line separator', 'a\u2028', /U\+2028/],
  ['an override of direction', 'a\u202e', /U\+202E/],
  ['ZWJ between emoji', '\u{1f468}\u200d\u{1f469}', /U\+200D/],
  ['a tag character', '\u{e0041}', /U\+E0041/],
  ['half a surrogate pair', '\udfff', /surrogate/]
])

// RFC 4013 §3, then variants
maps('saslprep', saslprep, [
  ['example 1', 'I\u00adX', 'IX'],
  ['example 2', 'user', 'user'],
  ['example 3', 'USER', 'USER'],
  ['example 4', '\u00aa', 'a'],
  ['example 5', '\u2168', 'IX'],
  ['other spaces', 'a\u00a0b\u3000c', 'a b c'],
  ['zero width space', 'a\u200bb', 'ab'],
  ['fullwidth', '\uff41', 'a'],
  ['right-to-left', '\u0627\u0031\u0628', '\u06271\u0628'],
  ['newer than Unicode 3.2', '\u{1f3ad}\ufe0f', '\u{1f3ad}']
])

refuses('saslprep', saslprep, [
  ['example 6, a control character', '\u0007', /U\+0007/],
  ['example 7, mixed directions', '\u0627\u0031', /directions/],
  ['mixed directions', 'a\u0627', /directions/],
  ['nothing', '', /empty/],
  ['what is mapped to nothing', '\u00ad\u200b', /empty/],
  ['private use', '\ue000', /U\+E000/],
  ['an override of direction', 'a\u202e', /U\+202E/],
  ['half a surrogate pair', '\ud800', /surrogate|U\+D800/]
])

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: mixed() })
)

/** Characters that mappings and rules touch. */
function mixed(): fc.Arbitrary<string> {
  return fc.constantFrom(
    ...'aA1-.ßΣςİıКк\u0308\u0323\u212b\uff21\uff76\uff9eאب1٠۰म्\u200c\u200dᏠꮰ・カ·l가\u1e9e'
  )
}

for (const enforce of [enforceUsername, enforceOpaqueString, saslprep]) {
  test(`${enforce.name} is idempotent`, () => {
    fc.assert(
      fc.property(text, input => {
        const once = attempt(enforce, input)
        if (once !== undefined) assert.strictEqual(attempt(enforce, once), once)
      }),
      { numRuns: 3000 }
    )
  })
}

test('usernames that differ in normal form alone are one, but for Hangul', () => {
  fc.assert(
    fc.property(text, input => {
      const once = attempt(enforceLocal, input)
      if (once === undefined || /\p{Script=Hangul}/u.test(once)) return
      assert.strictEqual(attempt(enforceLocal, once.normalize('NFD')), once)
    }),
    { numRuns: 3000 }
  )
})

test('the tables agree with what Node itself knows', () => {
  assert.ok(TABLES_VERSION.startsWith('17.'))
  assert.deepStrictEqual(
    ['a', '\u05d0', '\u0628', '1', '\u0661', '-', ',', '#', '!', '\u0300', '\u00ad', '\n', '\u202e'].map(
      bidiClass
    ),
    ['L', 'R', 'AL', 'EN', 'AN', 'ES', 'CS', 'ET', 'ON', 'NSM', 'BN', 'X', 'X']
  )
  assert.deepStrictEqual(['\u0628', '\u0627', '\u064e', 'a', '\ua872', undefined].map(joiningType), [
    'D',
    'R',
    'T',
    'U',
    'L',
    'U'
  ])
  assert.deepStrictEqual(['\u094d', '\u0dca', '\u3099', '\u05b0', 'a', ''].map(isVirama), [
    true,
    true,
    false,
    false,
    false,
    false
  ])
})

test('the classes over all of Unicode: identifiers are freeform, and neither holds what both refuse', () => {
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
    const char = String.fromCodePoint(codePoint)
    if (inIdentifierClass(char)) assert.ok(inFreeformClass(char), codePoint.toString(16))
    if (/[\p{Cc}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u.test(char)) {
      assert.ok(!inFreeformClass(char), codePoint.toString(16))
    }
  }
})

function attempt(enforce: Enforce, input: string): string | undefined {
  try {
    return enforce(input)
  } catch (error) {
    assert.ok(error instanceof PrecisError, String(error))
    return undefined
  }
}
