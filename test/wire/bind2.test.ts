import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import test, { type TestContext } from 'node:test'
import { childOf, childrenOf, childText } from '../../core/xml/element'
import type { Element } from '../../core/xml/element'
import { NS } from '../../core/xml/namespaces'
import { conditionOf, TestClient } from '../lib/client'
import { IM_HOST, type Options, type TestServerOptions } from '../lib/config'
import { scramRun } from '../lib/sasl'
import { authenticate2, authenticateXml } from '../lib/sasl2'
import { startTestServer, type TestServer } from '../lib/server'
import { join, PASSWORD } from '../lib/wire'

/* XEP-0386, and XEP-0198 §9: what is done together with logging in. */

const SM = 'urn:xmpp:sm:3'
const CSI = 'urn:xmpp:csi:0'
const CHAT_STATES = 'http://jabber.org/protocol/chatstates'
const JULIET = { user: 'juliet', password: PASSWORD, mechanism: 'SCRAM-SHA-256-PLUS' }
const CAPULET = 'juliet@localhost'
const STANZA_ERRORS = NS.STANZA_ERRORS

function hostWith(modules: Options): TestServerOptions {
  return { hosts: { localhost: { modules: { ...(IM_HOST.modules as Options), sasl2: {}, ...modules } } } }
}

const MOBILE = { smacks: {}, csi: {} }

async function start(t: TestContext, modules: Options = MOBILE, more: Options = {}): Promise<TestServer> {
  const server = await startTestServer(t, { ...hostWith(modules), ...more })
  await server.addUser(CAPULET, PASSWORD)
  return server
}

async function opened(t: TestContext, server: TestServer): Promise<TestClient> {
  const port = server.ports.tls as number
  const options = { port, domain: 'localhost', transport: 'tls', name: 'juliet' } as const
  const client = await TestClient.connect(options)
  t.after(() => client.destroy())
  await client.open()
  return client
}

interface Wishes {
  tag?: string
  /** In `<bind/>`. */
  features?: string
  /** Beside it. */
  more?: string
  agent?: string | undefined
}

function bindXml({ tag, features = '', more = '', agent }: Wishes = {}): string {
  const written = tag === undefined ? '' : `<tag>${tag}</tag>`
  const userAgent =
    agent === undefined ? '' : `<user-agent id='${agent}'><software>AwesomeXMPP</software></user-agent>`
  return `${userAgent}${more}<bind xmlns='${NS.BIND2}'>${written}${features}</bind>`
}

/** Logs in and binds. */
async function bound(
  t: TestContext,
  server: TestServer,
  wishes: Wishes = {}
): Promise<{ juliet: TestClient; success: Element; resource: string }> {
  const juliet = await opened(t, server)
  const success = await authenticate2(juliet, { ...JULIET, inline: bindXml(wishes) })
  assert.ok(childOf(success, 'bound', NS.BIND2), String(success))
  return { juliet, success, resource: juliet.jid.slice(CAPULET.length + 1) }
}

const childNames = (element: Element | undefined): string[] =>
  element ? childrenOf(element).map(({ name }) => name) : []

test('XEP-0386 §3.1: offered inside of SASL2, with what there is', async t => {
  for (const [modules, inline, features] of [
    [{}, ['bind'], []],
    [{ smacks: {} }, ['sm', 'bind'], [SM]],
    [{ csi: {} }, ['bind'], [CSI]],
    [MOBILE, ['sm', 'bind'], [SM, CSI]],
    [{ smacks: { resumeSeconds: 0 } }, ['bind'], [SM]],
    [{ smacks: {}, sasl2: { bind: false } }, ['sm'], []],
    [{ sasl2: { bind: false } }, [], []]
  ] as Array<[Options, string[], string[]]>) {
    const server = await start(t, modules)
    const juliet = await opened(t, server)
    const authentication = childOf(juliet.features as Element, 'authentication', NS.SASL2)
    const list = authentication && childOf(authentication, 'inline')
    assert.deepEqual(childNames(list), inline)
    const bind = list && childOf(list, 'bind', NS.BIND2)
    const offered = bind && childOf(bind, 'inline')
    assert.deepEqual(offered ? childrenOf(offered, 'feature').map(({ attrs }) => attrs.var) : [], features)
    await server.stop()
  }
})

test('XEP-0386 §3.2: a resource is bound with the login, and features follow without bind', async t => {
  const server = await start(t, {})
  const { juliet, success } = await bound(t, server)
  assert.deepEqual(childNames(success), ['additional-data', 'authorization-identifier', 'bound'])
  assert.match(juliet.jid, /^juliet@localhost\/[\w-]{12}$/)
  assert.equal(childOf(juliet.features as Element, 'bind', NS.BIND), undefined)
  assert.equal(childOf(juliet.features as Element, 'session', NS.SESSION), undefined)
  await juliet.fence()
  const again = await juliet.request(`<iq type='set'><bind xmlns='${NS.BIND}'/></iq>`)
  assert.equal(conditionOf(again), 'not-allowed')
  const romeo = await join(server, 'romeo', { jid: 'romeo@localhost' })
  t.after(() => romeo.destroy())
  await romeo.sends(`<message to='${juliet.jid}' type='chat'><body>hail</body></message>`)
  await juliet.receives(`<message from='${romeo.jid}'><body>hail</body></message>`)
})

// --- resources

test('XEP-0386 §3.2.1: the tag, and a name that the same client always gets', async t => {
  const server = await start(t, {})
  const agent = randomUUID()
  const first = await bound(t, server, { tag: 'AwesomeXMPP', agent })
  assert.match(first.resource, /^AwesomeXMPP\/[\w-]{12}$/)
  const name = first.resource.split('/')[1] as string
  assert.ok(!first.resource.includes(agent) && !agent.replace(/-/g, '').includes(name.toLowerCase()))
  first.juliet.destroy()
  await server.restart()
  assert.equal((await bound(t, server, { tag: 'AwesomeXMPP', agent })).resource, first.resource)
  assert.equal(
    (await bound(t, server, { tag: 'AwesomeXMPP', agent: agent.toUpperCase() })).resource,
    first.resource
  )
  assert.equal((await bound(t, server, { agent })).resource, name)
})

test('XEP-0386 §3.2.1: another client, account or none gets another name', async t => {
  const server = await start(t, {})
  const agent = randomUUID()
  const seen = [
    (await bound(t, server, { agent })).resource,
    (await bound(t, server, { agent: randomUUID() })).resource,
    (await bound(t, server)).resource,
    (await bound(t, server)).resource,
    (await bound(t, server, { agent: 'no uuid' })).resource,
    (await bound(t, server, { agent: 'no uuid' })).resource
  ]
  await server.addUser('romeo@localhost', PASSWORD)
  const romeo = await opened(t, server)
  await authenticate2(romeo, { ...JULIET, user: 'romeo', inline: bindXml({ agent }) })
  seen.push(romeo.jid.split('/')[1] as string)
  assert.equal(new Set(seen).size, seen.length, seen.join(' '))
})

test('a tag that cannot be in a JID is left out, a long one is cut', async t => {
  const server = await start(t, {})
  for (const tag of ['a\u200bb', '\u0378'])
    assert.match((await bound(t, server, { tag })).resource, /^[\w-]{12}$/, tag)
  for (const tag of ['', ' ']) assert.match((await bound(t, server, { tag })).resource, /^[\w-]{12}$/)
  const { resource } = await bound(t, server, { tag: 'x'.repeat(5000) })
  assert.match(resource, /^x{64}\/[\w-]{12}$/)
  assert.match(
    (await bound(t, server, { tag: 'a/b@c \u{1f3ad}' })).resource,
    /^a\/b@c \u{1f3ad}\/[\w-]{12}$/u
  )
})

test('XEP-0386 §3.2: an earlier session of the same client ends', async t => {
  const server = await start(t, {})
  const agent = randomUUID()
  const { juliet: first } = await bound(t, server, { agent, tag: 'one' })
  const { juliet: other } = await bound(t, server, { agent: randomUUID() })
  const { juliet: second } = await bound(t, server, { agent, tag: 'two' })
  await first.receives(`<error xmlns='${NS.STREAM}'><conflict xmlns='${NS.STREAM_ERRORS}'/></error>`)
  await first.isClosed()
  await other.fence()
  await second.fence()
  assert.equal(server.server.domains.get('localhost')?.sessions.of('juliet').size, 2)
})

test('the id of somebody else’s client ends none of its sessions', async t => {
  const server = await start(t, {})
  await server.addUser('mallory@localhost', PASSWORD)
  const agent = randomUUID()
  const { juliet } = await bound(t, server, { agent })
  const mallory = await opened(t, server)
  await authenticate2(mallory, { ...JULIET, user: 'mallory', inline: bindXml({ agent }) })
  await juliet.fence()
})

test('where binding is refused the login succeeds, and RFC 6120’s way tells why', async t => {
  const at = [{ address: '127.0.0.1', port: 0 }]
  const c2s = { listen: at, directTls: at, maxResources: 1 }
  const server = await start(t, {}, { modules: { c2s } })
  const { juliet: first } = await bound(t, server)
  const juliet = await opened(t, server)
  const success = await authenticate2(juliet, { ...JULIET, inline: bindXml() })
  assert.deepEqual(childNames(success), ['additional-data', 'authorization-identifier'])
  assert.equal(childText(success, 'authorization-identifier'), CAPULET)
  assert.ok(childOf(juliet.features as Element, 'bind', NS.BIND))
  const refused = await juliet.request(`<iq type='set'><bind xmlns='${NS.BIND}'/></iq>`)
  assert.equal(conditionOf(refused), 'resource-constraint')
  first.destroy()
  await first.isClosed()
})

test('a login that began before its account was removed opens no account of that name', async t => {
  const server = await start(t, {})
  const juliet = await opened(t, server)
  const run = scramRun(juliet, JULIET, JULIET.mechanism)
  juliet.write(authenticateXml(JULIET.mechanism, run.first(), bindXml()))
  const challenge = Buffer.from((await juliet.next()).getText(), 'base64').toString()
  await server.server.accounts.remove('juliet', 'localhost')
  await server.server.accounts.create('juliet', 'localhost', 'of somebody else')
  const answer = Buffer.from(run.final(challenge)).toString('base64')
  juliet.write(`<response xmlns='${NS.SASL2}'>${answer}</response>`)
  const success = await juliet.next()
  assert.equal(childOf(success, 'bound', NS.BIND2), undefined)
  assert.equal((await juliet.next()).name, 'features')
  await assert.rejects(juliet.bind(), /not-allowed/)
})

test('XEP-0160: messages that waited are not dropped, for there is no archive', async t => {
  const server = await start(t, {})
  const romeo = await join(server, 'romeo', { jid: 'romeo@localhost' })
  t.after(() => romeo.destroy())
  await romeo.sends(`<message to='${CAPULET}' type='chat'><body>hail</body></message>`)
  await romeo.fence()
  const { juliet } = await bound(t, server)
  await juliet.fence()
  await juliet.receivesNothing()
  await juliet.sends('<presence/>')
  await juliet.finds(`<message from='${romeo.jid}'><body>hail</body></message>`)
})

// --- XEP-0198 §9.1, XEP-0352

const ENABLE = `<enable xmlns='${SM}' resume='true'/>`

test('XEP-0198 §9.1: a session begins with stream management', async t => {
  const server = await start(t)
  const { juliet, success } = await bound(t, server, { features: ENABLE })
  const answer = childOf(childOf(success, 'bound', NS.BIND2) as Element, 'enabled', SM)
  assert.equal(answer?.attrs.resume, 'true')
  assert.ok(answer?.attrs.id)
  // XEP-0198 §3: it may be enabled once, and @xmpp/client does whenever it is offered
  assert.equal(childOf(juliet.features as Element, 'sm', SM), undefined)
  await juliet.sends(`<presence/>`)
  await juliet.receives(`<presence from='${juliet.jid}'/>`)
  juliet.write(`<r xmlns='${SM}'/>`)
  await juliet.finds(`<a xmlns='${SM}' h='1'/>`)
})

test('XEP-0386 §3.2: what is not offered is not begun with', async t => {
  const server = await start(t, {})
  const features = `${ENABLE}<enable xmlns='urn:xmpp:carbons:2'/><inactive xmlns='${CSI}'/><x xmlns='urn:example'/>`
  const { juliet, success } = await bound(t, server, { features })
  assert.deepEqual(childNames(childOf(success, 'bound', NS.BIND2)), [])
  await juliet.fence()
})

test('XEP-0352: a session begins inactive, or active', async t => {
  const server = await start(t, { csi: { chatStates: 'never' } })
  const romeo = await join(server, 'romeo', { jid: 'romeo@localhost' })
  t.after(() => romeo.destroy())
  const typing = `<message to='{juliet}' type='chat'><composing xmlns='${CHAT_STATES}'/></message>`
  for (const state of ['inactive', 'active']) {
    const { juliet } = await bound(t, server, { features: `<${state} xmlns='${CSI}'/>` })
    romeo.vars.set('juliet', juliet.jid)
    await romeo.sends(typing)
    await romeo.sends(`<message to='{juliet}' type='chat'><body>hail</body></message>`)
    if (state === 'active')
      await juliet.receives(`<message from='${romeo.jid}'><composing xmlns='${CHAT_STATES}'/></message>`)
    await juliet.receives(`<message from='${romeo.jid}'><body>hail</body></message>`)
    juliet.write(`<active xmlns='${CSI}'/>`)
    await juliet.fence()
    await romeo.sends(typing)
    await juliet.receives(`<message from='${romeo.jid}'><composing xmlns='${CHAT_STATES}'/></message>`)
  }
})

// --- XEP-0198 §9.2

function resumeXml(previd: string, h: number | string = 0): string {
  return `<resume xmlns='${SM}' previd='${previd}' h='${h}'/>`
}

/** A session whose connection was cut, and a message that has come since; romeo has sent it. */
async function cut(
  t: TestContext,
  server: TestServer
): Promise<{ jid: string; previd: string; romeo: TestClient }> {
  const { juliet, success } = await bound(t, server, { features: ENABLE, tag: 'old' })
  const enabled = childOf(childOf(success, 'bound', NS.BIND2) as Element, 'enabled', SM)
  juliet.destroy()
  const romeo = await join(server, 'romeo', { jid: 'romeo@localhost' })
  t.after(() => romeo.destroy())
  await romeo.sends(`<message to='${juliet.jid}' type='chat'><body>hail</body></message>`)
  await romeo.fence()
  return { jid: juliet.jid, previd: String(enabled?.attrs.id), romeo }
}

test('XEP-0198 §9.2: a session is resumed with the login; bind is ignored, and no features follow', async t => {
  const server = await start(t)
  const { jid, previd, romeo } = await cut(t, server)
  const juliet = await opened(t, server)
  const more = resumeXml(previd)
  const success = await authenticate2(juliet, {
    ...JULIET,
    inline: bindXml({ more, features: ENABLE, tag: 'new' })
  })
  assert.deepEqual(childNames(success), ['additional-data', 'authorization-identifier', 'resumed'])
  assert.equal(childText(success, 'authorization-identifier'), jid)
  const resumed = childOf(success, 'resumed', SM)
  assert.deepEqual([resumed?.attrs.previd, resumed?.attrs.h], [previd, '0'])
  await juliet.receives(`<message from='${romeo.jid}'><body>hail</body></message>`)
  await juliet.finds(`<r xmlns='${SM}'/>`)
  await juliet.sends(`<message to='${romeo.jid}' type='chat'><body>welcome</body></message>`)
  await romeo.receives(`<message from='${jid}'><body>welcome</body></message>`)
  assert.equal(server.server.domains.get('localhost')?.sessions.of('juliet').size, 1)
})

test('XEP-0198 §9.2: a connection that is still there gives way', async t => {
  const server = await start(t)
  const { juliet: old, success } = await bound(t, server, { features: ENABLE })
  const enabled = childOf(childOf(success, 'bound', NS.BIND2) as Element, 'enabled', SM)
  const juliet = await opened(t, server)
  const inline = resumeXml(String(enabled?.attrs.id))
  const again = await authenticate2(juliet, { ...JULIET, inline })
  assert.ok(childOf(again, 'resumed', SM))
  await old.receives(`<error xmlns='${NS.STREAM}'><conflict xmlns='${NS.STREAM_ERRORS}'/></error>`)
  await old.isClosed()
  await juliet.fence()
})

test('XEP-0198 §9.2.1: what cannot be resumed is told, and a resource bound in the same step', async t => {
  const server = await start(t)
  for (const [more, condition] of [
    [resumeXml('nothing-like-that'), 'item-not-found'],
    [resumeXml('nothing-like-that', 'x'), 'bad-request'],
    [`<resume xmlns='${SM}'/>`, 'bad-request']
  ] as const) {
    const { juliet, success } = await bound(t, server, { more, features: ENABLE })
    assert.deepEqual(childNames(success), ['additional-data', 'authorization-identifier', 'failed', 'bound'])
    const failed = childOf(success, 'failed', SM) as Element
    assert.ok(childOf(failed, condition, STANZA_ERRORS), String(failed))
    assert.equal(childText(success, 'authorization-identifier'), juliet.jid)
    assert.ok(childOf(childOf(success, 'bound', NS.BIND2) as Element, 'enabled', SM))
    await juliet.fence()
  }
})

test('XEP-0198 §9.2.1: without <bind/> the client is authenticated and no more', async t => {
  const server = await start(t)
  const juliet = await opened(t, server)
  const success = await authenticate2(juliet, { ...JULIET, inline: resumeXml('nothing-like-that') })
  assert.deepEqual(childNames(success), ['additional-data', 'authorization-identifier', 'failed'])
  assert.equal(childText(success, 'authorization-identifier'), CAPULET)
  await juliet.bind('balcony')
})

test('without mod_smacks nothing is resumed', async t => {
  const server = await start(t, {})
  const { success } = await bound(t, server, { more: resumeXml('nothing-like-that') })
  const failed = childOf(success, 'failed', SM) as Element
  assert.ok(childOf(failed, 'feature-not-implemented', STANZA_ERRORS))
})

test('XEP-0198 §10: nobody resumes the session of another account', async t => {
  const server = await start(t)
  const { previd } = await cut(t, server)
  const mallory = await opened(t, server)
  await server.addUser('mallory@localhost', PASSWORD)
  const credentials = { ...JULIET, user: 'mallory' }
  const success = await authenticate2(mallory, { ...credentials, inline: resumeXml(previd) })
  assert.ok(childOf(childOf(success, 'failed', SM) as Element, 'item-not-found', STANZA_ERRORS))
  assert.equal(server.server.domains.get('localhost')?.sessions.of('juliet').size, 1)
})

test('XEP-0388 §2.6.2: nothing of a login that failed is done', async t => {
  const server = await start(t)
  const { previd, jid } = await cut(t, server)
  const mallory = await opened(t, server)
  const inline = bindXml({ more: resumeXml(previd) })
  await assert.rejects(authenticate2(mallory, { ...JULIET, password: 'wrong', inline }), /not-authorized/)
  assert.deepEqual(
    [...(server.server.domains.get('localhost')?.sessions.of('juliet').values() ?? [])].map(
      ({ jid }) => jid?.full
    ),
    [jid]
  )
  const juliet = await opened(t, server)
  assert.ok(childOf(await authenticate2(juliet, { ...JULIET, inline }), 'resumed', SM))
})

test('XEP-0198 §4: who says to have received more than was sent is cut off', async t => {
  const server = await start(t)
  const { previd } = await cut(t, server)
  const juliet = await opened(t, server)
  await assert.rejects(
    authenticate2(juliet, { ...JULIET, inline: resumeXml(previd, 1000) }),
    /handled-count-too-high/
  )
  await juliet.isClosed()
})

test('a client that comes back without resuming leaves no session of its own behind', async t => {
  const server = await start(t)
  const agent = randomUUID()
  const { juliet: first } = await bound(t, server, { agent, features: ENABLE, tag: 'one' })
  first.destroy()
  await bound(t, server, { agent, features: ENABLE, tag: 'two' })
  assert.equal(server.server.domains.get('localhost')?.sessions.of('juliet').size, 1)
})
