import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import test from 'node:test'
import fc from 'fast-check'
import { alternativeNames } from '../../../core/streams/alternative-names'
import { certificateMatches, certificateProblem } from '../../../core/streams/identity'
import { TestCa, type LeafOptions } from '../../lib/ca'
import { SAN, tlv } from '../../lib/der'

const ca = TestCa.make()

async function certificate(options: LeafOptions): Promise<X509Certificate> {
  return new X509Certificate((await (await ca).issue(options)).certificate)
}

async function names(options: LeafOptions, yes: readonly string[], no: readonly string[]): Promise<void> {
  const shown = await certificate(options)
  for (const domain of yes) assert.ok(certificateMatches(shown, domain), `names ${domain}`)
  for (const domain of no) assert.ok(!certificateMatches(shown, domain), `does not name ${domain}`)
}

test('DNS-ID: label by label, whatever the case (RFC 6125 §6.4.1)', async () => {
  await names(
    { dns: ['Example.ORG', 'im.example.net'] },
    ['example.org', 'im.example.net'],
    ['example.net', 'www.example.org', 'xexample.org', 'org', 'example.org.evil.example', 'localhost', '']
  )
})

test('IDNA: A-labels in the certificate, U-labels in the domain (RFC 6125 §6.4.2)', async () => {
  await names(
    { dns: ['bücher.example', 'XN--CAF-DMA.example'] },
    ['bücher.example', 'café.example'],
    ['bucher.example', 'xn--bücher.example']
  )
  // RFC 5280 §7.2: they are not written any other way
  await names({ names: [SAN.dns('bücher.example')] }, [], ['bücher.example'])
})

test('a wildcard is the left-most label, a whole one, and stands for one (RFC 6125 §6.4.3)', async () => {
  await names(
    { dns: ['*.example.org'] },
    ['a.example.org', 'bücher.example.org', 'channels.example.org'],
    ['example.org', 'a.b.example.org', '.example.org', 'aexample.org', 'a.example.com', '*.org']
  )
  const bad = [
    '*',
    '*.',
    '*.org',
    'im.*.org',
    'a*.example.org',
    '*a.example.org',
    '*.*.org',
    '**.example.org',
    'xn--*.example.org',
    '.example.org',
    '*.example.org.',
    '*..example.org'
  ]
  const shown = await certificate({ names: bad.map(SAN.dns) })
  for (const domain of [
    'example.org',
    'a.example.org',
    'im.a.org',
    'ab.example.org',
    'ba.example.org',
    'a.b.example.org',
    'xn--a.example.org',
    'org',
    'localhost'
  ])
    assert.ok(!certificateMatches(shown, domain), domain)
})

test('SRV-ID: of servers, not of clients or anything else (RFC 6125 §6.5.1)', async () => {
  await names(
    { names: [SAN.srv('_XMPP-server.Example.org'), SAN.srv('_xmpp-client.client.example')] },
    ['example.org'],
    ['client.example', '_xmpp-server.example.org', 'xmpp-server.example.org', 'im.example.org']
  )
  await names({ names: [SAN.srv('_xmpp-server.*.example.org')] }, [], ['a.example.org', 'example.org'])
  await names({ names: [SAN.srv('*.example.org')] }, [], ['a.example.org', '_xmpp-server.example.org'])
  await names({ names: [SAN.srv('_xmpp-server.xn--bcher-kva.example')] }, ['bücher.example'], [])
})

test('XmppAddr: a domain, prepared; never that of an account (RFC 6120 §13.7.1.4)', async () => {
  await names(
    { names: [SAN.xmpp('Bücher.Example'), SAN.xmpp('juliet@capulet.example'), SAN.xmpp('a.example/b')] },
    ['bücher.example'],
    ['capulet.example', 'a.example', 'juliet@capulet.example', 'example']
  )
  await names({ names: [SAN.xmpp('*.example.org')] }, [], ['a.example.org', 'example.org'])
})

test('the common name does not count, alone or not (RFC 6125 §6.4.4)', async () => {
  await names({ commonName: 'example.org' }, [], ['example.org'])
  await names({ commonName: 'example.org', dns: ['other.example'] }, ['other.example'], ['example.org'])
  await names({ commonName: 'example.org', san: tlv(0x30) }, [], ['example.org'])
})

test('other kinds of names do not count', async () => {
  await names(
    {
      names: [
        SAN.uri('xmpp:example.org'),
        SAN.uri('https://example.org/'),
        SAN.other('2b0601040182371402', tlv(0x0c, 'example.org')),
        tlv(0x81, 'admin@example.org')
      ]
    },
    [],
    ['example.org']
  )
})

test('addresses: as such, and never as names', async () => {
  await names(
    { names: [SAN.ip(192, 0, 2, 1), SAN.ip(...Buffer.from('20010db8000000000000000000000001', 'hex'))] },
    ['192.0.2.1', '[2001:db8::1]'],
    ['192.0.2.2', '[2001:db8::2]']
  )
  await names({ dns: ['192.0.2.1'], names: [SAN.dns('*.0.2.1')] }, [], ['192.0.2.1'])
})

test('a NUL, a newline or a blank in a name makes no other name of it', async () => {
  const written = [
    'example.org\0.evil.example',
    'example.org\0',
    'example.org\n',
    'example.org ',
    ' example.org',
    'example.org.'
  ]
  for (const name of written)
    await names({ names: [SAN.dns(name), SAN.srv(`_xmpp-server.${name}`)] }, [], ['example.org'])
  for (const name of ['example.org\0.evil.example', 'example.org\n', ' example.org'])
    await names({ names: [SAN.xmpp(name)] }, [], ['example.org'])
  await names(
    { names: [SAN.xmpp(Buffer.from('example\xff.org', 'latin1'))] },
    [],
    ['example.org', 'example�.org']
  )
})

test('what is not as it should be in DER names nobody', async () => {
  const id = Buffer.from('2b06010505070805', 'hex')
  const broken: LeafOptions[] = [
    // Two of the extension: which one would count?
    { dns: ['example.org'], sanCopies: 2 },
    // Another type of string
    { names: [tlv(0xa0, tlv(0x06, id), tlv(0xa0, tlv(0x16, 'example.org')))] },
    // Two values, the tag of the value missing, a length beyond the end
    { names: [tlv(0xa0, tlv(0x06, id), tlv(0xa0, tlv(0x0c, 'example.org'), tlv(0x0c, 'example.org')))] },
    { names: [tlv(0xa0, tlv(0x06, id), tlv(0x0c, 'example.org'))] },
    { names: [tlv(0xa0, tlv(0x06, id), Buffer.from([0xa0, 0x0d, 0x0c, 0x7f]), 'example.org')] },
    { san: Buffer.concat([Buffer.from([0x30, 0x7f]), SAN.dns('example.org')]) },
    { san: tlv(0x31, SAN.dns('example.org')) },
    { san: tlv(0x30, tlv(0xa2, tlv(0x16, 'example.org'))) }
  ]
  for (const options of broken) await names(options, [], ['example.org'])
})

test('property: what the certificate was made for, and nothing else', async () => {
  const label = fc
    .stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/)
    .filter(text => text.slice(2, 4) !== '--')
  const domain = fc
    .array(label, { minLength: 1, maxLength: 4 })
    .map(labels => [...labels, 'example'].join('.'))
  await fc.assert(
    fc.asyncProperty(
      fc.array(domain, { minLength: 1, maxLength: 5 }),
      domain,
      label,
      async (own, other, more) => {
        const shown = await certificate({ dns: own })
        assert.deepEqual(alternativeNames(shown.raw), { dns: own, srv: [], xmpp: [] })
        for (const name of own) {
          assert.ok(certificateMatches(shown, name))
          const longer = `${more}.${name}`
          assert.equal(certificateMatches(shown, longer), own.includes(longer))
        }
        assert.equal(certificateMatches(shown, other), own.includes(other))
      }
    ),
    { numRuns: 50 }
  )
})

test('property: bytes changed in a certificate never end in an exception', async () => {
  const raw = (await certificate({ dns: ['example.org'], names: [SAN.srv('_xmpp-server.a.example')] })).raw
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(raw.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      fc.nat(raw.length),
      (changes, length) => {
        const bytes = Buffer.from(raw.subarray(0, length))
        for (const [at, value] of changes) if (at < length) bytes[at] = value
        assert.ok(alternativeNames(bytes).dns.length <= 1)
      }
    ),
    { numRuns: 2000 }
  )
})

test('who speaks for a domain is asked at the moment: trust, time and name', async () => {
  const good = await certificate({ dns: ['example.org'] })
  const day = 86_400_000
  assert.equal(certificateProblem({ certificate: good, trusted: true }, 'example.org'), undefined)
  assert.match(String(certificateProblem(undefined, 'example.org')), /no certificate/)
  assert.match(
    String(certificateProblem({ certificate: good, trusted: true }, 'example.net')),
    /does not name example\.net/
  )
  assert.match(
    String(
      certificateProblem({ certificate: good, trusted: false, reason: 'CERT_HAS_EXPIRED' }, 'example.org')
    ),
    /not trusted \(CERT_HAS_EXPIRED\)/
  )
  const peer = { certificate: good, trusted: true }
  assert.match(String(certificateProblem(peer, 'example.org', Date.now() + 91 * day)), /has expired/)
  assert.match(String(certificateProblem(peer, 'example.org', Date.now() - 3 * day)), /valid from/)
  const authority = await certificate({ dns: ['example.org'], ca: true })
  assert.match(
    String(certificateProblem({ certificate: authority, trusted: true }, 'example.org')),
    /that of an authority/
  )
})
