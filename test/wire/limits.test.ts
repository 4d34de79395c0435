import assert from 'node:assert/strict'
import net from 'node:net'
import test from 'node:test'
import type { TestContext } from 'node:test'
import WebSocket from 'ws'
import { childOf, childText, type Element } from '../../core/xml/element'
import { NS } from '../../core/xml/namespaces'
import { conditionOf, TestClient } from '../lib/client'
import type { Options } from '../lib/config'
import { startTestServer, type TestServer } from '../lib/server'
import { join, PASSWORD, scenario } from '../lib/wire'

/* What a stream may, how many there may be, and how fast passwords may be tried (XEP-0205, XEP-0478). */

const LIMITS = 'urn:xmpp:stream-limits:0'

const withLimits = (t: TestContext, limits: Options, config: Options = {}): Promise<TestServer> =>
  startTestServer(t, { modules: { limits: { trusted: [], ...limits } }, config })

function limitsIn(features: Element | undefined): (string | undefined)[] {
  const limits = features && childOf(features, 'limits', LIMITS)
  return limits ? [childText(limits, 'max-bytes'), childText(limits, 'idle-seconds')] : []
}

/** A metric's value, as somebody who asks for the metrics sees it. */
async function metric({ server }: TestServer, name: string): Promise<number> {
  const text = await server.metrics.text()
  const line = text.split('\n').find(each => each.startsWith(`balcony_${name} `))
  return Number(line?.slice(line.lastIndexOf(' ') + 1) ?? 0)
}

/** A connection that says nothing, and whether the server ends it. */
function silent(t: TestContext, port: number, localAddress = '127.0.0.1') {
  const socket = net.connect({ port, host: '127.0.0.1', localAddress })
  socket.on('error', () => undefined)
  t.after(() => socket.destroy())
  const connected = new Promise<void>(resolve => socket.once('connect', () => resolve()))
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  socket.resume()
  return { socket, connected, closed }
}

async function connect(t: TestContext, server: TestServer, localAddress = '127.0.0.1'): Promise<TestClient> {
  const client = await TestClient.connect({
    port: server.ports.tcp as number,
    domain: 'localhost',
    localAddress
  })
  t.after(() => client.destroy())
  return client
}

/** Tries a password and returns the condition of the failure, '' for a success. */
async function tries(client: TestClient, password: string, user = 'juliet'): Promise<string> {
  const data = Buffer.from(`\0${user}\0${password}`).toString('base64')
  client.write(`<auth xmlns='${NS.SASL}' mechanism='PLAIN'>${data}</auth>`)
  const answer = await client.next()
  return answer.name === 'success' ? '' : conditionOf(answer)
}

test('XEP-0478 §3.1: streams are told of the limits that hold then, and after a reload of those', async t => {
  const limits = { c2s: { stanzaBytes: 50_000 } }
  const server = await startTestServer(t, {
    tls: 'required',
    modules: { limits },
    config: { limits: { stanzaBytesBeforeLogin: 12_000, loginSeconds: 30 } }
  })
  await server.addUser('juliet@localhost', PASSWORD)
  const juliet = await connect(t, server)
  const first = await juliet.open()
  assert.deepEqual(limitsIn(first), [], 'RFC 6120 §5.3.1: nothing beside a STARTTLS that is required')
  assert.deepEqual(limitsIn(await juliet.startTls()), ['12000', '30'])
  const after = await juliet.authenticate({ user: 'juliet', password: PASSWORD })
  assert.deepEqual(limitsIn(after), ['50000', undefined])
  await juliet.bind()

  const larger = (bytes: number): string =>
    `<message to='nobody@localhost'><body>${'x'.repeat(bytes)}</body></message>`
  await juliet.sends(larger(40_000))
  await juliet.receives(`<message type='error'/>`)
  server.server.limits.set({
    ...server.server.limits.policy,
    kinds: {
      ...server.server.limits.policy.kinds,
      c2s: { ...server.server.limits.policy.kinds.c2s, stanzaBytes: 20_000 }
    }
  })
  const romeo = await connect(t, server)
  await romeo.open()
  await romeo.startTls()
  const told = await romeo.authenticate({ user: 'juliet', password: PASSWORD })
  assert.deepEqual(limitsIn(told), ['20000', undefined])
  // RFC 6120 §13.12, XEP-0205 §4.5: also for a stream that was there before
  await juliet.sends(larger(40_000))
  await juliet.receives(
    `<error xmlns='http://etherx.jabber.org/streams'>
      <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>
      <stanza-too-big xmlns='urn:xmpp:errors'/>
    </error>`
  )
  await juliet.isClosed()
})

test('announce: false tells nothing', async t => {
  const server = await withLimits(t, { announce: false })
  const client = await connect(t, server)
  assert.deepEqual(limitsIn(await client.open()), [])
})

test('a rate holds a flood back and loses nothing; who is quiet does not notice', async t => {
  const COUNT = 400
  const server = await withLimits(t, { c2s: { stanzasPerSecond: 200, burstStanzas: 200 } })
  await scenario(
    server,
    {
      mallory: 'mallory@localhost',
      romeo: { jid: 'romeo@localhost', presence: true },
      juliet: 'juliet@localhost'
    },
    async ({ mallory, romeo, juliet }) => {
      const flood = Array.from({ length: COUNT }, (_, i) => `<message to='${romeo.jid}' id='${i}'/>`)
      mallory.write(flood.join(''))
      await juliet.fence()
      for (let i = 0; i < COUNT; i++) await romeo.receives(`<message id='${i}'/>`)
      await mallory.fence()
    }
  )
  assert.ok((await metric(server, 'rate_pauses_total{kind="c2s"}')) > 0)
})

test('bytes have a rate of their own, on WebSocket too, and a reload changes it for streams that are there', async t => {
  const server = await withLimits(t, { c2s: { bytesPerSecond: 1000, burstBytes: 50_000 } })
  const body = 'x'.repeat(10_000)
  const jid = 'mallory@localhost'
  const mallory = await join(server, 'mallory', { jid, transport: 'ws' })
  const romeo = await join(server, 'romeo', { jid: 'romeo@localhost', presence: true })
  t.after(() => [mallory, romeo].forEach(client => client.destroy()))
  for (let i = 0; i < 20; i++)
    mallory.write(`<message xmlns='jabber:client' to='${romeo.jid}' id='${i}'><body>${body}</body></message>`)
  await romeo.receives(`<message id='0'/>`)
  await romeo.fence()
  assert.ok((await metric(server, 'rate_pauses_total{kind="c2s"}')) > 0)
  // 150,000 bytes too many would take two and a half minutes
  server.server.limits.set(undefined)
  for (let i = 1; i < 20; i++) await romeo.receives(`<message id='${i}'/>`)
})

test('connections of an address are bounded, before they log in and afterwards', async t => {
  const server = await withLimits(t, { c2s: { connectionsPerAddress: 2 } })
  const { tcp, tls } = server.ports
  const first = await join(server, 'juliet', { jid: 'juliet@localhost' })
  t.after(() => first.destroy())
  const second = silent(t, tls as number)
  await second.connected
  const third = silent(t, tcp as number)
  await third.closed
  const elsewhere = await connect(t, server, '127.0.0.2')
  await elsewhere.open()
  assert.equal(await metric(server, 'connections{kind="c2s",transport="tcp"}'), 2)
  assert.equal(await metric(server, 'connections{kind="c2s",transport="tls"}'), 1)
  assert.equal(await metric(server, 'connections_refused_total{kind="c2s",reason="address"}'), 1)
  const refused = new WebSocket(`ws://127.0.0.1:${server.ports.ws}/xmpp-websocket`, 'xmpp')
  const status = await new Promise(resolve => {
    refused.on('unexpected-response', (_request, response) => {
      response.resume()
      resolve(response.statusCode)
    })
  })
  assert.equal(status, 429)
  first.destroy()
  await first.isClosed()
  // The place is free as soon as the server has seen the end
  for (let tries = 0; (await metric(server, 'connections{kind="c2s",transport="tcp"}')) > 1; tries++) {
    assert.ok(tries < 1000, 'the connection has gone')
    await new Promise(setImmediate)
  }
  const again = await connect(t, server)
  await again.open()
})

test('new connections of an address have a rate', async t => {
  const server = await withLimits(t, { c2s: { connectionsPerMinute: 3 } })
  const sockets = Array.from({ length: 5 }, () => silent(t, server.ports.tcp as number))
  await Promise.race([sockets[3]?.closed, sockets[4]?.closed])
  assert.ok((await metric(server, 'connections_refused_total{kind="c2s",reason="rate"}')) >= 1)
  const elsewhere = await connect(t, server, '127.0.0.3')
  await elsewhere.open()
  const lines = server.log.filter(({ level, msg }) => level === 'warn' && /too many come/.test(msg ?? ''))
  assert.equal(lines.length, 1, 'one line, however many are refused')
})

test('where too many have not logged in the oldest makes room; who has logged in stays', async t => {
  const server = await withLimits(t, { unauthenticated: 2 })
  const juliet = await join(server, 'juliet', { jid: 'juliet@localhost' })
  t.after(() => juliet.destroy())
  const port = server.ports.tcp as number
  const [first, second, third] = [silent(t, port), silent(t, port), silent(t, port)]
  await first.closed
  await Promise.all([second.connected, third.connected])
  const romeo = await join(server, 'romeo', { jid: 'romeo@localhost' })
  t.after(() => romeo.destroy())
  await second.closed
  await juliet.fence()
  await romeo.fence()
})

test('a proxy that is trusted says whose connection it is', async t => {
  const server = await startTestServer(t, {
    modules: { limits: { trusted: [], c2s: { connectionsPerAddress: 1 } } },
    config: { http: { listen: [{ address: '127.0.0.1', port: 0 }], trustedProxies: ['127.0.0.1'] } }
  })
  const open = (address: string): Promise<string> => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.ports.ws}/xmpp-websocket`, 'xmpp', {
      headers: { 'X-Forwarded-For': `127.0.0.1, ${address}` }
    })
    t.after(() => socket.terminate())
    return new Promise(resolve => {
      socket.on('open', () => resolve('open'))
      socket.on('error', error => resolve(error.message))
    })
  }
  assert.equal(await open('203.0.113.9'), 'open')
  assert.equal(await open('203.0.113.10'), 'open')
  assert.match(await open('203.0.113.9'), /429/)
  const addresses = server.server.listeners.streams().map(({ remoteAddress }) => remoteAddress)
  assert.deepEqual(addresses.sort(), ['203.0.113.10', '203.0.113.9'])
})

test('RFC 6120 §6.4.5: failed logins are slowed down, for that account from that address', async t => {
  const login = { freePerAccountAndAddress: 1, longestDelaySeconds: 30 }
  const server = await withLimits(t, { login })
  await server.addUser('juliet@localhost', PASSWORD)
  const guesses = async (localAddress: string): Promise<TestClient> => {
    const client = await connect(t, server, localAddress)
    await client.open()
    await client.startTls()
    return client
  }
  const mallory = await guesses('127.0.0.1')
  for (let i = 0; i < 3; i++) assert.equal(await tries(mallory, 'wrong'), 'not-authorized')
  assert.equal(
    await metric(server, 'login_delays_total'),
    0,
    'the third attempt is the one that makes others wait'
  )
  assert.equal(await tries(mallory, 'wrong'), 'not-authorized')
  assert.equal(await metric(server, 'login_delays_total'), 1)
  // Her own address is another one, and is not asked to wait
  const juliet = await guesses('127.0.0.2')
  assert.equal(await tries(juliet, PASSWORD), '')
  assert.equal(await metric(server, 'login_delays_total'), 1)
  assert.equal(await metric(server, 'login_failures_total'), 4)
})

test('attempts that would wait too long are not looked at, with the right password neither', async t => {
  const login = { freePerAccountAndAddress: 1, longestDelaySeconds: 30 }
  const server = await withLimits(t, { login })
  await server.addUser('juliet@localhost', PASSWORD)
  const { pace } = server.server.limits.logins
  for (let i = 0; i < 12; i++) {
    pace.begin('juliet@localhost', '127.0.0.1', true)
    pace.failed('juliet@localhost', '127.0.0.1', true)
  }
  const mallory = await connect(t, server)
  await mallory.open()
  await mallory.startTls()
  assert.equal(await tries(mallory, PASSWORD), 'temporary-auth-failure')
  assert.equal(await metric(server, 'login_refused_total'), 1)
  assert.deepEqual(server.errors(), [])
  const juliet = await connect(t, server, '127.0.0.2')
  await juliet.login({ user: 'juliet', password: PASSWORD, mechanism: 'PLAIN' })
})

test('passwords are checked a few at a time: many who try do not keep everybody else waiting', async t => {
  const server = await withLimits(t, { login: { freePerAddress: 10_000, freePerAccount: 10_000 } })
  const { derivations } = server.server.limits.logins
  await server.addUser('romeo@localhost', PASSWORD)
  const crowd = await Promise.all(
    Array.from({ length: 30 }, async () => {
      const client = await connect(t, server)
      await client.open()
      await client.startTls()
      return client
    })
  )
  const failures = crowd.map((client, i) => tries(client, 'wrong', `user${i}`))
  const romeo = await connect(t, server, '127.0.0.2')
  await romeo.login({ user: 'romeo', password: PASSWORD, mechanism: 'PLAIN' })
  assert.deepEqual(new Set(await Promise.all(failures)), new Set(['not-authorized']))
  assert.equal(derivations.waiting, 0)
})

test('who takes nothing of what waits for it is closed after a time; who is slow is not', async t => {
  const server = await withLimits(t, { unreadSeconds: 1, c2s: { bytesPerSecond: 0 } })
  const deaf = await join(server, 'deaf', { jid: 'deaf@localhost' })
  const slow = await join(server, 'slow', { jid: 'slow@localhost' })
  const romeo = await join(server, 'romeo', { jid: 'romeo@localhost' })
  t.after(() => [deaf, slow, romeo].forEach(client => client.destroy()))
  const socketOf = (client: TestClient): net.Socket =>
    (client.channel as unknown as { socket: net.Socket }).socket
  const gone = new Promise<string>(resolve => {
    const [session] = server.server.domains.get('localhost')?.sessions.of('deaf').values() ?? []
    assert.ok(session)
    const timer = setInterval(() => {
      if (!session.closed) return
      clearInterval(timer)
      resolve('closed')
    }, 50)
    t.after(() => clearInterval(timer))
  })
  socketOf(deaf).pause()
  // Reads for a moment, and then not for a while
  let reading = false
  const slowly = setInterval(() => {
    reading = !reading
    if (reading) socketOf(slow).resume()
    else socketOf(slow).pause()
  }, 100)
  t.after(() => clearInterval(slowly))
  const body = 'x'.repeat(50_000)
  for (let i = 0; i < 100; i++)
    for (const client of [deaf, slow]) {
      romeo.write(`<message to='${client.jid}' id='${i}'><body>${body}</body></message>`)
      if (i % 10 === 0) await romeo.fence()
    }
  assert.equal(await gone, 'closed')
  clearInterval(slowly)
  socketOf(slow).resume()
  for (let i = 0; i < 100; i++) await slow.receives(`<message id='${i}'/>`)
  assert.equal(await metric(server, 'unread_closed_total{kind="c2s"}'), 1)
})

test('what waits for all who do not read has a bound in all', async t => {
  const server = await startTestServer(t, {
    modules: { limits: { c2s: { bytesPerSecond: 0, stanzasPerSecond: 0 } } },
    config: { limits: { unreadBytesInAll: 2_000_000, unreadBytes: 8_000_000 } }
  })
  const romeo = await join(server, 'romeo', { jid: 'romeo@localhost' })
  const deaf = await Promise.all(
    Array.from({ length: 4 }, (_, i) => join(server, `deaf${i}`, { jid: `deaf${i}@localhost` }))
  )
  t.after(() => [romeo, ...deaf].forEach(client => client.destroy()))
  for (const client of deaf) client.channel.pause()
  const sessions = deaf.map(
    (_, i) => [...(server.server.domains.get('localhost')?.sessions.of(`deaf${i}`).values() ?? [])][0]
  )
  const body = 'x'.repeat(100_000)
  for (let i = 0; i < 300 && !sessions.some(session => session?.closed); i++) {
    for (const client of deaf) romeo.write(`<message to='${client.jid}'><body>${body}</body></message>`)
    if (i % 5 === 0) await romeo.fence()
    assert.ok((await metric(server, 'unread_output')) <= 2_500_000)
  }
  assert.ok(sessions.some(session => session?.closed))
  await romeo.fence()
})

test('the module is swapped under connections, and what it says ends with it', async t => {
  const server = await withLimits(t, { c2s: { connectionsPerAddress: 1 } })
  const juliet = await join(server, 'juliet', { jid: 'juliet@localhost' })
  t.after(() => juliet.destroy())
  assert.ok((await server.server.manager.reload('limits')).ok)
  await juliet.fence()
  await silent(t, server.ports.tcp as number).closed
  assert.equal(await metric(server, 'connections{kind="c2s",transport="tcp"}'), 1)
  assert.ok((await server.server.api.modules.unload('limits')).ok)
  const romeo = await connect(t, server)
  await romeo.open()
  await juliet.fence()
})
