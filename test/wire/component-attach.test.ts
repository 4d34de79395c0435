import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import type { StanzaEvent } from '../../core/routing/event'
import { el } from '../../core/xml/element'
import { NS } from '../../core/xml/namespaces'
import { ScriptedServer } from '../lib/component'
import type { AcceptedComponent } from '../lib/component'
import { testConfig } from '../lib/config'
import { startTestServer } from '../lib/server'
import type { TestServer } from '../lib/server'

const PUBSUB = 'pubsub.montague.example'
const SECRET = 'moves to the music'
const ROMEO = 'romeo@montague.example/garden'

function config(port: number, options: object = {}, modules: object = {}) {
  return {
    hosts: {
      [PUBSUB]: {
        type: 'component',
        modules: {
          pubsub: { createNodes: 'anyone' },
          upstream: { port, secret: SECRET, ...options },
          ...modules
        }
      }
    },
    // Neither accounts nor ports for clients
    modules: { c2s: false, websocket: false },
    config: { http: { listen: [] } }
  }
}

interface Stage {
  upstream: ScriptedServer
  server: TestServer
}

async function stage(t: TestContext, options: object = {}): Promise<Stage> {
  const upstream = await ScriptedServer.listen(t)
  const server = await startTestServer(t, config(upstream.port, options))
  return { upstream, server }
}

async function attached(t: TestContext, options: object = {}): Promise<Stage & { peer: AcceptedComponent }> {
  const { upstream, server } = await stage(t, options)
  const peer = await upstream.next()
  assert.equal(await peer.takes(SECRET), PUBSUB)
  return { upstream, server, peer }
}

const condition = (name: string, type: string): string =>
  `<error type='${type}'><${name} xmlns='${NS.STANZA_ERRORS}'/></error>`

const ping = (id: string, from = ROMEO, to = PUBSUB): string =>
  `<iq type='get' id='${id}' from='${from}' to='${to}'><ping xmlns='urn:xmpp:ping'/></iq>`

/** Sends as the host does; a module would by `ctx.send`. */
function says(server: TestServer, xml: { id: string; to: string; from?: string }): void {
  const host = server.server.domains.get(PUBSUB)
  assert.ok(host)
  const { id, to, from = PUBSUB } = xml
  server.server.router.send(el('message', { id, to, from, type: 'headline' }), host)
}

const statusOf = (server: TestServer, at = 0) => {
  const status = server.server.components.list()[at]
  assert.ok(status)
  return status
}

async function until(done: () => boolean, what: string): Promise<void> {
  const limit = Date.now() + 15_000
  while (!done()) {
    assert.ok(Date.now() < limit, `waited for ${what}`)
    await new Promise(setImmediate)
  }
}

test('XEP-0114 §3: the component opens the stream, answers with the handshake, and works', async t => {
  const { server, peer } = await attached(t)
  assert.equal(peer.header?.xmlns, NS.COMPONENT)
  assert.equal(peer.header?.id, undefined)
  assert.equal(peer.header?.from, undefined)
  peer.send(ping('p'))
  await peer.receives(`<iq type='result' id='p' from='${PUBSUB}' to='${ROMEO}'/>`)
  const node = `<iq type='set' id='c' from='${ROMEO}' to='${PUBSUB}'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='verona'/></pubsub></iq>`
  peer.send(node)
  await peer.receives(`<iq type='result' id='c' to='${ROMEO}'/>`)
  assert.equal(statusOf(server).connected, true)
  assert.match(await server.server.metrics.text(), /balcony_components_connected\{direction="upstream"\} 1/)
  assert.deepEqual(server.errors(), [])
})

test('requests of the host go to the server, and their answers pass what waits', async t => {
  const { server, peer } = await attached(t)
  const host = server.server.domains.get(PUBSUB)
  assert.ok(host)
  const answer = server.server.router.request(
    el('iq', { type: 'get', to: ROMEO }, el('ping', 'urn:xmpp:ping')),
    host
  )
  const asked = await peer.receives(`<iq type='get' from='${PUBSUB}' to='${ROMEO}'/>`)
  // From somebody else it is no answer
  peer.send(`<iq type='result' id='${asked.attrs.id}' from='tybalt@capulet.example/x' to='${PUBSUB}'/>`)
  peer.send(`<iq type='result' id='${asked.attrs.id}' from='${ROMEO}' to='${PUBSUB}'/>`)
  assert.equal((await answer).attrs.from, ROMEO)
})

test('what comes is for the component, and from no domain of ours', async t => {
  const { server, peer } = await attached(t)
  const wrong = [
    ping('1', ROMEO, 'other.example'),
    ping('2', ROMEO, `x.${PUBSUB}`),
    `<iq type='get' id='3' from='${ROMEO}'><ping xmlns='urn:xmpp:ping'/></iq>`,
    ping('4', PUBSUB),
    ping('5', `admin@${PUBSUB}`)
  ]
  for (const stanza of wrong) peer.send(stanza)
  peer.send(`<iq type='get' id='6' to='${PUBSUB}'><ping xmlns='urn:xmpp:ping'/></iq>`)
  await peer.receives(`<iq type='error' id='6'>${condition('jid-malformed', 'modify')}</iq>`)
  peer.send(ping('7', 'a"b@montague.example'))
  await peer.receives(`<iq type='error' id='7'>${condition('jid-malformed', 'modify')}</iq>`)
  peer.send(ping('8', ROMEO, `a"b@${PUBSUB}`))
  await peer.receives(`<iq type='error' id='8'>${condition('jid-malformed', 'modify')}</iq>`)
  peer.send(ping('9'))
  await peer.receives(`<iq type='result' id='9'/>`)
  assert.equal(statusOf(server).connected, true)
  assert.match(await server.server.metrics.text(), /balcony_component_stanzas_dropped_total 6/)
})

test('while there is no connection stanzas wait, and are sent in their order', async t => {
  const { upstream, server } = await stage(t)
  says(server, { id: '1', to: ROMEO })
  const peer = await upstream.next()
  await peer.opened()
  says(server, { id: '2', to: ROMEO })
  peer.answers('an id')
  await peer.receives('<handshake>*</handshake>')
  says(server, { id: '3', to: 'nobody@elsewhere.example' })
  assert.equal(statusOf(server).waiting, 3)
  peer.write('<handshake/>')
  for (const id of ['1', '2', '3']) await peer.receives(`<message id='${id}' from='${PUBSUB}'/>`)
  await upstream.stop()
  await until(() => !statusOf(server).connected, 'the end of the connection')
  for (const id of ['4', '5']) says(server, { id, to: ROMEO })
  await upstream.start()
  const again = await upstream.next()
  await again.takes(SECRET, 'another id')
  for (const id of ['4', '5']) await again.receives(`<message id='${id}'/>`)
  says(server, { id: '6', to: ROMEO })
  await again.receives(`<message id='6'/>`)
})

test('what waits is bounded in number and time, and then answered', async t => {
  const upstream = await ScriptedServer.listen(t)
  await upstream.stop()
  const server = await startTestServer(t, config(upstream.port, { queue: { seconds: 1, stanzas: 2 } }))
  const host = server.server.domains.get(PUBSUB)
  assert.ok(host)
  const asks = (): Promise<unknown> =>
    server.server.router.request(el('iq', { type: 'get', to: ROMEO }, el('ping', 'urn:xmpp:ping')), host)
  const timeout = { name: 'StanzaError', condition: 'remote-server-timeout', text: /not connected/ }
  const early = [asks(), asks()]
  const bounced = [
    ...early.map(one => assert.rejects(one, timeout)),
    // One too many does not wait at all
    assert.rejects(asks(), timeout)
  ]
  assert.equal(statusOf(server).waiting, 2)
  await Promise.all(bounced)
  assert.equal(statusOf(server).waiting, 0)
  assert.match(
    await server.server.metrics.text(),
    /balcony_component_stanzas_bounced_total\{direction="upstream"\} 3/
  )
})

test('a server that refuses is asked again, and the log says why it refused', async t => {
  const { upstream, server } = await stage(t, { retrySeconds: 1 })
  const first = await upstream.next()
  await first.opened()
  first.answers('an id')
  await first.receives('<handshake>*</handshake>')
  first.write(
    `<stream:error><not-authorized xmlns='${NS.STREAM_ERRORS}'/><text xmlns='${NS.STREAM_ERRORS}'>no</text></stream:error></stream:stream>`
  )
  await first.isClosed()
  const unknown = await upstream.next()
  await unknown.opened()
  unknown.answers('an id')
  unknown.write(`<stream:error><host-unknown xmlns='${NS.STREAM_ERRORS}'/></stream:error></stream:stream>`)
  await unknown.isClosed()
  const foreign = await upstream.next()
  await foreign.opened()
  foreign.write(`<stream:stream xmlns='jabber:server' xmlns:stream='${NS.STREAM}' id='x'>`)
  await foreign.finds(`<stream:error><invalid-namespace xmlns='${NS.STREAM_ERRORS}'/></stream:error>`)
  await foreign.isClosed()
  const nameless = await upstream.next()
  await nameless.opened()
  // As Prosody has it: no id where it knows no such component
  nameless.write(`<stream:stream xmlns='${NS.COMPONENT}' xmlns:stream='${NS.STREAM}'>`)
  nameless.write(`<stream:error><host-unknown xmlns='${NS.STREAM_ERRORS}'/></stream:error></stream:stream>`)
  await nameless.isClosed()
  const careless = await upstream.next()
  await careless.opened()
  careless.write(`<stream:stream xmlns='${NS.COMPONENT}' xmlns:stream='${NS.STREAM}'><handshake/>`)
  await careless.finds(`<stream:error><bad-format xmlns='${NS.STREAM_ERRORS}'/></stream:error>`)
  await careless.isClosed()
  const eager = await upstream.next()
  await eager.opened()
  eager.answers('an id')
  eager.write(ping('before the handshake was taken'))
  await eager.finds(`<stream:error><not-authorized xmlns='${NS.STREAM_ERRORS}'/></stream:error>`)
  const last = await upstream.next()
  await last.takes(SECRET)
  last.send(ping('p'))
  await last.receives(`<iq type='result' id='p'/>`)
  const why = server.log.filter(line => line.msg === 'not attached').map(line => line.reason)
  assert.deepEqual(why.slice(0, 5), [
    'the server says not-authorized: no',
    'the server says host-unknown',
    `invalid-namespace: the content namespace of this stream is ${NS.COMPONENT}`,
    'the server says host-unknown',
    'bad-format: the server gives the stream no id'
  ])
})

test('a server that accepts and says nothing is given up', async t => {
  const upstream = await ScriptedServer.listen(t)
  const options = config(upstream.port)
  const server = await startTestServer(t, {
    ...options,
    config: { ...options.config, limits: { loginSeconds: 5 } }
  })
  const silent = await upstream.next()
  await silent.finds(`<stream:error><connection-timeout xmlns='${NS.STREAM_ERRORS}'/></stream:error>`)
  await (await upstream.next()).takes(SECRET)
  await until(() => statusOf(server).connected, 'the connection')
})

test('a server that is silent is asked whether it is there', async t => {
  const { upstream, peer } = await attached(t, { silenceSeconds: 1, answerSeconds: 1 })
  const asked = await peer.receives(
    `<iq type='get' from='${PUBSUB}' to='montague.example'><ping xmlns='urn:xmpp:ping'/></iq>`
  )
  peer.send(`<iq type='result' id='${asked.attrs.id}' from='montague.example' to='${PUBSUB}'/>`)
  await peer.receives(`<iq type='get' to='montague.example'/>`)
  await peer.finds(`<stream:error><connection-timeout xmlns='${NS.STREAM_ERRORS}'/></stream:error>`)
  await (await upstream.next()).takes(SECRET)
})

test('where nobody can be asked, a server that is silent is not taken for dead', async t => {
  const upstream = await ScriptedServer.listen(t)
  const { hosts, ...others } = config(upstream.port, {
    silenceSeconds: 1,
    answerSeconds: 1,
    keepaliveSeconds: 1
  })
  const server = await startTestServer(t, { ...others, hosts: { pubsub: hosts[PUBSUB] } })
  const peer = await upstream.next()
  await peer.takes(SECRET)
  const began = Date.now()
  await until(() => Date.now() - began > 3500, 'the time that it would have had to answer')
  peer.send(ping('p', ROMEO, 'pubsub'))
  await peer.receives(`<iq type='result' id='p'/>`)
  assert.equal(upstream.count, 1)
  assert.equal(statusOf(server).connected, true)
})

test('a stanza that waits holds up its sender alone, and what it asks is answered', async t => {
  const { server, peer } = await attached(t)
  const host = server.server.domains.get(PUBSUB)
  assert.ok(host)
  const asked = el('iq', { type: 'get', to: ROMEO }, el('ping', 'urn:xmpp:ping'))
  // A handler that asks the very peer whose stanza it handles
  const asks = ({ from, stanza }: StanzaEvent): void | Promise<void> => {
    if (from.full !== ROMEO || stanza.attrs.id !== 'first') return
    return server.server.router.request(asked, host).then(() => undefined)
  }
  const owner = { module: 'a test', host: PUBSUB, begin: () => undefined, end: () => undefined }
  host.hooks.add('iq/host', asks, owner)
  peer.send(ping('first'))
  for (let i = 0; i < 1000; i++) peer.send(ping(`r${i}`, i % 2 === 0 ? ROMEO : 'juliet@capulet.example'))
  const question = await peer.finds(`<iq type='get' to='${ROMEO}'/>`)
  for (let i = 1; i < 1000; i += 2) await peer.receives(`<iq type='result' id='r${i}'/>`)
  peer.send(`<iq type='result' id='${question.attrs.id}' from='${ROMEO}' to='${PUBSUB}'/>`)
  await peer.receives(`<iq type='result' id='first'/>`)
  for (let i = 0; i < 1000; i += 2) await peer.receives(`<iq type='result' id='r${i}'/>`)
})

test('further domains have connections of their own', async t => {
  const upstream = await ScriptedServer.listen(t)
  const topics = 'topics.montague.example'
  const options = {
    channels: { accountDomains: ['montague.example'], topicDomains: [topics] },
    upstream: { port: upstream.port, secret: SECRET, domains: [topics] },
    pubsub: false
  }
  const server = await startTestServer(t, config(upstream.port, {}, options))
  const peers = new Map<string, AcceptedComponent>()
  for (let i = 0; i < 2; i++) {
    const peer = await upstream.next()
    peers.set(await peer.takes(SECRET, `id ${i}`), peer)
  }
  assert.deepEqual([...peers.keys()].sort(), [PUBSUB, topics].sort())
  const info = "<query xmlns='http://jabber.org/protocol/disco#items'/>"
  for (const [domain, peer] of peers) {
    peer.send(`<iq type='get' id='d' from='${ROMEO}' to='${domain}'>${info}</iq>`)
    await peer.receives(`<iq type='result' id='d' from='${domain}' to='${ROMEO}'>${info}</iq>`)
    // What one server sends over the wrong one of them (ejabberd does) is answered over the right one
    const other = domain === PUBSUB ? topics : PUBSUB
    peer.send(`<iq type='get' id='o' from='${ROMEO}' to='${other}'>${info}</iq>`)
    await peers.get(other)?.receives(`<iq type='result' id='o' from='${other}' to='${ROMEO}'>${info}</iq>`)
  }
  assert.deepEqual(server.errors(), [])
})

test('a domain that nothing here serves', async t => {
  const upstream = await ScriptedServer.listen(t)
  const server = await startTestServer(t, config(upstream.port, { domains: ['nobody.example'] }))
  const peers = [await upstream.next(), await upstream.next()]
  const names = [await peers[0]?.takes(SECRET), await peers[1]?.takes(SECRET)]
  const peer = peers[names.indexOf('nobody.example')]
  peer?.send(ping('p', ROMEO, 'nobody.example'))
  await peer?.receives(
    `<iq type='error' id='p' from='nobody.example' to='${ROMEO}'>${condition('service-unavailable', 'cancel')}</iq>`
  )
  assert.ok(
    server.log.some(
      ({ level, msg, domain }) =>
        level === 'warn' && msg?.includes('no module') && domain === 'nobody.example'
    )
  )
})

test('a reload of the module under the connection loses nothing', async t => {
  const { server, upstream, peer } = await attached(t)
  const { api } = server.server.manager
  for (let round = 0; round < 5; round++) {
    const reloading = api.reload('upstream')
    for (let i = 0; i < 20; i++) {
      peer.send(ping(`${round}-${i}`))
      says(server, { id: `m${round}-${i}`, to: ROMEO })
    }
    assert.equal((await reloading).ok, true)
    for (let i = 0; i < 20; i++) {
      await peer.finds(`<iq type='result' id='${round}-${i}'/>`)
      await peer.finds(`<message id='m${round}-${i}'/>`)
    }
  }
  assert.equal(upstream.count, 1)
  assert.deepEqual(server.errors(), [])
})

test('unloaded, it leaves; what waits is answered', async t => {
  const { server, peer } = await attached(t)
  const { api } = server.server.manager
  assert.equal((await api.unload('upstream')).ok, true)
  await peer.hearsEnd()
  assert.deepEqual(server.server.components.list(), [])
  const host = server.server.domains.get(PUBSUB)
  assert.ok(host)
  await assert.rejects(
    server.server.router.request(el('iq', { type: 'get', to: ROMEO }, el('ping', 'urn:xmpp:ping')), host),
    { condition: 'remote-server-not-found' }
  )
})

test('another server or secret by a config reload', async t => {
  const { server, peer } = await attached(t)
  const elsewhere = await ScriptedServer.listen(t)
  const data = `${server.folder}/data`
  server.writeConfig(await testConfig(config(elsewhere.port, { secret: 'another' }), data))
  assert.equal((await server.server.reloadConfig()).ok, true)
  await peer.hearsEnd()
  // RFC 6120 §4.4: what was under way is not lost
  peer.write(`${ping('late')}</stream:stream>${ping('too late')}`)
  const next = await elsewhere.next()
  await next.takes('another')
  await next.receives(`<iq type='result' id='late'/>`)
  // What can be changed under the connection is
  server.writeConfig(await testConfig(config(elsewhere.port, { secret: 'another', retrySeconds: 7 }), data))
  assert.equal((await server.server.reloadConfig()).ok, true)
  next.send(ping('p'))
  await next.receives(`<iq type='result' id='p'/>`)
  assert.equal(elsewhere.count, 1)
})

test('the server is told when we stop', async t => {
  const { server, peer } = await attached(t)
  const stopped = server.stop()
  await peer.finds(`<stream:error><system-shutdown xmlns='${NS.STREAM_ERRORS}'/></stream:error>`)
  peer.destroy()
  await stopped
})
