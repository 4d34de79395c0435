import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import test from 'node:test'
import { Anchors, serverChainProblem } from '../../../core/streams/chain'
import { TestCa, type AuthorityOptions, type LeafOptions } from '../../lib/ca'
import { tlv } from '../../lib/der'

const ROOT = TestCa.make('Root')
const LEAF: LeafOptions = { dns: ['example.org'], usage: ['server'] }
const DAY = 86_400_000

const all = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN[^]+?END CERTIFICATE-----/g) ?? []).map(block => new X509Certificate(block))

/** What is wrong with a leaf below these authorities, each below the one before, the first below the root. */
async function problem(
  leaf: LeafOptions,
  authorities: readonly AuthorityOptions[] = [],
  now = Date.now()
): Promise<string | undefined> {
  const root = await ROOT
  let ca = root
  for (const [i, options] of authorities.entries()) ca = await ca.intermediate(`Middle ${i}`, options)
  const { certificate } = await ca.issue({ ...LEAF, ...leaf })
  const chain = [...all(certificate), ...all(root.pem)]
  return serverChainProblem(chain, new Anchors(all(root.pem)), now)
}

test('chains that are in order', async () => {
  assert.equal(await problem({}), undefined)
  assert.equal(await problem({ usage: ['client', 'server'] }, [{}, {}]), undefined)
  assert.equal(await problem({}, [{ pathLength: 1 }, { pathLength: 0 }]), undefined)
  assert.equal(await problem({}, [{ usage: ['server'] }]), undefined)
  // certificatePolicies may be critical
  assert.equal(await problem({ extensions: [['2.5.29.32', true, tlv(0x30)]] }), undefined)
  assert.equal(
    await problem({ extensions: [['2.5.29.15', true, tlv(0x03, Buffer.from([7, 0x80]))]] }),
    undefined
  )
  assert.equal(await problem({ extensions: [['1.2.3.4', false, tlv(0x05)]] }), undefined)
})

test('a middle that is believed itself is the end of the chain', async () => {
  const middle = await (await ROOT).intermediate()
  const { certificate } = await middle.issue({ ...LEAF, alone: true })
  assert.equal(
    serverChainProblem([...all(certificate), ...all(middle.pem)], new Anchors(all(middle.pem))),
    undefined
  )
})

test('time, at the leaf and above', async () => {
  assert.equal(await problem({ from: -9, until: -1 }), 'CERT_HAS_EXPIRED')
  assert.equal(await problem({ from: 1 }), 'CERT_NOT_YET_VALID')
  assert.equal(await problem({}, [{ from: -9, until: -1 }]), 'CERT_HAS_EXPIRED')
  assert.equal(await problem({}, [], Date.now() + 400 * DAY), 'CERT_HAS_EXPIRED')
})

test('purposes', async () => {
  assert.equal(await problem({ usage: ['client'] }), 'INVALID_PURPOSE')
  assert.equal(await problem({}, [{ usage: ['client'] }]), 'INVALID_PURPOSE')
  // keyEncipherment without digitalSignature
  assert.equal(
    await problem({ extensions: [['2.5.29.15', true, tlv(0x03, Buffer.from([5, 0x20]))]] }),
    'INVALID_PURPOSE'
  )
})

test('authorities, and how many may stand below them', async () => {
  assert.equal(await problem({}, [{ authority: false }]), 'INVALID_CA')
  assert.equal(await problem({}, [{ pathLength: 0 }, {}]), 'PATH_LENGTH_EXCEEDED')
  assert.equal(await problem({}, [{ pathLength: 1 }, {}, {}]), 'PATH_LENGTH_EXCEEDED')
  assert.equal(await problem({}, new Array<AuthorityOptions>(9).fill({})), 'CERT_CHAIN_TOO_LONG')
})

test('what is not understood is refused', async () => {
  const unknown = 'UNHANDLED_CRITICAL_EXTENSION'
  assert.equal(await problem({ extensions: [['1.2.3.4', true, tlv(0x05)]] }), unknown)
  assert.equal(await problem({}, [{ extensions: [['1.2.3.4', true, tlv(0x05)]] }]), unknown)
  // Name constraints, critical or not
  const constraints = tlv(0x30, tlv(0xa0, tlv(0x30, tlv(0x82, 'example.net'))))
  for (const critical of [true, false])
    assert.equal(await problem({}, [{ extensions: [['2.5.29.30', critical, constraints]] }]), unknown)
  assert.equal(await problem({ sanCopies: 2 }), 'INVALID_EXTENSION')
})

test('signatures', async () => {
  const root = await ROOT
  const anchors = new Anchors(all(root.pem))
  const other = await TestCa.make('Root')
  const [leaf] = all((await other.issue(LEAF)).certificate)
  const [own] = all((await root.issue(LEAF)).certificate)
  assert.ok(leaf && own)
  // The same name, another key
  assert.equal(serverChainProblem([leaf, ...all(root.pem)], anchors), 'CERT_SIGNATURE_FAILURE')
  assert.equal(serverChainProblem([leaf, ...all(other.pem)], anchors), 'UNABLE_TO_GET_ISSUER_CERT')
  assert.equal(serverChainProblem([own, leaf], anchors), 'SUBJECT_ISSUER_MISMATCH')
  assert.equal(serverChainProblem([own], anchors), 'UNABLE_TO_GET_ISSUER_CERT')
  assert.equal(serverChainProblem([], anchors), 'CERT_CHAIN_TOO_LONG')
  const changed = Buffer.from(own.raw)
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
  assert.equal(
    serverChainProblem([new X509Certificate(changed), ...all(root.pem)], anchors),
    'CERT_SIGNATURE_FAILURE'
  )
  const weak = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-1' }
  assert.equal(await problem({ algorithm: weak }), 'CA_MD_TOO_WEAK')
})

test("Node's authorities are believed", () => {
  const anchors = new Anchors([])
  assert.ok(rootCertificates.every(pem => anchors.has(new X509Certificate(pem))))
})
