import assert from 'node:assert'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import type WebSocket from 'ws'
import { el } from '../../../core/xml/element'
import { NS } from '../../../core/xml/namespaces'
import { mechanismsOf } from '../../lib/sasl'
import type { TestClient } from '../../lib/client'
import { Raw } from './lib/raw'
import { DOMAIN, endsWith, JULIET, rig, type Rig } from './lib/rig'

const ws = { transport: 'ws' } as const
const webSocket = {}

test('RFC 7395 §3: login, stanzas, close', async t => {
  const { login, backend } = await rig(t, { webSocket })
  const juliet = await login('balcony', ws)
  juliet.send(`<message to='romeo@${DOMAIN}' id='1'><body>Art thou not Romeo?</body></message>`)
  await juliet.receives(`<message id='1'><body>Art thou not Romeo?</body></message>`)
  await juliet.close()
  assert.ok(juliet.ended)
  assert.deepEqual(
    backend.told.map(({ what }) => what),
    ['authenticated', 'bound', 'stanza', 'closed']
  )
  const { session } = backend.told[0] ?? assert.fail()
  assert.equal(session.transport, 'websocket')
  assert.equal(session.secure, false)
  assert.equal(session.remoteAddress, '127.0.0.1')
})

test('RFC 7395 §3.4: the header', async t => {
  const { connect } = await rig(t, { webSocket })
  const juliet = await connect(ws)
  await juliet.open({ from: `juliet@${DOMAIN}`, 'xml:lang': 'de' })
  const { id, ...others } = juliet.header ?? {}
  assert.deepEqual(others, {
    xmlns: NS.FRAMING,
    from: DOMAIN,
    to: `juliet@${DOMAIN}`,
    version: '1.0',
    'xml:lang': 'en'
  })
  assert.match(id ?? '', /^[\w-]{20}$/)
})

test('RFC 7395 §3.9: no STARTTLS, and PLAIN only over wss', async t => {
  const { connect } = await rig(t, { webSocket, settings: { tls: 'optional' } })
  const plain = await connect(ws)
  const offered = await plain.open()
  assert.deepEqual(
    offered.getChildElements().map(({ name }) => name),
    ['mechanisms', 'limits']
  )
  assert.deepEqual(mechanismsOf(offered), ['SCRAM-SHA-256', 'SCRAM-SHA-1'])
  plain.write(`<starttls xmlns='${NS.TLS}'/>`)
  await plain.receives(`<failure xmlns='${NS.TLS}'/>`)
  await plain.isClosed()

  const secure = await connect({ transport: 'wss' })
  assert.deepEqual(mechanismsOf(await secure.open()), ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'])
  await secure.authenticate({ ...JULIET, mechanism: 'PLAIN' })
  await secure.bind('balcony')
  await secure.fence()
})

test('behind a proxy that speaks TLS a stream is taken for protected', async t => {
  const { connect } = await rig(t, { webSocket: { assumeSecure: true } })
  const juliet = await connect(ws)
  assert.deepEqual(mechanismsOf(await juliet.open()), ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'])
})

test('tls: required refuses streams that are not protected', async t => {
  const { connect } = await rig(t, { webSocket, settings: { tls: 'required' } })
  const juliet = await connect(ws)
  juliet.channel.open({ to: DOMAIN })
  await endsWith(juliet, 'policy-violation')
  const secure = await connect({ transport: 'wss' })
  await secure.open()
})

const first: Array<[what: string, sent: string | Buffer, condition: string]> = [
  ['a binary frame', Buffer.from(`<open xmlns='${NS.FRAMING}' to='${DOMAIN}' version='1.0'/>`), 'bad-format'],
  [
    'an <open/> in another namespace',
    `<open xmlns='jabber:client' to='${DOMAIN}' version='1.0'/>`,
    'invalid-namespace'
  ],
  [
    'a header of TCP',
    `<stream:stream xmlns:stream='${NS.STREAM}' to='${DOMAIN}' version='1.0'>`,
    'not-well-formed'
  ],
  [
    'the same, closed',
    `<stream:stream xmlns:stream='${NS.STREAM}' to='${DOMAIN}' version='1.0'/>`,
    'bad-format'
  ],
  ['a stanza', `<message xmlns='jabber:client'/>`, 'bad-format'],
  ['white space', ' ', 'bad-format'],
  ['nothing', '', 'bad-format'],
  ['half an element', '<open ', 'not-well-formed'],
  ['two elements', `<open xmlns='${NS.FRAMING}' to='${DOMAIN}' version='1.0'/><a/>`, 'not-well-formed'],
  ['an unknown host', `<open xmlns='${NS.FRAMING}' to='example.net' version='1.0'/>`, 'host-unknown'],
  ['no version', `<open xmlns='${NS.FRAMING}' to='${DOMAIN}'/>`, 'unsupported-version'],
  ['too much', `<open xmlns='${NS.FRAMING}' to='${DOMAIN}' a='${'x'.repeat(20_000)}'/>`, 'policy-violation']
]

for (const [what, sent, condition] of first) {
  test(`${what} for a header is ${condition}`, async t => {
    const { connect } = await rig(t, { webSocket })
    const juliet = await connect(ws)
    juliet.write(sent)
    await endsWith(juliet, condition)
  })
}

const later: Array<[what: string, sent: string | Buffer, condition: string]> = [
  ['a binary frame', Buffer.from(`<message xmlns='jabber:client'/>`), 'bad-format'],
  ['white space, as for keepalive', ' ', 'bad-format'],
  ['two stanzas', `<message xmlns='jabber:client'/><message xmlns='jabber:client'/>`, 'not-well-formed'],
  ['half a stanza', `<message xmlns='jabber:client'><body>`, 'not-well-formed'],
  ['a comment', `<!-- --><message xmlns='jabber:client'/>`, 'restricted-xml'],
  ['another <open/>', `<open xmlns='${NS.FRAMING}' to='${DOMAIN}' version='1.0'/>`, 'bad-format'],
  ['an unknown element', `<enable xmlns='urn:xmpp:sm:3'/>`, 'unsupported-stanza-type'],
  ['a stanza of servers', `<message xmlns='jabber:server'/>`, 'invalid-namespace'],
  [
    'a stanza beyond the limit',
    `<message xmlns='jabber:client'><body>${'x'.repeat(270_000)}</body></message>`,
    'policy-violation'
  ]
]

for (const [what, sent, condition] of later) {
  test(`online, ${what} is ${condition}`, async t => {
    const { login, backend } = await rig(t, { webSocket })
    const juliet = await login('balcony', ws)
    juliet.write(sent)
    await endsWith(juliet, condition)
    assert.equal(backend.count('stanza'), 0)
    assert.equal(backend.count('closed'), 1)
  })
}

test('a frame far beyond the limit cuts the connection off', async t => {
  const one = await rig(t, { webSocket })
  const juliet = await one.login('balcony', ws)
  const { socket } = juliet.channel as unknown as { socket: WebSocket }
  const code = new Promise(resolve => socket.once('close', resolve))
  juliet.write(`<message xmlns='jabber:client'><body>${'x'.repeat(2 * 1024 * 1024)}</body></message>`)
  assert.equal(await code, 1009)
  while (one.backend.count('closed') === 0) await new Promise(setImmediate)
  assert.equal(one.backend.count('stanza'), 0)
})

test('bytes that are no UTF-8 cut the connection off', async t => {
  const one = await rig(t, { webSocket })
  const juliet = await one.login('balcony', ws)
  const { socket } = juliet.channel as unknown as { socket: WebSocket }
  const code = new Promise(resolve => socket.once('close', resolve))
  socket.send(Buffer.from([0x3c, 0xc3, 0x28]), { binary: false })
  assert.equal(await code, 1007)
})

test('RFC 7395 §3.6: the server closes', async t => {
  const one = await rig(t, { webSocket })
  const juliet = await one.login('balcony', ws)
  const session = one.backend.told.at(-1)?.session
  session?.close()
  while (!juliet.ended) await new Promise(setImmediate)
  juliet.channel.close()
  await juliet.isClosed()
})

test('a connection that breaks ends the session', async t => {
  const one = await rig(t, { webSocket })
  const juliet = await one.login('balcony', ws)
  juliet.destroy()
  while (one.backend.count('closed') === 0) await new Promise(setImmediate)
  assert.equal(one.listeners.size, 0)
})

test('RFC 7395 §3.3.3: every frame declares its namespaces', async t => {
  const one = await rig(t, { webSocket })
  const juliet = await one.login('balcony', ws)
  const { socket } = juliet.channel as unknown as { socket: WebSocket }
  const frames: string[] = []
  const three = new Promise<void>(resolve => {
    socket.on('message', (data: Buffer) => {
      if (frames.push(data.toString()) === 4) resolve()
    })
  })
  const session = one.backend.told.at(-1)?.session
  session?.send(el('message', { id: '1' }, el('body', null, 'a > b')))
  session?.send(el('presence'))
  session?.sendRaw(`<iq a="x > y" type="result"/>`)
  session?.sendRaw(`<r xmlns="urn:xmpp:sm:3"/>`)
  await three
  assert.deepEqual(frames, [
    `<message xmlns='jabber:client' id="1"><body>a &gt; b</body></message>`,
    `<presence xmlns='jabber:client'/>`,
    `<iq xmlns='jabber:client' a="x > y" type="result"/>`,
    `<r xmlns="urn:xmpp:sm:3"/>`
  ])
})

test('ping frames keep a connection, and find one that is dead', async t => {
  const one = await rig(t, { webSocket, settings: { silence: 100, silenceAnswer: 1000 } })
  const juliet = await one.login('balcony', ws)
  const { socket } = juliet.channel as unknown as { socket: WebSocket }
  let pings = 0
  await new Promise<void>(resolve => socket.on('ping', () => ++pings === 3 && resolve()))
  await juliet.fence()
})

test('a client that does not read is cut off', async t => {
  const one = await rig(t, { webSocket, settings: { maxOutput: 400_000 } })
  const juliet = await one.login('balcony', ws)
  const session = one.backend.told.at(-1)?.session
  juliet.channel.pause()
  const message = el('message', null, el('body', null, 'x'.repeat(10_000)))
  for (let sent = 0; session && !session.closed && sent < 10_000; sent++) {
    session.send(message)
    if (sent % 10 === 0) await new Promise(setImmediate)
  }
  assert.ok(session?.closed)
})

test('a client that reads late gets everything', async t => {
  const one = await rig(t, { webSocket, settings: { maxOutput: 64 * 1024 * 1024 } })
  const juliet = await one.login('balcony', ws)
  const session = one.backend.told.at(-1)?.session
  juliet.channel.pause()
  for (let i = 0; i < 1000; i++) {
    session?.send(el('message', { id: String(i) }, el('body', null, 'x'.repeat(10_000))))
    if (i % 50 === 0) await new Promise(setImmediate)
  }
  juliet.channel.resume()
  for (let i = 0; i < 1000; i++) await juliet.receives(`<message id='${i}'/>`)
})

test('system-shutdown', async t => {
  const one = await rig(t, { webSocket })
  const clients: TestClient[] = [await one.login('balcony', ws), await one.connect(ws)]
  await one.listeners.close()
  for (const client of clients) await endsWith(client, 'system-shutdown')
})

async function upgrade(one: Rig, headers: Record<string, string | undefined>, path = '/xmpp-websocket') {
  const raw = await Raw.connect(one.ports.ws)
  const all: Record<string, string | undefined> = {
    Host: DOMAIN,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': 'xmpp',
    ...headers
  }
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}\r\n`]
  )
  raw.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  await raw.until('\r\n\r\n')
  const answer = raw.text
  raw.destroy()
  return answer
}

test('RFC 7395 §3.1: the handshake', async t => {
  const one = await rig(t, { webSocket })
  const fine = await upgrade(one, { 'Sec-WebSocket-Extensions': 'permessage-deflate' })
  assert.match(fine, /^HTTP\/1\.1 101 /)
  assert.match(fine, /\r\nSec-WebSocket-Protocol: xmpp\r\n/i)
  assert.doesNotMatch(fine, /extensions/i)
  assert.match(await upgrade(one, { 'Sec-WebSocket-Protocol': 'chat, xmpp' }), /Protocol: xmpp\r\n/i)
  assert.match(await upgrade(one, { 'Sec-WebSocket-Protocol': undefined }), /^HTTP\/1\.1 400 /)
  assert.match(await upgrade(one, { 'Sec-WebSocket-Protocol': 'chat' }), /^HTTP\/1\.1 400 /)
  assert.match(await upgrade(one, { 'Sec-WebSocket-Protocol': 'xmpp, xmpp' }), /^HTTP\/1\.1 400 /)
  assert.match(await upgrade(one, { 'Sec-WebSocket-Version': '99' }), /^HTTP\/1\.1 400 /)
  assert.match(await upgrade(one, { 'Sec-WebSocket-Key': 'x' }), /^HTTP\/1\.1 400 /)
  assert.match(await upgrade(one, { Upgrade: 'h2c' }), /^HTTP\/1\.1 400 /)
  assert.match(await upgrade(one, {}, '/'), /^HTTP\/1\.1 404 /)
  assert.match(await upgrade(one, {}, '/xmpp-websocket/'), /^HTTP\/1\.1 404 /)
  assert.match(await upgrade(one, {}, '/xmpp-websocket?a=b'), /^HTTP\/1\.1 101 /)
})

test('strophe.js 1: a challenge of SCRAM has nothing but what RFC 5802 §7 names', async t => {
  const { connect } = await rig(t, { webSocket })
  const juliet = await connect(ws)
  await juliet.open()
  juliet.write(`<auth xmlns='${NS.SASL}' mechanism='SCRAM-SHA-256'>${btoa('n,,n=juliet,r=nonce')}</auth>`)
  const challenge = atob((await juliet.receives(`<challenge xmlns='${NS.SASL}'/>`)).getText())
  assert.match(challenge, /^r=nonce[^,]+,s=[^,]+,i=\d+$/)
})

test('RFC 6455 §10.2: pages of other origins', async t => {
  const one = await rig(t, { webSocket: { origins: ['https://chat.example.org'] } })
  assert.match(await upgrade(one, { Origin: 'https://chat.example.org' }), /^HTTP\/1\.1 101 /)
  assert.match(await upgrade(one, { Origin: 'HTTPS://Chat.Example.org' }), /^HTTP\/1\.1 101 /)
  assert.match(await upgrade(one, {}), /^HTTP\/1\.1 101 /)
  for (const Origin of [
    'https://example.org',
    'http://chat.example.org',
    'https://chat.example.org:8443',
    'null',
    ''
  ])
    assert.match(await upgrade(one, { Origin }), /^HTTP\/1\.1 403 /)
})
