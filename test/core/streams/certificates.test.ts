import assert from 'node:assert'
import { X509Certificate } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { Certificates, type CertificateFiles, type CertificatePlan } from '../../../core/streams/certificates'
import { makeCertificate } from '../../../core/streams/self-signed'
import { FakeBackend } from './lib/backend'

interface Place {
  folder: string
  backend: FakeBackend
  certificates: Certificates
}

async function place(t: TestContext): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'balcony-tls-'))
  t.after(() => rm(folder, { recursive: true }))
  const backend = new FakeBackend()
  return { folder, backend, certificates: new Certificates(join(folder, 'data'), backend.log) }
}

async function files(folder: string, name: string, ...domains: string[]): Promise<CertificateFiles> {
  const pem = await makeCertificate(domains)
  const paths = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) }
  await writeFile(paths.certificate, pem.certificate)
  await writeFile(paths.key, pem.key)
  return paths
}

function plan(
  domains: Record<string, CertificateFiles | undefined>,
  standard?: CertificateFiles
): CertificatePlan {
  return { domains: new Map(Object.entries(domains)), standard }
}

test('the first start makes a certificate for all domains, with a key that nobody else may read', async t => {
  const { certificates } = await place(t)
  await certificates.load(
    plan({ localhost: undefined, 'channels.localhost': undefined, 'bücher.example': undefined })
  )
  const { own } = certificates
  assert.ok(own)
  const made = new X509Certificate(await readFile(own.certificate))
  assert.equal(made.subjectAltName, 'DNS:localhost, DNS:channels.localhost, DNS:xn--bcher-kva.example')
  assert.equal(made.fingerprint256, own.fingerprint)
  assert.equal(own.fresh, true)
  assert.deepEqual(made.publicKey.asymmetricKeyDetails, { namedCurve: 'prime256v1' })
  assert.ok(made.verify(made.publicKey))
  assert.ok(Date.parse(made.validFrom) < Date.now())
  assert.equal((await stat(own.key)).mode & 0o777, 0o600)
  assert.match(await readFile(own.key, 'utf8'), /^-----BEGIN PRIVATE KEY-----\n/)
  assert.ok(certificates.secureContext('localhost'))
  assert.ok(certificates.secureContext('anything.else'))
})

test('the next start uses it again; a new domain makes a new one with the same key', async t => {
  const { folder, backend, certificates } = await place(t)
  await certificates.load(plan({ localhost: undefined }))
  const first = certificates.own
  const key = await readFile(first?.key ?? '', 'utf8')

  const next = new Certificates(join(folder, 'data'), backend.log)
  await next.load(plan({ localhost: undefined }))
  assert.deepEqual(next.own, { ...first, fresh: false })

  await next.load(plan({ localhost: undefined, 'example.org': undefined }))
  assert.equal(next.own?.fresh, true)
  assert.notEqual(next.own?.fingerprint, first?.fingerprint)
  assert.equal(await readFile(next.own?.key ?? '', 'utf8'), key)
  assert.equal(
    new X509Certificate(await readFile(next.own?.certificate ?? '')).subjectAltName,
    'DNS:localhost, DNS:example.org'
  )
})

test('a certificate in the config is used, that of the domain first', async t => {
  const { folder, certificates, backend } = await place(t)
  const standard = await files(folder, 'standard', 'localhost')
  const example = await files(folder, 'example', 'example.org')
  await certificates.load(plan({ localhost: undefined, 'example.org': example }, standard))
  assert.equal(certificates.own, undefined)
  assert.notEqual(certificates.secureContext('example.org'), certificates.secureContext('localhost'))
  assert.deepEqual(backend.logged, [])
})

test('nothing is made where every domain has a certificate', async t => {
  const { folder, certificates } = await place(t)
  await certificates.load(plan({ localhost: await files(folder, 'mine', 'localhost') }))
  assert.equal(certificates.own, undefined)
  assert.equal(certificates.secureContext('example.org'), undefined)
})

test('a certificate that does not name its domain is used, with a warning', async t => {
  const { folder, certificates, backend } = await place(t)
  await certificates.load(
    plan({ localhost: undefined, 'example.org': undefined }, await files(folder, 'a', 'localhost'))
  )
  assert.deepEqual(
    backend.logged.map(({ level, message }) => [level, message]),
    [['warn', 'the certificate does not name example.org']]
  )
})

test('what is wrong with a file is said, and what was loaded stays', async t => {
  const { folder, certificates } = await place(t)
  const good = await files(folder, 'good', 'localhost')
  const other = await files(folder, 'other', 'localhost')
  await certificates.load(plan({ localhost: good }))
  const before = certificates.secureContext('localhost')

  const junk = join(folder, 'junk')
  await writeFile(junk, 'hello')
  const cases: Array<[Partial<CertificateFiles>, string]> = [
    [{ certificate: join(folder, 'none') }, `${join(folder, 'none')}: there is no such file`],
    [{ key: join(folder, 'none') }, `${join(folder, 'none')}: there is no such file`],
    [{ key: folder }, `${folder}: it is a folder, not a file`],
    [{ certificate: junk }, `${junk}: it holds no certificate in PEM format`],
    [{ key: junk }, `${junk}: it holds no key in PEM format`],
    [{ key: other.key }, `${other.key}: the key does not belong to the certificate`]
  ]
  for (const [wrong, message] of cases) {
    await assert.rejects(certificates.load(plan({ localhost: { ...good, ...wrong } })), {
      code: 'ERR_CERTIFICATE',
      message
    })
    assert.equal(certificates.secureContext('localhost'), before)
  }
  if (process.getuid?.() !== 0) {
    await chmod(good.key, 0)
    await assert.rejects(certificates.load(plan({ localhost: good })), { code: 'ERR_CERTIFICATE' })
  }
})

test('certificates are read again while the server runs', async t => {
  const { folder, certificates } = await place(t)
  const mine = await files(folder, 'mine', 'localhost')
  await certificates.load(plan({ localhost: mine }))
  const before = certificates.secureContext('localhost')
  await files(folder, 'mine', 'localhost')
  await certificates.load(plan({ localhost: mine }))
  assert.notEqual(certificates.secureContext('localhost'), before)
})
