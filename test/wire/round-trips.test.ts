import assert from 'node:assert/strict'
import net, { type AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { childOf } from '../../core/xml/element'
import type { Element } from '../../core/xml/element'
import { NS } from '../../core/xml/namespaces'
import { TcpChannel } from '../lib/channel'
import { TestClient } from '../lib/client'
import { IM_HOST, type Options } from '../lib/config'
import { authenticate2, authenticateXml } from '../lib/sasl2'
import { scramRun } from '../lib/sasl'
import { startTestServer, type TestServer } from '../lib/server'
import { Turns } from '../lib/turns'
import { PASSWORD } from '../lib/wire'

/*
 * How often a client has to wait for the server until it can chat, by SCRAM, which takes two round trips itself. TCP
 * and TLS are counted apart.
 */

const SM = 'urn:xmpp:sm:3'
const JULIET = { user: 'juliet', password: PASSWORD, mechanism: 'SCRAM-SHA-256' }
const ENABLE = `<enable xmlns='${SM}' resume='true'/>`
const BIND = `<iq type='set' id='bind'><bind xmlns='${NS.BIND}'/></iq>`
const BIND2 = `<bind xmlns='${NS.BIND2}'>${ENABLE}</bind>`

/** Header and features, and SCRAM: what cannot be less where the features are not known before. */
const SASL = 3

async function start(t: TestContext): Promise<TestServer> {
  const modules = { ...(IM_HOST.modules as Options), sasl2: {}, smacks: {} }
  const server = await startTestServer(t, { hosts: { localhost: { modules } } })
  await server.addUser('juliet@localhost', PASSWORD)
  return server
}

interface Counted {
  juliet: TestClient
  turns: Turns
}

/** Connected, by direct TLS; what is counted begins after the handshake. */
async function connected(t: TestContext, server: TestServer): Promise<Counted> {
  const port = server.ports.tls as number
  const options = { port, domain: 'localhost', transport: 'tls', name: 'juliet' } as const
  const juliet = await TestClient.connect(options)
  t.after(() => juliet.destroy())
  assert.ok(juliet.tlsSocket)
  return { juliet, turns: Turns.of(juliet.tlsSocket) }
}

/** Up to `</success>` of RFC 6120. */
async function sasl(juliet: TestClient): Promise<void> {
  const run = scramRun(juliet, JULIET, JULIET.mechanism)
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  juliet.write(`<auth xmlns='${NS.SASL}' mechanism='SCRAM-SHA-256'>${base64(run.first())}</auth>`)
  const challenge = Buffer.from((await juliet.next()).getText(), 'base64').toString()
  juliet.write(`<response xmlns='${NS.SASL}'>${base64(run.final(challenge))}</response>`)
  await juliet.receives(`<success xmlns='${NS.SASL}'/>`)
}

/** Opens a stream and sends this behind the header, without waiting. */
async function openWith(juliet: TestClient, ...more: string[]): Promise<void> {
  juliet.channel.open({ to: 'localhost' })
  for (const xml of more) juliet.write(xml)
  assert.equal((await juliet.next('the features')).name, 'features')
}

/** A session that is cut, to be resumed. */
async function cutSession(t: TestContext, server: TestServer): Promise<string> {
  const { juliet } = await connected(t, server)
  await juliet.open()
  const success = await authenticate2(juliet, { ...JULIET, inline: BIND2 })
  const enabled = childOf(childOf(success, 'bound', NS.BIND2) as Element, 'enabled', SM)
  juliet.destroy()
  return `<resume xmlns='${SM}' h='0' previd='${String(enabled?.attrs.id)}'/>`
}

test('RFC 6120: a client that waits for everything takes 5, one more with stream management', async t => {
  const server = await start(t)
  const { juliet, turns } = await connected(t, server)
  await juliet.open()
  await sasl(juliet)
  assert.equal(turns.count, SASL)
  await juliet.open()
  await juliet.bind()
  assert.equal(turns.count, SASL + 2)
  juliet.write(ENABLE)
  await juliet.receives(`<enabled xmlns='${SM}'/>`)
  assert.equal(turns.count, SASL + 3)
})

test('RFC 6120: one that does not wait where it need not takes 4, stream management included', async t => {
  const server = await start(t)
  const { juliet, turns } = await connected(t, server)
  await juliet.open()
  await sasl(juliet)
  await openWith(juliet, BIND, ENABLE)
  await juliet.receives(`<iq type='result' id='bind'><bind xmlns='${NS.BIND}'/></iq>`)
  await juliet.receives(`<enabled xmlns='${SM}'/>`)
  assert.equal(turns.count, SASL + 1)
})

test('RFC 6120: resumption takes one more than SASL', async t => {
  const server = await start(t)
  const resume = await cutSession(t, server)
  const { juliet, turns } = await connected(t, server)
  await juliet.open()
  await sasl(juliet)
  await openWith(juliet, resume)
  await juliet.receives(`<resumed xmlns='${SM}'/>`)
  assert.equal(turns.count, SASL + 1)
})

test('SASL2: binding and stream management take no more than SASL', async t => {
  const server = await start(t)
  const { juliet, turns } = await connected(t, server)
  await juliet.open()
  const success = await authenticate2(juliet, { ...JULIET, inline: BIND2 })
  assert.ok(childOf(childOf(success, 'bound', NS.BIND2) as Element, 'enabled', SM))
  assert.equal(turns.count, SASL)
})

test('SASL2: resumption takes no more than SASL', async t => {
  const server = await start(t)
  const resume = await cutSession(t, server)
  const { juliet, turns } = await connected(t, server)
  await juliet.open()
  const success = await authenticate2(juliet, { ...JULIET, inline: resume + BIND2 })
  assert.ok(childOf(success, 'resumed', SM))
  assert.equal(turns.count, SASL)
})

test('SASL2: nor does a resumption that fails, and binds', async t => {
  const server = await start(t)
  const { juliet, turns } = await connected(t, server)
  await juliet.open()
  const resume = `<resume xmlns='${SM}' h='0' previd='gone'/>`
  const success = await authenticate2(juliet, { ...JULIET, inline: resume + BIND2 })
  assert.ok(childOf(success, 'failed', SM) && childOf(success, 'bound', NS.BIND2))
  assert.equal(turns.count, SASL)
})

test('SASL2: a client that remembers the features takes SCRAM’s two', async t => {
  const server = await start(t)
  const resume = await cutSession(t, server)
  const { juliet, turns } = await connected(t, server)
  const run = scramRun(juliet, JULIET, JULIET.mechanism)
  await openWith(juliet, authenticateXml(JULIET.mechanism, run.first(), resume))
  const challenge = Buffer.from((await juliet.next()).getText(), 'base64').toString()
  const answer = Buffer.from(run.final(challenge)).toString('base64')
  juliet.write(`<response xmlns='${NS.SASL2}'>${answer}</response>`)
  assert.ok(childOf(await juliet.next(), 'resumed', SM))
  assert.equal(turns.count, SASL - 1)
})

// --- what lies below

/** Counts what passes between a client and the server, below TLS. */
async function watched(t: TestContext, port: number): Promise<{ port: number; turns: Turns }> {
  const turns = new Turns()
  const listener = net.createServer(socket => {
    const away = net.connect({ host: '127.0.0.1', port })
    socket.on('error', () => away.destroy()).on('close', () => away.destroy())
    away.on('error', () => socket.destroy()).on('close', () => socket.destroy())
    socket.on('data', chunk => {
      turns.spoke()
      away.write(chunk)
    })
    away.on('data', chunk => {
      turns.heard()
      socket.write(chunk)
    })
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  t.after(() => listener.close())
  return { port: (listener.address() as AddressInfo).port, turns }
}

test('TLS 1.3 takes 1, TLS 1.2 takes 2, and 1 where its session is resumed', async t => {
  const server = await start(t)
  const handshake = async (tls: object): Promise<{ count: number; juliet: TestClient }> => {
    const { port, turns } = await watched(t, server.ports.tls as number)
    const juliet = await TestClient.connect({ port, domain: 'localhost', transport: 'tls', tls })
    const { count } = turns
    t.after(() => juliet.destroy())
    await juliet.open()
    return { count, juliet }
  }
  assert.equal((await handshake({ minVersion: 'TLSv1.3' })).count, 1)
  const { count, juliet } = await handshake({ maxVersion: 'TLSv1.2' })
  assert.equal(count, 2)
  const session = juliet.tlsSocket?.getSession()
  const again = await handshake({ maxVersion: 'TLSv1.2', session })
  assert.ok(again.juliet.tlsSocket?.isSessionReused())
  assert.equal(again.count, 1)
})

test('STARTTLS takes 2 more than direct TLS', async t => {
  const server = await start(t)
  const port = server.ports.tcp as number
  const juliet = await TestClient.connect({ port, domain: 'localhost', name: 'juliet' })
  t.after(() => juliet.destroy())
  assert.ok(juliet.channel instanceof TcpChannel)
  const turns = Turns.of(juliet.channel.rawSocket)
  await juliet.open()
  juliet.write(`<starttls xmlns='${NS.TLS}'/>`)
  await juliet.receives(`<proceed xmlns='${NS.TLS}'/>`)
  assert.equal(turns.count, 2)
  await juliet.channel.secure()
  await openWith(juliet)
})
