import assert from 'node:assert'
import test from 'node:test'
import { domainToASCII } from 'node:url'
import fc from 'fast-check'
import { enforceDomain, PrecisError } from '../../core/precis'
import { punycodeDecode, punycodeEncode } from '../../core/precis/punycode'

const SAME: [what: string, input: string, output: string][] = [
  ['plain', 'example.com', 'example.com'],
  ['case', 'Example.COM', 'example.com'],
  ['one label', 'localhost', 'localhost'],
  ['a trailing dot', 'example.com.', 'example.com'],
  ['a trailing ideographic dot', 'example.com\u3002', 'example.com'],
  ['ideographic and fullwidth dots', 'a\u3002b\uff0ec\uff61d', 'a.b.c.d'],
  ['fullwidth', '\uff45\uff58\uff0e\uff43\uff4f\uff4d', 'ex.com'],
  ['IPv4', '192.0.2.1', '192.0.2.1'],
  ['IPv6', '[2001:DB8:0:0:0:0:0:1]', '[2001:db8::1]'],
  ['IPv6 and a trailing dot', '[::1].', '[::1]'],
  ['digits', '3com.example', '3com.example'],
  ['a U-label', 'b\u00fccher.example', 'b\u00fccher.example'],
  ['an upper case U-label', 'B\u00dcCHER.example', 'b\u00fccher.example'],
  ['a decomposed U-label', 'bu\u0308cher.example', 'b\u00fccher.example'],
  ['an A-label', 'xn--bcher-kva.example', 'b\u00fccher.example'],
  ['an A-label in upper case', 'XN--BCHER-KVA.example', 'b\u00fccher.example'],
  ['sharp s stays', 'fa\u00df.de', 'fa\u00df.de'],
  ['the A-label of sharp s', 'xn--fa-hia.de', 'fa\u00df.de'],
  ['final sigma stays', '\u03b2\u03cc\u03bb\u03bf\u03c2.com', '\u03b2\u03cc\u03bb\u03bf\u03c2.com'],
  ['Hebrew', '\u05d0\u05d1.\u05d2', '\u05d0\u05d1.\u05d2'],
  ['Chinese', '\u4f8b\u5b50.\u6d4b\u8bd5', '\u4f8b\u5b50.\u6d4b\u8bd5'],
  [
    'Persian with ZWNJ',
    '\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com',
    '\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com'
  ],
  ['Cherokee', '\u13a0\u13a1.example', '\u13a0\u13a1.example']
]

for (const [what, input, output] of SAME) {
  test(`domain: ${what}`, () => assert.strictEqual(enforceDomain(input), output))
}

const REFUSED: [what: string, input: string, reason: RegExp][] = [
  ['nothing', '', /empty/],
  ['a dot', '.', /empty label/],
  ['two trailing dots', 'a..', /empty label/],
  ['an empty label', 'a..b', /empty label/],
  ['a leading dot', '.a', /empty label/],
  ['an underscore', 'a_b.c', /U\+005F/],
  ['a space', 'a b', /U\+0020/],
  ['an at', 'a@b', /U\+0040/],
  ['a colon', 'a:5222', /U\+003A/],
  ['a leading hyphen', '-a.b', /hyphen/],
  ['a trailing hyphen', 'a-.b', /hyphen/],
  ['hyphens in third and fourth place', 'ab--cd.e', /third and fourth/],
  ['a label of 64 octets', `${'a'.repeat(64)}.b`, /63/],
  ['a U-label of 64 octets as A-label', `${'\u00e4'.repeat(58)}\u00f6.b`, /63/],
  ['an endless label', `${'\u00e4'.repeat(4000)}.b`, /63|1023/],
  ['a domain of 1024 octets', `${'a.'.repeat(511)}bc`, /1023/],
  ['an A-label of ASCII', 'xn--abc-.b', /A-label/],
  ['an empty A-label', 'xn--.b', /A-label/],
  ['an A-label that does not decode', 'xn--a\u00e4.b', /A-label/],
  ['an A-label with an impossible number', 'xn--99999999.b', /A-label/],
  ['an A-label of a capital', `xn--${punycodeEncode('B\u00fccher\u00dc')}.b`.toLowerCase(), /A-label/],
  ['an A-label of an emoji', 'xn--ls8h.b', /U\+1F4A9/],
  ['an emoji', '\u{1f4a9}.la', /U\+1F4A9/],
  ['a ligature', '\ufb01.b', /U\+FB01/],
  ['a label that begins with a mark', '\u0308a.b', /combining mark/],
  ['an unassigned code point', '\u0378.b', /not assigned/],
  ['an ideographic solidus look-alike', 'a\u2215b', /U\+2215/],
  ['a left-to-right label that begins with a digit beside Hebrew', '3a.\u05d0', /RFC 5893/],
  ['mixed directions', 'a\u05d0.b', /RFC 5893/],
  ['IPv4 in brackets', '[192.0.2.1]', /IPv6/],
  ['an open bracket', '[::1', /IPv6/],
  ['IPv6 with a zone', '[fe80::1%25eth0]', /IPv6/],
  ['IPv6 with a port', '[::1]:5222', /IPv6/],
  ['IPvFuture', '[v1.a]', /IPv6/],
  ['IPv6 without brackets', '::1', /U\+003A/]
]

for (const [what, input, reason] of REFUSED) {
  test(`domain: ${what} is refused`, () => {
    assert.throws(
      () => enforceDomain(input),
      (error: unknown) => error instanceof PrecisError && reason.test(error.message)
    )
  })
}

// RFC 3492 §7.1 (A), (B), (I), (L), (P), (Q)
const PUNYCODE: [string, string][] = [
  ['ليهمابتكلموشعربي؟', 'egbpdaj6bu4bxfgehfvwxn'],
  ['他们为什么不说中文', 'ihqwcrb4cv8a8dqg056pqjye'],
  ['почемужеонинеговорятпорусски', 'b1abfaaepdrnnbgefbadotcwatmq2g4l'],
  ['3年b組金八先生', '3b-ww4c5e180e575a65lsy2b'],
  ['ひとつ屋根の下2', '2-u9tlzr9756bt3uc0v']
]

for (const [label, encoded] of PUNYCODE) {
  test(`Punycode: ${encoded}`, () => {
    assert.strictEqual(punycodeEncode(label), encoded)
    assert.strictEqual(punycodeDecode(encoded), label)
  })
}

test('Punycode comes back, whatever it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), label => {
      assert.strictEqual(punycodeDecode(punycodeEncode(label)), label)
    }),
    { numRuns: 2000 }
  )
})

test('Punycode of hostile input ends or throws PrecisError', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'az09-AZ\u00e4'), maxLength: 59 }), text => {
      try {
        punycodeDecode(text)
      } catch (error) {
        assert.ok(error instanceof PrecisError, String(error))
      }
    }),
    { numRuns: 5000 }
  )
})

test('domains are idempotent, and Node reads them as the same name', () => {
  const label = fc.string({
    unit: fc.oneof(
      fc.constantFrom(...'aZ9-ßäΣçא가例\u0308ａ'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })
    ),
    minLength: 1,
    maxLength: 8
  })
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 3 }), labels => {
      const input = labels.join('.')
      let domain
      try {
        domain = enforceDomain(input)
      } catch (error) {
        assert.ok(error instanceof PrecisError, String(error))
        return
      }
      assert.strictEqual(enforceDomain(domain), domain)
      const ascii = domainToASCII(domain)
      // names that end in a number are IPv4 for a URL
      if (ascii !== '' && !/^[\d.]+$/.test(ascii)) assert.strictEqual(enforceDomain(ascii), domain)
    }),
    { numRuns: 5000 }
  )
})
