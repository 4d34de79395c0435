import assert from 'node:assert'
import net from 'node:net'
import test from 'node:test'
import { StreamError } from '../../../core/errors'
import type { StreamSession } from '../../../core/streams/backend'
import { watched } from '../../../core/streams/sweeper'
import { el } from '../../../core/xml/element'
import { NS } from '../../../core/xml/namespaces'
import { conditionOf } from '../../lib/client'
import { Raw } from './lib/raw'
import { DOMAIN, endsWith, header, rig, type Rig } from './lib/rig'

function boundSession({ backend }: Rig): StreamSession {
  const told = backend.told.findLast(({ what }) => what === 'bound')
  assert.ok(told)
  return told.session
}

function closedFor({ backend }: Rig): string[] {
  return backend.told.flatMap(told => (told.what === 'closed' ? [told.reason] : []))
}

test('RFC 6120 §4.4: the client ends its stream, the server its own, and the connection', async t => {
  for (const transport of ['tcp', 'tls'] as const) {
    const one = await rig(t)
    const juliet = await one.login('balcony', { transport })
    juliet.write(`<message id='last' to='romeo@${DOMAIN}'/></stream:stream>`)
    await juliet.receives(`<message id='last'/>`)
    await juliet.isClosed()
    assert.ok(juliet.ended)
    assert.deepEqual(closedFor(one), ['the peer ended the stream'])
    await one.listeners.close()
  }
})

test('RFC 6120 §4.4: the server ends its stream, hears the client out, and ends the connection', async t => {
  const one = await rig(t, { plain: true })
  const juliet = await one.login('balcony')
  const session = boundSession(one)
  session.close()
  assert.equal(session.closed, true)
  assert.equal(one.backend.host(DOMAIN)?.sessions.count, 0)
  juliet.write(`<message id='late'/></stream:stream>`)
  await juliet.isClosed()
  assert.ok(juliet.ended)
  assert.equal(one.backend.count('stanza'), 0)
})

test('RFC 6120 §4.4: a client that does not end its stream has a bounded time for it', async t => {
  const one = await rig(t, { plain: true, settings: { closeTimeout: 200 } })
  const juliet = await one.login('balcony')
  boundSession(one).close()
  await juliet.isClosed()
  assert.ok(juliet.ended)
})

test('a client that only shuts down its side', async t => {
  const one = await rig(t, { plain: true })
  const juliet = await one.login('balcony')
  juliet.write(`<message id='last' to='romeo@${DOMAIN}'/>`)
  juliet.channel.endWriting()
  await juliet.receives(`<message id='last'/>`)
  await juliet.isClosed()
  assert.ok(juliet.ended)
  assert.equal(closedFor(one).length, 1)
})

test('a connection that breaks', async t => {
  const one = await rig(t, { plain: true })
  const juliet = await one.login('balcony')
  const { socket } = juliet.channel as unknown as { socket: net.Socket }
  socket.resetAndDestroy()
  await gone(one)
  assert.match(closedFor(one)[0] ?? '', /ECONNRESET/)
})

/** Resolves when the server has no connection any more. */
async function gone({ listeners }: Rig): Promise<void> {
  while (listeners.size > 0) await new Promise(setImmediate)
}

test('a stream error of the client ends the stream', async t => {
  const one = await rig(t, { plain: true })
  const juliet = await one.login('balcony')
  juliet.write(
    `<stream:error xmlns:stream='${NS.STREAM}'><undefined-condition xmlns='${NS.STREAM_ERRORS}'/></stream:error>`
  )
  await juliet.isClosed()
  assert.ok(juliet.ended)
  assert.deepEqual(juliet.unread, [])
})

test('RFC 6120 §4.9.1.1: a client that ignores a stream error is dropped', async t => {
  const one = await rig(t, { plain: true })
  const juliet = await one.login('balcony')
  boundSession(one).close(new StreamError('conflict', 'see you', el('app', 'urn:example')))
  const error = await juliet.next('an error')
  assert.equal(conditionOf(error), 'conflict')
  assert.equal(error.getChild('app')?.attrs.xmlns, 'urn:example')
  await juliet.isClosed()
})

test('system-shutdown for everybody, whatever the stream is at', async t => {
  const one = await rig(t)
  const silent = await one.connect()
  const header = await one.connect()
  await header.open()
  const online = await one.login('balcony')
  const tls = await one.login('garden', { transport: 'tls' })
  const handshake = net.connect({ host: '127.0.0.1', port: one.ports.tls })
  handshake.on('error', () => {}).resume()
  await new Promise(resolve => handshake.once('connect', resolve))
  await one.listeners.close()
  for (const client of [silent, header, online, tls]) await endsWith(client, 'system-shutdown')
  assert.equal(one.listeners.size, 0)
  await assert.rejects(one.connect())
})

test('shutdown does not wait for clients that hang on', async t => {
  const one = await rig(t, { plain: true })
  const juliet = await one.login('balcony')
  const { socket } = juliet.channel as unknown as { socket: net.Socket }
  // Half-open: the server's end does not end the client's.
  socket.allowHalfOpen = true
  socket.removeAllListeners('end')
  await one.listeners.close(undefined, 200)
  assert.equal(one.listeners.size, 0)
})

test('a client that does not log in is sent away', async t => {
  const one = await rig(t, { plain: true, settings: { authTimeout: 300 } })
  const says = await one.connect()
  await says.open()
  await endsWith(says, 'connection-timeout')
  const silent = await one.connect()
  await endsWith(silent, 'connection-timeout')
  const dribbles = await Raw.connect(one.ports.tcp)
  const timer = setInterval(() => dribbles.write(' '), 20)
  await dribbles.end()
  clearInterval(timer)
  assert.match(dribbles.text, /connection-timeout/)
})

test('a client that is logged in may be silent', async t => {
  const one = await rig(t, { plain: true, settings: { authTimeout: 600 } })
  const juliet = await one.login('balcony')
  const late = await one.connect()
  await late.isClosed()
  await juliet.fence()
})

test('RFC 6120 §4.6: a silent client is asked; one that answers stays', async t => {
  const one = await rig(t, { plain: true, settings: { silence: 100, silenceAnswer: 100_000 } })
  const juliet = await one.login('balcony')
  for (let i = 0; i < 2; i++) {
    const ping = await juliet.receives(
      `<iq type='get' from='${DOMAIN}' to='${juliet.jid}'><ping xmlns='urn:xmpp:ping'/></iq>`
    )
    juliet.write(`<iq type='result' id='${ping.attrs.id as string}'/>`)
  }
})

test('RFC 6120 §4.6.2: a silent client is asked; one that does not answer is gone', async t => {
  const one = await rig(t, { plain: true, settings: { silence: 100, silenceAnswer: 200 } })
  const juliet = await one.login('balcony')
  await juliet.receives(`<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>`)
  await endsWith(juliet, 'connection-timeout')
})

test('RFC 6120 §4.6.1: white space where nothing else is sent', async t => {
  const one = await rig(t, { plain: true, settings: { keepalive: 100 } })
  const juliet = await one.login('balcony')
  const { socket } = juliet.channel as unknown as { socket: net.Socket }
  const chunk = await new Promise<Buffer>(resolve => socket.once('data', resolve))
  assert.equal(chunk.toString(), ' ')
  await juliet.fence()
})

test('a client that does not read is not read either, and in the end cut off', async t => {
  const one = await rig(t, { plain: true, settings: { maxOutput: 400_000 } })
  const juliet = await one.login('balcony')
  const romeo = await one.login('garden')
  const session = boundSession({ ...one, backend: one.backend })
  assert.equal(session.jid?.resource, 'garden')
  juliet.channel.pause()
  const slow = one.backend.told.find(({ what }) => what === 'bound')?.session
  const message = el('message', null, el('body', null, 'x'.repeat(10_000)))
  let sent = 0
  // The kernel takes some megabytes at most before ours fills up.
  while (slow && !slow.closed && sent < 10_000) {
    slow.send(message)
    if (++sent % 10 === 0) await new Promise(setImmediate)
  }
  assert.ok(slow?.closed, `cut off after ${sent} messages`)
  assert.deepEqual(closedFor(one), ['it does not read what it is sent'])
  await romeo.fence()
})

test('a client that reads late gets everything', async t => {
  const one = await rig(t, { plain: true, settings: { maxOutput: 64 * 1024 * 1024 } })
  const juliet = await one.login('balcony')
  const session = boundSession(one)
  juliet.channel.pause()
  const body = 'x'.repeat(10_000)
  for (let i = 0; i < 2000; i++) {
    session.send(el('message', { id: String(i) }, el('body', null, body)))
    if (i % 50 === 0) await new Promise(setImmediate)
  }
  juliet.channel.resume()
  for (let i = 0; i < 2000; i++) await juliet.receives(`<message id='${i}'/>`)
  await juliet.fence()
})

test('a flood of pings by somebody who does not read is held back', async t => {
  const one = await rig(t, { plain: true, settings: { maxOutput: 2_000_000 } })
  const juliet = await Raw.connect(one.ports.tcp)
  t.after(() => juliet.destroy())
  const client = await one.login('garden')
  const mallory = await one.login('balcony')
  const { socket } = mallory.channel as unknown as { socket: net.Socket }
  socket.pause()
  const ping = `<iq type='get' id='${'p'.repeat(500)}'><ping xmlns='urn:xmpp:ping'/></iq>`.repeat(100)
  let blocked = false
  for (let i = 0; i < 2000 && !blocked; i++) {
    blocked = !socket.write(ping) && socket.writableLength > 4_000_000
    await new Promise(setImmediate)
  }
  assert.ok(blocked, 'the server has stopped reading')
  await client.fence()
  assert.deepEqual(closedFor(one), [])
})

test('thousands of connections leave nothing behind', async t => {
  const one = await rig(t, { plain: true })
  const ROUNDS = 20
  const AT_ONCE = 100
  const open = header()
  const ways: Array<(raw: Raw) => Promise<void>> = [
    async raw => raw.destroy(),
    async raw => {
      raw.write(open)
      await raw.until('</stream:features>')
      raw.socket.resetAndDestroy()
    },
    async raw => {
      raw.write(`${open}</stream:stream>`)
      await raw.end()
    },
    async raw => {
      raw.write('<a/>')
      await raw.end()
    },
    async raw => {
      raw.write(`${open}<auth xmlns='${NS.SASL}' mechanism='SCRAM-SHA-1'>biwsbj1qdWxpZXQscj1hYmNk</auth>`)
      await raw.until('<challenge')
      raw.destroy()
    }
  ]
  for (let round = 0; round < ROUNDS; round++) {
    const raws = await Promise.all(Array.from({ length: AT_ONCE }, () => Raw.connect(one.ports.tcp)))
    await Promise.all(raws.map(async (raw, i) => ways[i % ways.length]?.(raw)))
    for (const raw of raws) raw.destroy()
  }
  await gone(one)
  assert.equal(one.listeners.streams().length, 0)
  assert.equal(watched(), 0)
})
