import assert from 'node:assert'
import type { Socket } from 'node:net'
import test from 'node:test'
import { StreamError } from '../../../core/errors'
import { el, isElement } from '../../../core/xml/element'
import { NS } from '../../../core/xml/namespaces'
import { DEFAULT_LIMITS } from '../../../core/xml/limits'
import { authenticate } from '../../lib/sasl'
import { DOMAIN, endsWith, JULIET, rig } from './lib/rig'

const MESSAGE = `<message to='romeo@${DOMAIN}' id='m1' type='chat'><body>Art thou not Romeo, &amp; a Montagüe? 🌹</body></message>`

test('a stanza cut at every byte is the same stanza', async t => {
  const { login, backend } = await rig(t, { plain: true })
  const juliet = await login('balcony')
  const bytes = Buffer.from(MESSAGE)
  backend.onStanza = () => {}
  for (let cut = 1; cut < bytes.length; cut++) {
    juliet.write(bytes.subarray(0, cut))
    // The kernel may put both together again; a turn of the loop on both sides makes that rare.
    await new Promise(setImmediate)
    juliet.write(bytes.subarray(cut))
  }
  backend.onStanza = (session, stanza) =>
    session.send(el('iq', { type: 'result', id: stanza.attrs.id as string }))
  await juliet.fence()
  const stanzas = backend.told.flatMap(told => (told.what === 'stanza' ? [told] : []))
  assert.equal(stanzas.length, bytes.length)
  for (const { stanza, bytes: size } of stanzas.slice(0, -1)) {
    assert.equal(stanza.getChildText('body'), 'Art thou not Romeo, & a Montagüe? 🌹')
    assert.deepEqual({ ...stanza.attrs }, { to: `romeo@${DOMAIN}`, id: 'm1', type: 'chat' })
    assert.equal(size, bytes.length)
  }
})

test('a stanza byte by byte', async t => {
  const { login } = await rig(t, { plain: true })
  const juliet = await login('balcony')
  for (const byte of Buffer.from(MESSAGE)) juliet.write(Buffer.from([byte]))
  await juliet.receives(`<message id='m1'><body>Art thou not Romeo, &amp; a Montagüe? 🌹</body></message>`)
})

test('hundreds of stanzas in one packet come in order, and so do the answers', async t => {
  const { login } = await rig(t, { plain: true })
  const juliet = await login('balcony')
  let all = ''
  for (let i = 0; i < 500; i++) all += `<message id='${i}' to='romeo@${DOMAIN}'><body>${i}</body></message>`
  juliet.write(all)
  for (let i = 0; i < 500; i++) await juliet.receives(`<message id='${i}'><body>${i}</body></message>`)
})

test('RFC 6120 §4.9.3.14: a stanza of 2 MB is too big, one below the limit is not', async t => {
  const { login, backend } = await rig(t, { plain: true })
  const juliet = await login('balcony')
  const body = 'x'.repeat(DEFAULT_LIMITS.stanzaBytes - 200)
  juliet.write(`<message id='fits' to='romeo@${DOMAIN}'><body>${body}</body></message>`)
  const back = await juliet.receives(`<message id='fits'/>`)
  assert.equal(back.getChildText('body')?.length, body.length)
  juliet.write(`<message id='big' to='romeo@${DOMAIN}'><body>${'x'.repeat(2 * 1024 * 1024)}</body></message>`)
  await endsWith(juliet, 'policy-violation')
  assert.equal(backend.count('stanza'), 1)
  assert.equal(backend.count('closed'), 1)
})

test('limits are those of before the login only before it', async t => {
  const { login } = await rig(t, { plain: true })
  const juliet = await login('balcony')
  juliet.write(`<message id='m'><body>${'x'.repeat(20_000)}</body></message>`)
  await juliet.receives(`<message id='m'/>`)
})

const faults: Array<[what: string, sent: string, condition: string]> = [
  [
    'elements a hundred and more deep',
    `<message>${'<a>'.repeat(200)}${'</a>'.repeat(200)}</message>`,
    'policy-violation'
  ],
  ['a comment', '<message><!-- --></message>', 'restricted-xml'],
  ['a processing instruction', '<message><?php ?></message>', 'restricted-xml'],
  ['an entity', '<message><body>&nbsp;</body></message>', 'restricted-xml'],
  ['a wrong end tag', '<message><body></message></body>', 'not-well-formed'],
  ['an attribute twice', `<message id='1' id='2'/>`, 'not-well-formed'],
  ['an undeclared prefix', '<message><a:b/></message>', 'not-well-formed'],
  ['a control character', '<message><body>\u0001</body></message>', 'not-well-formed'],
  ['text between stanzas', 'hello', 'bad-format'],
  ['another content namespace', `<message xmlns='${NS.SERVER}'/>`, 'invalid-namespace'],
  ['no stanza, but its namespace', '<pubsub/>', 'unsupported-stanza-type'],
  ['what only looks like a stanza', `<message xmlns='urn:example'/>`, 'unsupported-stanza-type'],
  ['an element that nobody knows', `<enable xmlns='urn:xmpp:sm:3'/>`, 'unsupported-stanza-type'],
  ['another login', `<auth xmlns='${NS.SASL}' mechanism='PLAIN'>AA==</auth>`, 'unsupported-stanza-type'],
  ['a login in TLS', `<starttls xmlns='${NS.TLS}'/>`, 'unsupported-stanza-type'],
  ['features', `<features xmlns='${NS.STREAM}'/>`, 'unsupported-stanza-type'],
  [
    'a stream in the stream',
    `<stream:stream xmlns:stream='${NS.STREAM}' to='x' version='1.0'/>`,
    'unsupported-stanza-type'
  ]
]

for (const [what, sent, condition] of faults) {
  test(`RFC 6120 §4.9.3: ${what} is ${condition}`, async t => {
    const { login, backend } = await rig(t, { plain: true })
    const juliet = await login('balcony')
    const romeo = await login('garden')
    juliet.write(sent)
    await endsWith(juliet, condition)
    assert.equal(backend.count('stanza'), 0)
    await romeo.fence()
  })
}

test('bytes that are no UTF-8', async t => {
  const { login } = await rig(t, { plain: true })
  const juliet = await login('balcony')
  juliet.write(
    Buffer.concat([
      Buffer.from('<message><body>'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('</body></message>')
    ])
  )
  await endsWith(juliet, 'unsupported-encoding')
})

test('elements that a module knows', async t => {
  const { login, backend } = await rig(t, { plain: true })
  backend.onStreamElement = (session, element) => {
    session.sendRaw(`<a xmlns='urn:xmpp:sm:3' h='0'/>`)
    return element.name === 'r'
  }
  const juliet = await login('balcony')
  juliet.write(`<r xmlns='urn:xmpp:sm:3'/>`)
  await juliet.receives(`<a xmlns='urn:xmpp:sm:3' h='0'/>`)
})

test('RFC 6120 §4.6.1: white space between stanzas is nothing', async t => {
  const { login } = await rig(t, { plain: true })
  const juliet = await login('balcony')
  juliet.write(' \n\t ')
  await juliet.fence()
})

test('RFC 6120 §8.1.5: the language of the stream is that of stanzas that say none', async t => {
  const { connect, backend } = await rig(t, { plain: true })
  const juliet = await connect()
  await juliet.open({ 'xml:lang': 'de-CH' })
  await authenticate(juliet, JULIET)
  await juliet.open({ 'xml:lang': 'de-CH' })
  await juliet.bind('balcony')
  juliet.write(`<message id='1'/><message id='2' xml:lang='fr'/><presence id='3'/>`)
  await juliet.fence()
  const langs = backend.told.flatMap(told => (told.what === 'stanza' ? [told.stanza.attrs['xml:lang']] : []))
  assert.deepEqual(langs, ['de-CH', 'fr', 'de-CH', undefined])
})

test('a full queue stops the reading, and no stanza is lost', async t => {
  const { login, backend } = await rig(t, { plain: true })
  const juliet = await login('balcony')
  const [session] = [...(backend.host(DOMAIN)?.sessions.all() ?? [])]
  const stream = backend.told.find(told => told.what === 'bound')?.session
  assert.ok(session && stream)
  let paused = false
  const seen: string[] = []
  backend.onStanza = (from, stanza) => {
    assert.equal(paused, false, 'nothing is told while reading is stopped')
    seen.push(stanza.attrs.id as string)
    if (stanza.name === 'iq') from.send(el('iq', { type: 'result', id: stanza.attrs.id as string }))
    if (seen.length % 100 !== 50) return
    paused = true
    from.pause()
    setImmediate(() => {
      paused = false
      from.resume()
    })
  }
  let all = ''
  for (let i = 0; i < 1000; i++) all += `<message id='${i}'><body>${'x'.repeat(300)}</body></message>`
  juliet.write(all)
  await juliet.fence()
  assert.deepEqual(
    seen.slice(0, 1000),
    Array.from({ length: 1000 }, (_, i) => String(i))
  )
})

test('a session that is closed by a handler takes nothing more', async t => {
  const { login, backend } = await rig(t, { plain: true })
  backend.onStanza = session => session.close(new StreamError('policy-violation', 'enough'))
  const juliet = await login('balcony')
  juliet.write(`<message id='1'/><message id='2'/>`)
  await endsWith(juliet, 'policy-violation')
  assert.equal(backend.count('stanza'), 1)
})

test('what is sent to a session that is closed is dropped', async t => {
  const { login, backend } = await rig(t, { plain: true })
  const juliet = await login('balcony')
  const session = backend.told.find(told => told.what === 'bound')?.session
  assert.ok(session)
  session.close()
  session.send(el('message', { id: 'late' }))
  session.sendRaw('<message/>')
  session.close(new StreamError('conflict'))
  juliet.channel.close()
  await juliet.isClosed()
  assert.deepEqual(juliet.unread, [])
  assert.equal(backend.count('closed'), 1)
})

test('all that is sent in a tick leaves in one write', async t => {
  const { login, backend } = await rig(t, { plain: true })
  const juliet = await login('balcony')
  const session = backend.told.find(told => told.what === 'bound')?.session
  const { socket } = juliet.channel as unknown as { socket: Socket }
  const chunks: number[] = []
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk.length))
  for (let i = 0; i < 100; i++) session?.send(el('message', { id: String(i) }))
  for (let i = 0; i < 100; i++) {
    const message = await juliet.next()
    assert.ok(isElement(message) && message.attrs.id === String(i))
  }
  assert.equal(chunks.length, 1)
})
