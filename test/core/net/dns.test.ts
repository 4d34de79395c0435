import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { Dns } from '../../../core/net'
import { AnswerCache } from '../../../core/net/cache'
import { hostsFileAddresses } from '../../../core/net/hosts-file'
import { TestDns } from '../../lib/dns'

const V4 = { address: '192.0.2.1', family: 4 } as const
const V6 = { address: '2001:db8::1', family: 6 } as const

test('A and AAAA, the families in turn, IPv6 first', async t => {
  const server = await TestDns.start(t, {
    'a.example': { a: ['192.0.2.1', '192.0.2.2'], aaaa: ['2001:db8::1'] },
    'only4.example': { a: ['192.0.2.1'] },
    'alias.example': { cname: 'only4.example' },
    'empty.example': { txt: ['hello'] }
  })
  const dns = new Dns({ servers: [server.server] })
  assert.deepEqual(await dns.addresses('a.example'), [V6, V4, { address: '192.0.2.2', family: 4 }])
  assert.deepEqual(await dns.addresses('A.Example.'), await dns.addresses('a.example'))
  assert.deepEqual(await dns.addresses('only4.example'), [V4])
  assert.deepEqual(await dns.addresses('alias.example'), [V4])
  assert.deepEqual(await dns.addresses('empty.example'), [], 'no records')
  assert.deepEqual(await dns.addresses('none.example'), [], 'no such name')
})

test('no server is asked for addresses, localhost, or what is no name', async t => {
  const server = await TestDns.start(t)
  const dns = new Dns({ servers: [server.server] })
  assert.deepEqual(await dns.addresses('192.0.2.1'), [V4])
  assert.deepEqual(await dns.addresses('2001:db8::1'), [V6])
  assert.deepEqual(
    (await dns.addresses('LOCALHOST')).map(({ address }) => address),
    ['127.0.0.1', '::1']
  )
  assert.equal((await dns.addresses('a.localhost')).length, 2)
  for (const name of [
    '',
    '.',
    'a..b',
    'a b.example',
    `${'a'.repeat(64)}.example`,
    'a.'.repeat(130),
    'a/b',
    'a\0b'
  ])
    assert.deepEqual(await dns.addresses(name), [], name)
  assert.deepEqual(server.questions, [])
})

test('names are absolute, and asked for in A-labels', async t => {
  const server = await TestDns.start(t, { 'xn--bcher-kva.example': { a: ['192.0.2.1'] } })
  const dns = new Dns({ servers: [server.server] })
  assert.deepEqual(await dns.addresses('Bücher.example'), [V4])
  assert.deepEqual(await dns.addresses('short'), [])
  assert.deepEqual(
    new Set(server.questions.map(question => question.split(' ')[1])),
    new Set(['xn--bcher-kva.example', 'short'])
  )
})

test('SRV and TXT', async t => {
  const server = await TestDns.start(t, {
    '_xmpp-server._tcp.example.org': { srv: ['10 5 5269 a.example', '0 0 0 .'] },
    'example.org': { txt: ['one', 'x'.repeat(600)] }
  })
  const dns = new Dns({ servers: [server.server] })
  assert.deepEqual(await dns.services('_xmpp-server._tcp.example.org'), [
    { host: 'a.example', port: 5269, priority: 10, weight: 5 },
    { host: '', port: 0, priority: 0, weight: 0 }
  ])
  assert.deepEqual(await dns.services('_xmpps-server._tcp.example.org'), [])
  assert.deepEqual(await dns.texts('example.org'), ['one', 'x'.repeat(600)])
})

test('that nobody answers is not that there is nothing', async t => {
  const server = await TestDns.start(t, { 'half.example': { a: ['192.0.2.1'] } })
  server.fail('broken.example', 'SERVFAIL')
  server.fail('secret.example', 'REFUSED')
  server.fail('silent.example', 'silence')
  const dns = new Dns({ servers: [server.server], timeout: 500 })
  await assert.rejects(dns.addresses('broken.example'), {
    code: 'ERR_DNS',
    message: /broken\.example: .*SERVFAIL/
  })
  await assert.rejects(dns.services('secret.example'), { code: 'ERR_DNS', message: /refuses/ })
  await assert.rejects(dns.texts('silent.example'), { code: 'ERR_DNS', message: /no answer within 500 ms/ })
  await assert.rejects(new Dns({ servers: ['127.0.0.1:1'] }).addresses('half.example'), { code: 'ERR_DNS' })
  server.fail('broken.example', undefined)
  assert.deepEqual(await dns.addresses('broken.example'), [], 'a failure is not kept')
})

test('a family that is late is not waited for when there are addresses', async t => {
  const server = await TestDns.start(t, { 'a.example': { a: ['192.0.2.1'], aaaa: ['2001:db8::1'] } })
  server.delay('aaaa', 'a.example', 60_000)
  const dns = new Dns({ servers: [server.server], timeout: 30_000 })
  assert.deepEqual(await dns.addresses('a.example'), [V4])
  dns.close()
})

test('answers are kept as long as they say, and asked for once at a time', async t => {
  const server = await TestDns.start(t, { 'a.example': { a: ['192.0.2.1'] } })
  const dns = new Dns({ servers: [server.server] })
  await Promise.all([dns.addresses('a.example'), dns.addresses('a.example'), dns.addresses('A.example')])
  await dns.addresses('a.example')
  assert.deepEqual(server.questions.sort(), ['A a.example', 'AAAA a.example'])
  server.set('a.example', { a: ['192.0.2.9'] })
  assert.deepEqual(await dns.addresses('a.example'), [V4])
  dns.configure({ servers: [server.server] })
  assert.deepEqual(await dns.addresses('a.example'), [{ address: '192.0.2.9', family: 4 }], 'forgotten')
  server.ttl = 0
  server.set('b.example', { a: ['192.0.2.1'] })
  await dns.addresses('b.example')
  server.set('b.example', { a: ['192.0.2.9'] })
  assert.deepEqual(await dns.addresses('b.example'), [{ address: '192.0.2.9', family: 4 }])
})

test('the cache is bounded in count and time', async () => {
  let now = 0
  let asked = 0
  const cache = new AnswerCache<string>(2, 100, () => now)
  const get = (name: string, ttl = 1000): Promise<string> =>
    cache.get(name, () => Promise.resolve({ value: `${name} ${++asked}`, ttl }))
  assert.equal(await get('a'), 'a 1')
  assert.equal(await get('a'), 'a 1')
  now = 99_999
  assert.equal(await get('a'), 'a 1')
  now = 100_000
  assert.equal(await get('a'), 'a 2', 'not longer than the bound, whatever it says')
  await get('b')
  await get('c')
  assert.equal(await get('a'), 'a 5', 'the oldest had to go')
  await assert.rejects(
    cache.get('d', () => Promise.reject(new Error('no'))),
    /no/
  )
  assert.equal(await get('d'), 'd 6', 'a failure is not kept')
})

test("the system's hosts file", async t => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-hosts-'))
  t.after(() => fs.rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'hosts')
  fs.writeFileSync(
    file,
    '# a comment\n192.0.2.1 Buddy.example other # www\n2001:db8::1\tbuddy.example\nnonsense buddy.example\n'
  )
  assert.deepEqual(await hostsFileAddresses('buddy.example', file), [V4, V6])
  assert.deepEqual(await hostsFileAddresses('other', file), [V4])
  assert.deepEqual(await hostsFileAddresses('www', file), [])
  assert.deepEqual(await hostsFileAddresses('buddy.example', path.join(folder, 'none')), [])
})
