import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { Dns, findTargets, parsePlace, type Target } from '../../../core/net'
import { TestDns, type Records } from '../../lib/dns'

const DIRECT = '_xmpps-server._tcp.example.org'
const START = '_xmpp-server._tcp.example.org'

async function find(
  t: TestContext,
  zone: Record<string, Records>,
  prepare: (server: TestDns) => void = () => undefined,
  domain = 'example.org'
): Promise<Target[]> {
  const server = await TestDns.start(t, zone)
  prepare(server)
  return findTargets(new Dns({ servers: [server.server], timeout: 300 }), domain)
}

const briefly = (targets: readonly Target[]): string[] =>
  targets.map(({ host, port, tls, by }) => `${by} ${host}:${port} ${tls}`)

test('both kinds of SRV are one set, ordered by priority (XEP-0368 §3)', async t => {
  const targets = await find(t, {
    [DIRECT]: { srv: ['5 0 5270 a.example', '20 0 5270 c.example'] },
    [START]: { srv: ['10 0 5269 b.example', '1 0 5269 first.example'] }
  })
  assert.deepEqual(briefly(targets), [
    'srv first.example:5269 starttls',
    'srv a.example:5270 direct',
    'srv b.example:5269 starttls',
    'srv c.example:5270 direct'
  ])
})

test('without SRV: the domain itself, port 5269 (RFC 6120 §3.2.2)', async t => {
  assert.deepEqual(briefly(await find(t, {})), ['address example.org:5269 starttls'])
  assert.deepEqual(briefly(await find(t, { [DIRECT]: {}, [START]: {} })), [
    'address example.org:5269 starttls'
  ])
})

test('no answer to SRV: the same (RFC 6120 §3.2.1 step 9)', async t => {
  const targets = await find(t, {}, server => {
    server.fail(DIRECT, 'SERVFAIL')
    server.fail(START, 'silence')
  })
  assert.deepEqual(briefly(targets), ['address example.org:5269 starttls'])
})

test('one of the two answers: what it says', async t => {
  const targets = await find(t, { [START]: { srv: ['0 0 5269 a.example'] } }, server =>
    server.fail(DIRECT, 'silence')
  )
  assert.deepEqual(briefly(targets), ['srv a.example:5269 starttls'])
})

test('the target "." means that it is not offered (RFC 2782); there is no fallback then', async t => {
  const notFound = { condition: 'remote-server-not-found', temporary: false }
  await assert.rejects(find(t, { [START]: { srv: ['0 0 5269 .'] } }), notFound)
  await assert.rejects(find(t, { [START]: { srv: ['0 0 0 .'] }, [DIRECT]: { srv: ['0 0 0 .'] } }), notFound)
  // XEP-0368 §5: direct TLS alone is not offered
  await assert.rejects(find(t, { [DIRECT]: { srv: ['0 0 0 .'] } }), notFound)
  assert.deepEqual(
    briefly(await find(t, { [DIRECT]: { srv: ['0 0 0 .'] }, [START]: { srv: ['0 0 5269 a.example'] } })),
    ['srv a.example:5269 starttls']
  )
  assert.deepEqual(
    briefly(await find(t, { [START]: { srv: ['0 0 0 .'] }, [DIRECT]: { srv: ['0 0 443 a.example'] } })),
    ['srv a.example:443 direct']
  )
  // Who does not answer may offer it
  await assert.rejects(
    find(t, { [DIRECT]: { srv: ['0 0 0 .'] } }, server => server.fail(START, 'SERVFAIL')),
    { condition: 'remote-server-timeout', temporary: true }
  )
})

test('addresses are connected to, nobody is asked', async t => {
  assert.deepEqual(briefly(await find(t, {}, undefined, '192.0.2.1')), ['address 192.0.2.1:5269 starttls'])
  assert.deepEqual(briefly(await find(t, {}, undefined, '[2001:db8::1]')), [
    'address 2001:db8::1:5269 starttls'
  ])
})

test('a domain in U-labels is asked for in A-labels', async t => {
  const zone = { '_xmpp-server._tcp.xn--bcher-kva.example': { srv: ['0 0 5269 a.example'] } }
  assert.deepEqual(briefly(await find(t, zone, undefined, 'bücher.example')), ['srv a.example:5269 starttls'])
})

test('a hundred records are twenty targets', async t => {
  const srv = Array.from({ length: 40 }, (_, i) => `${i} 0 5269 a${i}.example`)
  const targets = await find(t, { [START]: { srv } })
  assert.equal(targets.length, 20)
  assert.equal(targets[0]?.host, 'a0.example')
})

test('places: host:port in all forms', () => {
  const good: Array<[string, number | undefined, string, number]> = [
    ['example.org:5269', undefined, 'example.org', 5269],
    ['example.org', 53, 'example.org', 53],
    ['192.0.2.1:53', undefined, '192.0.2.1', 53],
    ['[2001:db8::1]:53', undefined, '2001:db8::1', 53],
    ['[2001:db8::1]', 53, '2001:db8::1', 53],
    ['2001:db8::1', 53, '2001:db8::1', 53],
    ['bücher.example:1', undefined, 'bücher.example', 1]
  ]
  for (const [text, standard, host, port] of good)
    assert.deepEqual(parsePlace(text, standard), { host, port }, text)
  for (const text of [
    '',
    ':1',
    'a',
    'a:',
    'a:0',
    'a:65536',
    'a:b',
    'a:1:2',
    '[a]:1',
    '[::1',
    '::1',
    'a b:1',
    'a/b:1'
  ])
    assert.equal(parsePlace(text), undefined, text)
})
