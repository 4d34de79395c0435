import assert from 'node:assert'
import test from 'node:test'
import { StanzaError } from '../../../core/errors'
import { el } from '../../../core/xml/element'
import { NS } from '../../../core/xml/namespaces'
import { conditionOf, type TestClient } from '../../lib/client'
import { DOMAIN, endsWith, JULIET, rig, type Rig } from './lib/rig'

const bindRequest = (resource?: string): string =>
  `<iq type='set'><bind xmlns='${NS.BIND}'>${resource === undefined ? '' : `<resource>${resource}</resource>`}</bind></iq>`

/** Logged in, no resource bound. */
async function authenticated({ connect }: Rig): Promise<TestClient> {
  const client = await connect()
  await client.open()
  await client.authenticate(JULIET)
  return client
}

test('RFC 6120 §7.4: bind is offered after the login, a session that nobody needs too', async t => {
  const juliet = await authenticated(await rig(t, { plain: true }))
  await juliet.bind('balcony')
  assert.equal(juliet.jid, `juliet@${DOMAIN}/balcony`)
  assert.deepEqual(
    juliet.features?.getChildElements().map(({ name }) => name),
    ['bind', 'session', 'limits']
  )
  const session = await juliet.request(`<iq type='set'><session xmlns='${NS.SESSION}'/></iq>`)
  assert.equal(session.attrs.type, 'result')
})

test('RFC 6120 §7.6: resources that the server makes are random', async t => {
  const { login } = await rig(t, { plain: true })
  const jids = new Set<string>()
  for (let i = 0; i < 5; i++) jids.add((await login()).jid)
  assert.equal(jids.size, 5)
  for (const jid of jids) assert.match(jid, /^juliet@localhost\/[\w-]{12}$/)
})

test('RFC 6120 §7.7.2.1: an empty resource is one for the server to make', async t => {
  const juliet = await authenticated(await rig(t, { plain: true }))
  assert.match(await juliet.bind(''), /\/[\w-]{12}$/)
})

test('RFC 6120 §7.7.2.1: resources that are none', async t => {
  const juliet = await authenticated(await rig(t, { plain: true }))
  for (const resource of ['\u0007bell'.replace('\u0007', '\u00ad'), 'x'.repeat(1024), '\u2028'])
    assert.equal(conditionOf(await juliet.request(bindRequest(resource))), 'bad-request')
  assert.equal(await juliet.bind('balcony'), `juliet@${DOMAIN}/balcony`)
})

test('RFC 6120 §7.7.3: failed attempts to bind are bounded', async t => {
  const juliet = await authenticated(await rig(t, { plain: true, settings: { bindRetries: 2 } }))
  for (let i = 0; i < 3; i++) juliet.write(bindRequest('x'.repeat(1024)).replace('<iq', `<iq id='${i}'`))
  for (let i = 0; i < 3; i++) await juliet.receives(`<iq type='error' id='${i}'/>`)
  await endsWith(juliet, 'policy-violation')
})

test('a bind without an id is refused', async t => {
  const juliet = await authenticated(await rig(t, { plain: true }))
  juliet.write(bindRequest('balcony'))
  const answer = await juliet.next('an error')
  assert.equal(conditionOf(answer), 'bad-request')
})

test('a second bind is not allowed', async t => {
  const { login } = await rig(t, { plain: true })
  const juliet = await login('balcony')
  assert.equal(conditionOf(await juliet.request(bindRequest('garden'))), 'not-allowed')
  await juliet.fence()
})

test('RFC 6120 §7.1: other stanzas before a resource is bound', async t => {
  const one = await rig(t, { plain: true })
  for (const stanza of [
    '<presence/>',
    `<message to='romeo@${DOMAIN}'/>`,
    `<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>`,
    `<iq type='get' id='1'><bind xmlns='${NS.BIND}'/></iq>`,
    `<iq type='set' id='1'><session xmlns='${NS.SESSION}'/></iq>`
  ]) {
    const juliet = await authenticated(one)
    juliet.write(stanza)
    await endsWith(juliet, 'not-authorized')
  }
  assert.equal(one.backend.count('stanza'), 0)
})

test('RFC 6120 §7.7.2.2: the older session is replaced, with conflict', async t => {
  const { login, backend } = await rig(t, { plain: true })
  const older = await login('balcony')
  const newer = await login('balcony')
  assert.equal(newer.jid, older.jid)
  await endsWith(older, 'conflict')
  assert.deepEqual(
    backend.told.map(({ what }) => what),
    ['authenticated', 'bound', 'authenticated', 'closed', 'bound']
  )
  await newer.fence()
  assert.equal(backend.host(DOMAIN)?.sessions.count, 1)
})

test('conflict: refuse', async t => {
  const one = await rig(t, { plain: true, settings: { conflict: 'refuse' } })
  const older = await one.login('balcony')
  const newer = await authenticated(one)
  assert.equal(conditionOf(await newer.request(bindRequest('balcony'))), 'conflict')
  await newer.bind('garden')
  await older.fence()
})

test('conflict: rename', async t => {
  const { login } = await rig(t, { plain: true, settings: { conflict: 'rename' } })
  const older = await login('balcony')
  const newer = await login('balcony')
  assert.notEqual(newer.jid, older.jid)
  await older.fence()
  await newer.fence()
})

test('RFC 6120 §7.6.2.1: resources are limited, one that is replaced does not count', async t => {
  const one = await rig(t, { plain: true, settings: { maxResources: 2 } })
  await one.login('a')
  const b = await one.login('b')
  const third = await authenticated(one)
  assert.equal(conditionOf(await third.request(bindRequest('c'))), 'resource-constraint')
  await third.bind('b')
  await endsWith(b, 'conflict')
})

test('what modules send while a resource is bound comes behind the answer', async t => {
  const one = await rig(t, { plain: true })
  one.backend.onBind = async session => {
    session.send(el('message', { id: 'welcome' }))
    await new Promise(setImmediate)
    session.send(el('message', { id: 'and more' }))
  }
  const juliet = await authenticated(one)
  juliet.write(
    bindRequest('balcony').replace('<iq', `<iq id='b'`) +
      `<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>`
  )
  await juliet.receives(`<iq id='b' type='result'/>`)
  await juliet.receives(`<message id='welcome'/>`)
  await juliet.receives(`<message id='and more'/>`)
  await juliet.receives(`<iq id='p' type='result'/>`)
})

test('a bind that the server refuses can be tried again', async t => {
  const one = await rig(t, { plain: true })
  one.backend.onBind = async () => {
    await Promise.resolve()
    throw new StanzaError('not-allowed')
  }
  const juliet = await authenticated(one)
  assert.equal(conditionOf(await juliet.request(bindRequest('balcony'))), 'not-allowed')
  one.backend.onBind = () => {}
  for (const session of one.backend.host(DOMAIN)?.sessions.all() ?? [])
    one.backend.host(DOMAIN)?.sessions.remove('juliet', 'balcony', session)
  await juliet.bind('balcony')
  await juliet.close()
  assert.equal(one.backend.count('closed'), 1)
})

test('a bind that fails by a fault of ours ends the stream', async t => {
  const one = await rig(t, { plain: true })
  one.backend.onBind = () => {
    throw new Error('oh')
  }
  const juliet = await authenticated(one)
  juliet.write(bindRequest('balcony').replace('<iq', `<iq id='b'`))
  await endsWith(juliet, 'internal-server-error')
})

test('while modules are swapped, binding waits', async t => {
  const one = await rig(t, { plain: true })
  const juliet = await authenticated(one)
  one.backend.gate.close()
  juliet.write(bindRequest('balcony').replace('<iq', `<iq id='b'`))
  const romeo = await one.connect()
  romeo.write('<!-- -->')
  await endsWith(romeo, 'restricted-xml')
  assert.equal(one.backend.count('bound'), 0)
  one.backend.gate.reopen()
  await juliet.receives(`<iq id='b' type='result'/>`)
})

test('features of modules are offered at their stage', async t => {
  const one = await rig(t, { plain: true })
  const host = one.backend.host(DOMAIN)
  host?.items.add(
    'stream-feature',
    { stage: 'sasl', offer: () => el('register', 'http://jabber.org/features/iq-register') },
    'test'
  )
  host?.items.add(
    'stream-feature',
    { stage: 'bind', offer: ({ secure }) => (secure ? undefined : el('ver', 'urn:xmpp:features:rosterver')) },
    'test'
  )
  const juliet = await one.connect()
  const before = await juliet.open()
  const after = await juliet.authenticate(JULIET)
  const names = [before, after].map(features => features.getChildElements().map(({ name }) => name))
  assert.deepEqual(names, [
    ['mechanisms', 'register', 'limits'],
    ['bind', 'session', 'ver', 'limits']
  ])
})
