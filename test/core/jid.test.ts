import assert from 'node:assert'
import test from 'node:test'
import fc from 'fast-check'
import { escapeLocal, InvalidJid, JID, unescapeLocal } from '../../core/jid'

/** RFC 7622 §3.5 Table 1, with what each canonically is. */
const LEGAL: [number, string, [local: string, domain: string, resource: string]][] = [
  [1, 'juliet@example.com', ['juliet', 'example.com', '']],
  [2, 'juliet@example.com/foo', ['juliet', 'example.com', 'foo']],
  [3, 'juliet@example.com/foo bar', ['juliet', 'example.com', 'foo bar']],
  [4, 'juliet@example.com/foo@bar', ['juliet', 'example.com', 'foo@bar']],
  [5, 'foo\\20bar@example.com', ['foo\\20bar', 'example.com', '']],
  [6, 'fussball@example.com', ['fussball', 'example.com', '']],
  [7, 'fu\u00dfball@example.com', ['fu\u00dfball', 'example.com', '']],
  [8, '\u03c0@example.com', ['\u03c0', 'example.com', '']],
  [9, '\u03a3@example.com/foo', ['\u03c3', 'example.com', 'foo']],
  [10, '\u03c3@example.com/foo', ['\u03c3', 'example.com', 'foo']],
  [11, '\u03c2@example.com/foo', ['\u03c2', 'example.com', 'foo']],
  [12, 'king@example.com/\u265a', ['king', 'example.com', '\u265a']],
  [13, 'example.com', ['', 'example.com', '']],
  [14, 'example.com/foobar', ['', 'example.com', 'foobar']],
  [15, 'a.example.com/b@example.net', ['', 'a.example.com', 'b@example.net']]
]

/** RFC 7622 §3.5 Table 2, with the part that is wrong. */
const ILLEGAL: [number, string, string][] = [
  [16, '"juliet"@example.com', 'local'],
  [17, 'foo bar@example.com', 'local'],
  [18, 'juliet@example.com/ foo', 'resource'],
  [19, '@example.com/', 'local'],
  [20, 'henry\u2163@example.com', 'local'],
  [21, '\u265a@example.com', 'local'],
  [22, 'juliet@', 'domain'],
  [23, '/foobar', 'domain']
]

for (const [row, text, parts] of LEGAL) {
  test(`RFC 7622 example ${row} is a JID: ${text}`, () => {
    const jid = JID.parse(text)
    assert.deepStrictEqual([jid.local, jid.domain, jid.resource], parts)
  })
}

for (const [row, text, part] of ILLEGAL) {
  test(`RFC 7622 example ${row} is none: ${text}`, () => {
    assert.throws(
      () => JID.parse(text),
      (error: unknown) =>
        error instanceof InvalidJid && error.part === part && error.message.includes(text.slice(1, 5))
    )
    assert.strictEqual(JID.tryParse(text), undefined)
  })
}

const MORE_ILLEGAL: [string, string, string][] = [
  ['empty', '', 'domain'],
  ['only an at', '@', 'local'],
  ['empty resource', 'a@b/', 'resource'],
  ['empty resource of a host', 'b/', 'resource'],
  ['two ats', 'a@b@c', 'domain'],
  ['an excluded character made by width mapping', 'a\uff20b@c', 'local'],
  ['a fullwidth solidus in the local part', 'a\uff0fb@c', 'local'],
  ['a control character', 'a@b/c\u0007', 'resource'],
  ['half a surrogate pair', 'a@b/\ud800', 'resource'],
  ['half a surrogate pair in the local part', 'a\udc00@b', 'local'],
  ['a noncharacter', 'a@b/\ufdd0', 'resource'],
  ['an unassigned code point', 'a@b/\u0378', 'resource'],
  ['private use', 'a@b/\ue000', 'resource'],
  ['a space in the domain', 'a@b c', 'domain'],
  ['a trailing space after the domain', 'a@b ', 'domain']
]

for (const [what, text, part] of MORE_ILLEGAL) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => JID.parse(text),
      (error: unknown) =>
        error instanceof InvalidJid && error.part === part && error.code === 'ERR_INVALID_JID'
    )
  })
}

test('the excluded characters of RFC 7622 §3.3.1 are refused, each', () => {
  for (const char of '"&\'/:<>@') assert.throws(() => JID.of(`a${char}b`, 'c'), InvalidJid, char)
})

test('kinds', () => {
  assert.strictEqual(JID.parse('b.c').kind, 'host')
  assert.strictEqual(JID.parse('a@b.c').kind, 'bare')
  assert.strictEqual(JID.parse('a@b.c/d').kind, 'full')
  assert.strictEqual(JID.parse('b.c/d').kind, 'full')
})

test('bare, full and what is derived from them', () => {
  const jid = JID.parse('Juliet@Example.COM/Balcony')
  assert.strictEqual(jid.bare, 'juliet@example.com')
  assert.strictEqual(jid.full, 'juliet@example.com/Balcony')
  assert.strictEqual(`${jid}`, jid.full)
  assert.strictEqual(JSON.stringify({ jid }), '{"jid":"juliet@example.com/Balcony"}')
  assert.strictEqual(jid.toBare().full, jid.bare)
  assert.strictEqual(jid.toBare(), jid.toBare())
  assert.strictEqual(jid.toBare().toBare(), jid.toBare())
  assert.strictEqual(jid.withResource('chamber').full, 'juliet@example.com/chamber')
  assert.strictEqual(jid.withResource('Balcony'), jid)
  assert.strictEqual(jid.withResource('').full, jid.bare)
  assert.throws(() => jid.withResource('\u0000'), { part: 'resource' })
  assert.throws(() => jid.withResource(' x'), { part: 'resource' })
  assert.strictEqual(JID.parse('b.c/d').toBare().kind, 'host')
})

test('equality is that of the canonical form', () => {
  assert.ok(JID.parse('A@B/c').equals(JID.of('a', 'b', 'c')))
  assert.ok(!JID.parse('a@b/C').equals(JID.parse('a@b/c')))
  assert.ok(!JID.parse('a@b').equals(undefined))
})

test('parts are checked in of(), too', () => {
  assert.strictEqual(JID.of('', 'B.c').full, 'b.c')
  assert.throws(() => JID.of('a', ''), { part: 'domain' })
  assert.throws(() => JID.of('a b', 'c'), { part: 'local' })
  assert.throws(() => JID.of('a', 'c@d'), { part: 'domain' })
})

test('tryParse takes what an attribute gives', () => {
  assert.strictEqual(JID.tryParse(undefined), undefined)
  assert.strictEqual(JID.tryParse(null), undefined)
  assert.strictEqual(JID.tryParse('a@b')?.full, 'a@b')
})

test('each part may have 1023 octets after mapping, and no more', () => {
  const domain = `${'a.'.repeat(511)}b`
  const jid = JID.of('a'.repeat(1023), domain, 'c'.repeat(1023))
  assert.strictEqual(Buffer.byteLength(jid.full), 3071)
  assert.strictEqual(JID.parse(jid.full).full, jid.full)
  assert.throws(() => JID.of('a'.repeat(1024), 'b'), { part: 'local' })
  assert.throws(() => JID.of('', `${domain}c`), { part: 'domain' })
  assert.throws(() => JID.of('a', 'b', 'c'.repeat(1024)), { part: 'resource' })
  // octets, not characters
  assert.strictEqual(JID.of('\u00e4'.repeat(511), 'b').local.length, 511)
  assert.throws(() => JID.of('\u00e4'.repeat(512), 'b'), { part: 'local' })
  assert.throws(() => JID.of('a', 'b', '\u{1f3ad}'.repeat(256)), { part: 'resource' })
  // after mapping: 3069 octets of fullwidth letters make 1023, 1024 decomposed ones make 1024
  assert.strictEqual(JID.of('\uff21'.repeat(1023), 'b').local, 'a'.repeat(1023))
  assert.strictEqual(JID.of('a\u0308'.repeat(511), 'b').local, '\u00e4'.repeat(511))
})

test('what is far too long is refused unread, and quoted in part', () => {
  const text = `${'\uff21'.repeat(1e6)}@b`
  assert.throws(
    () => JID.parse(text),
    (error: unknown) => error instanceof InvalidJid && error.part === 'jid' && error.message.length < 200
  )
  assert.throws(() => JID.of('a', 'b', 'c'.repeat(1e6)), { part: 'resource' })
})

test('a repeated string is the same object, also in the middle of a flood', () => {
  const known = JID.parse('juliet@example.com/cached')
  for (let i = 0; i < 50_000; i++) {
    JID.parse(`flood${i}@example.com`)
    if (i % 1000 === 0) assert.strictEqual(JID.parse('juliet@example.com/cached'), known)
  }
})

test('the cache is bounded: what came once is forgotten', () => {
  const before = JID.parse('once@example.com')
  for (let i = 0; i < 20_000; i++) JID.parse(`more${i}@example.com`)
  const after = JID.parse('once@example.com')
  assert.notStrictEqual(after, before)
  assert.ok(after.equals(before))
})

test('huge strings are not kept', () => {
  const text = `a@b/${'c'.repeat(1000)}`
  assert.notStrictEqual(JID.parse(text), JID.parse(text))
})

test('whatever is accepted is canonical: it parses to itself', () => {
  const anyPart = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.string())
  fc.assert(
    fc.property(anyPart, anyPart, anyPart, (local, domain, resource) => {
      for (const text of [`${local}@example.com/${resource}`, `${local}@${domain}/${resource}`, domain]) {
        const jid = JID.tryParse(text)
        if (!jid) continue
        const again = JID.parse(jid.full)
        assert.deepStrictEqual(
          [again.local, again.domain, again.resource, again.bare],
          [jid.local, jid.domain, jid.resource, jid.bare]
        )
      }
    }),
    { numRuns: 3000 }
  )
})

/** XEP-0106 Table 3. */
const ESCAPES: [string, string][] = [
  ['space cadet', 'space\\20cadet'],
  ['call me "ishmael"', 'call\\20me\\20\\22ishmael\\22'],
  ['at&t guy', 'at\\26t\\20guy'],
  ["d'artagnan", 'd\\27artagnan'],
  ['/.fanboy', '\\2f.fanboy'],
  ['::foo::', '\\3a\\3afoo\\3a\\3a'],
  ['<foo>', '\\3cfoo\\3e'],
  ['user@host', 'user\\40host'],
  ['c:\\net', 'c\\3a\\net'],
  ['c:\\\\net', 'c\\3a\\\\net'],
  ['c:\\cool stuff', 'c\\3a\\cool\\20stuff'],
  ['c:\\5commas', 'c\\3a\\5c5commas'],
  ['\\3and\\2is\\5cool', '\\5c3and\\2is\\5c5cool'],
  ['\\2plus\\2is\\4', '\\2plus\\2is\\4'],
  ['foo\\bar', 'foo\\bar'],
  ['foob\\41r', 'foob\\41r']
]

for (const [name, local] of ESCAPES) {
  test(`XEP-0106: ${name} is escaped as ${local}`, () => {
    assert.strictEqual(escapeLocal(name), local)
    assert.strictEqual(unescapeLocal(local), name)
    assert.strictEqual(JID.of(escapeLocal(name), 'example.com').local, local)
  })
}

test('XEP-0106: no escaped space at either end', () => {
  assert.throws(() => escapeLocal(' a'), /space/)
  assert.throws(() => escapeLocal('a '), /space/)
  assert.strictEqual(unescapeLocal('\\20a\\20'), '\\20a\\20')
})

test('XEP-0106: unescaping undoes escaping', () => {
  const name = fc
    .string({ unit: fc.constantFrom(...' "&\'/:<>@\\205c27aA') })
    .filter(text => text.trim() === text)
  fc.assert(
    fc.property(name, text => {
      assert.doesNotMatch(escapeLocal(text), /[ "&'/:<>@]/)
      assert.strictEqual(unescapeLocal(escapeLocal(text)), text)
    }),
    { numRuns: 2000 }
  )
})
