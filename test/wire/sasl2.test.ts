import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { childOf, childrenOf, childText } from '../../core/xml/element'
import type { Element } from '../../core/xml/element'
import { NS } from '../../core/xml/namespaces'
import { bindingTypesOf, mechanismsIn } from '../lib/binding'
import { conditionOf, TestClient, type ConnectOptions } from '../lib/client'
import { IM_HOST, type Options, type TestServerOptions } from '../lib/config'
import { authenticate2, authenticateXml, plainXml } from '../lib/sasl2'
import { ScramClient } from '../lib/scram-client'
import { startTestServer, type TestServer } from '../lib/server'
import { PASSWORD } from '../lib/wire'

/* XEP-0388, without what may be asked for inline: see bind2.test.ts. */

const JULIET = { user: 'juliet', password: PASSWORD }
const CAPULET = 'juliet@localhost'
const encode = (text: string): string => Buffer.from(text).toString('base64')

function withSasl2(sasl2: Options = {}, others: Options = {}): TestServerOptions {
  return { hosts: { localhost: { modules: { ...(IM_HOST.modules as Options), ...others, sasl2 } } } }
}

async function start(t: TestContext, options = withSasl2()): Promise<TestServer> {
  const server = await startTestServer(t, options)
  await server.addUser(CAPULET, PASSWORD)
  return server
}

/** Connected, and shown the features; over direct TLS unless said. */
async function opened(
  t: TestContext,
  server: TestServer,
  { from, ...options }: Partial<ConnectOptions> & { from?: string } = {}
): Promise<TestClient> {
  const transport = options.transport ?? 'tls'
  const port = server.ports[transport] as number
  const client = await TestClient.connect({
    port,
    domain: 'localhost',
    transport,
    name: 'juliet',
    ...options
  })
  t.after(() => client.destroy())
  await client.open(from === undefined ? {} : { from })
  return client
}

async function failsWith(client: TestClient, condition: string): Promise<Element> {
  const failure = await client.next(`the failure ${condition}`)
  assert.equal(failure.name, 'failure')
  assert.equal(failure.attrs.xmlns, NS.SASL2)
  assert.equal(conditionOf(failure), condition)
  assert.equal(childrenOf(failure)[0]?.attrs.xmlns, NS.SASL, 'XEP-0388 §2.6.2: the conditions of RFC 6120')
  return failure
}

async function endsWith(client: TestClient, condition: string): Promise<void> {
  const error = await client.next(`the stream error ${condition}`)
  assert.equal(error.name, 'error')
  assert.equal(conditionOf(error), condition)
  await client.isClosed()
}

for (const mechanism of ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'])
  test(`XEP-0388 §5.1: login with ${mechanism}, no restart, features at once`, async t => {
    const server = await start(t)
    const juliet = await opened(t, server)
    const id = juliet.header?.id
    const success = await authenticate2(juliet, { ...JULIET, mechanism })
    assert.equal(childText(success, 'authorization-identifier'), CAPULET)
    assert.equal(childText(success, 'additional-data') === undefined, mechanism === 'PLAIN')
    assert.equal(juliet.header?.id, id)
    const features = juliet.features as Element
    assert.ok(childOf(features, 'bind', NS.BIND))
    assert.deepEqual([...mechanismsIn(features), ...mechanismsIn(features, NS.SASL2)], [])
    await juliet.bind('balcony')
    await juliet.fence()
  })

test('XEP-0388 §2.1: offered inside TLS beside the old list, with its bindings', async t => {
  const server = await start(t)
  const juliet = await opened(t, server)
  const features = juliet.features as Element
  const others = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN']
  assert.deepEqual(mechanismsIn(features, NS.SASL2), ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS', ...others])
  assert.deepEqual(mechanismsIn(features), others)
  assert.deepEqual(bindingTypesOf(features), ['tls-exporter', 'tls-server-end-point'])
})

test('XEP-0388 §3: not offered outside TLS, nor taken there', async t => {
  const server = await start(t)
  const juliet = await opened(t, server, { transport: 'tcp' })
  assert.deepEqual(mechanismsIn(juliet.features as Element, NS.SASL2), [])
  juliet.write(authenticateXml('SCRAM-SHA-256', 'n,,n=juliet,r=abcdefgh'))
  await endsWith(juliet, 'unsupported-stanza-type')
})

test('after STARTTLS it is', async t => {
  const server = await start(t)
  const juliet = await opened(t, server, { transport: 'tcp' })
  await juliet.startTls()
  await authenticate2(juliet, { ...JULIET, mechanism: 'SCRAM-SHA-256-PLUS' })
})

test('`outsideTls` offers it there, without PLAIN and without channel binding', async t => {
  const server = await start(t, withSasl2({ outsideTls: true }))
  const juliet = await opened(t, server, { transport: 'tcp' })
  const features = juliet.features as Element
  assert.deepEqual(mechanismsIn(features, NS.SASL2), ['SCRAM-SHA-256', 'SCRAM-SHA-1'])
  assert.deepEqual(bindingTypesOf(features), [])
  juliet.write(plainXml(JULIET))
  await failsWith(juliet, 'encryption-required')
  await authenticate2(juliet, JULIET)
})

test('`channelBinding: false` takes -PLUS and the announcement away', async t => {
  const server = await start(t, withSasl2({}, { saslauth: { channelBinding: false } }))
  const juliet = await opened(t, server)
  const features = juliet.features as Element
  assert.deepEqual(mechanismsIn(features, NS.SASL2), ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'])
  assert.deepEqual(bindingTypesOf(features), [])
  await authenticate2(juliet, { ...JULIET, flag: 'y' })
})

test('`plusInOldList` has -PLUS there inside TLS 1.3, too', async t => {
  const server = await start(t, withSasl2({}, { saslauth: { plusInOldList: true } }))
  const juliet = await opened(t, server)
  const [best] = mechanismsIn(juliet.features as Element)
  assert.equal(best, 'SCRAM-SHA-256-PLUS')
  await juliet.authenticate({ ...JULIET, mechanism: 'SCRAM-SHA-256-PLUS' })
})

test('without mod_saslauth there is no mechanism, so it is not offered (XEP-0388 §2.1)', async t => {
  const { saslauth: _none, ...others } = IM_HOST.modules as Options
  const server = await start(t, { hosts: { localhost: { modules: { ...others, sasl2: {} } } } })
  const juliet = await opened(t, server)
  assert.equal(childOf(juliet.features as Element, 'authentication', NS.SASL2), undefined)
})

test('without mod_sasl2 it is not there', async t => {
  const server = await start(t, { hosts: { localhost: IM_HOST } })
  const juliet = await opened(t, server)
  assert.equal(childOf(juliet.features as Element, 'authentication', NS.SASL2), undefined)
  assert.deepEqual(bindingTypesOf(juliet.features as Element), [])
  juliet.write(plainXml(JULIET))
  await endsWith(juliet, 'unsupported-stanza-type')
})

test('over WebSocket too', async t => {
  const server = await start(t, withSasl2({ outsideTls: true }))
  const juliet = await opened(t, server, { transport: 'ws' })
  await authenticate2(juliet, JULIET)
  await juliet.bind('balcony')
})

// --- what fails

const authenticate = (content: string, mechanism = 'PLAIN'): string =>
  `<authenticate xmlns='${NS.SASL2}' mechanism='${mechanism}'>${content}</authenticate>`
const initial = (data: string): string => `<initial-response>${data}</initial-response>`

const FAILURES: Array<[what: string, sent: string, condition: string]> = [
  ['a wrong password', plainXml({ user: 'juliet', password: 'wrong' }), 'not-authorized'],
  ['an unknown account', plainXml({ user: 'nobody', password: 'wrong' }), 'not-authorized'],
  ['a mechanism that is not offered', authenticate('', 'CRAM-MD5'), 'invalid-mechanism'],
  ['no mechanism', `<authenticate xmlns='${NS.SASL2}'/>`, 'invalid-mechanism'],
  ['a name that objects have', authenticate('', 'constructor'), 'invalid-mechanism'],
  ['data that is no base64', authenticate(initial('!!!!')), 'incorrect-encoding'],
  ['an equals sign, which is none here', authenticate(initial('=')), 'incorrect-encoding'],
  ['base64 without its padding', authenticate(initial('AGE')), 'incorrect-encoding'],
  ['an element for data', authenticate(initial('<a/>')), 'malformed-request'],
  ['data of no length', authenticate(initial('')), 'malformed-request'],
  ['data that is no PLAIN', authenticate(initial(encode('juliet'))), 'malformed-request'],
  ['an authzid of somebody else', plainXml({ ...JULIET, authzid: 'romeo@localhost' }), 'invalid-authzid'],
  ['a response to nothing', `<response xmlns='${NS.SASL2}'>aGk=</response>`, 'malformed-request'],
  ['an abort of nothing', `<abort xmlns='${NS.SASL2}'/>`, 'aborted'],
  ['"y" where -PLUS was offered', authenticateXml('SCRAM-SHA-256', 'y,,n=juliet,r=abc'), 'malformed-request'],
  [
    'a binding that is not there',
    authenticateXml('SCRAM-SHA-1-PLUS', 'p=tls-unique,,n=juliet,r=abc'),
    'malformed-request'
  ]
]

test('XEP-0388 §2.6.2: a failure leaves the stream as it was', async t => {
  const server = await start(t)
  for (const [what, sent, condition] of FAILURES)
    await t.test(`${what} is ${condition}`, async t => {
      const juliet = await opened(t, server)
      juliet.write(sent)
      await failsWith(juliet, condition)
      await authenticate2(juliet, JULIET)
      await juliet.bind()
    })
})

test('RFC 6120 §6.4.5: retries are bounded, those of both profiles together', async t => {
  const server = await start(t)
  const juliet = await opened(t, server)
  const old = `<auth xmlns='${NS.SASL}' mechanism='X-NONE'/>`
  const sent = [old, authenticate('', 'X-NONE'), `<abort xmlns='${NS.SASL2}'/>`, old, old, authenticate('')]
  for (const one of sent) {
    juliet.write(one)
    await juliet.next('an answer')
  }
  // The last was a challenge: PLAIN without an initial response
  juliet.write(`<abort xmlns='${NS.SASL2}'/>`)
  await failsWith(juliet, 'aborted')
  await endsWith(juliet, 'policy-violation')
})

test('XEP-0388 §4.5: a login is aborted, with a reason; another succeeds', async t => {
  const server = await start(t)
  const juliet = await opened(t, server)
  juliet.write(authenticateXml('SCRAM-SHA-256', 'n,,n=juliet,r=abcdefgh'))
  await juliet.receives(`<challenge xmlns='${NS.SASL2}'/>`)
  juliet.write(`<abort xmlns='${NS.SASL2}'><text>Who is there?</text></abort>`)
  await failsWith(juliet, 'aborted')
  await authenticate2(juliet, JULIET)
})

test('XEP-0388 §2.3: without an initial response there is an empty challenge', async t => {
  const server = await start(t)
  const juliet = await opened(t, server)
  juliet.write(authenticate(''))
  const challenge = await juliet.receives(`<challenge xmlns='${NS.SASL2}'/>`)
  assert.equal(challenge.getText(), '')
  juliet.write(`<response xmlns='${NS.SASL2}'>${encode(`\0juliet\0${PASSWORD}`)}</response>`)
  await juliet.receives(`<success xmlns='${NS.SASL2}'/>`)
})

test('XEP-0388 §2.2: white space around the data does no harm', async t => {
  const server = await start(t)
  const juliet = await opened(t, server)
  const data = encode(`\0juliet\0${PASSWORD}`)
  juliet.write(authenticate(initial(`\n  ${data.slice(0, 10)}\n  ${data.slice(10)}\n`)))
  await juliet.receives(`<success xmlns='${NS.SASL2}'/>`)
})

const DISTURBANCES: Array<[what: string, sent: string]> = [
  ['a message', `<message to='romeo@localhost'><body>hail</body></message>`],
  ['an iq', `<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>`],
  ['the old profile', `<auth xmlns='${NS.SASL}' mechanism='PLAIN'>AGEAYg==</auth>`],
  ['a response of the old profile', `<response xmlns='${NS.SASL}'>aGk=</response>`],
  ['STARTTLS', `<starttls xmlns='${NS.TLS}'/>`],
  ['a second <authenticate/>', authenticate(initial('AGEAYg=='))],
  ['<next/>', `<next xmlns='${NS.SASL2}' task='NONE'/>`],
  ['what nobody knows', `<x xmlns='urn:example'/>`]
]

test('XEP-0388 §2.4: nothing else may come during a login', async t => {
  const server = await start(t)
  for (const [what, sent] of DISTURBANCES)
    await t.test(what, async t => {
      const juliet = await opened(t, server)
      juliet.write(authenticateXml('SCRAM-SHA-256', 'n,,n=juliet,r=abcdefgh'))
      await juliet.receives(`<challenge xmlns='${NS.SASL2}'/>`)
      juliet.write(sent)
      await endsWith(juliet, 'policy-violation')
    })
})

test('XEP-0388 §4.8: nobody logs in twice', async t => {
  const server = await start(t)
  for (const again of [plainXml(JULIET), `<auth xmlns='${NS.SASL}' mechanism='PLAIN'>AGEAYg==</auth>`]) {
    const juliet = await opened(t, server)
    await authenticate2(juliet, JULIET)
    juliet.write(again)
    await endsWith(juliet, 'unsupported-stanza-type')
  }
  const bound = await opened(t, server)
  await authenticate2(bound, { ...JULIET, inline: `<bind xmlns='${NS.BIND2}'/>` })
  bound.write(plainXml(JULIET))
  await endsWith(bound, 'unsupported-stanza-type')
})

test('XEP-0388 §2.3: whoever the header is from must be who logs in', async t => {
  const server = await start(t)
  await server.addUser('romeo@localhost', PASSWORD)
  const juliet = await opened(t, server, { from: CAPULET })
  await authenticate2(juliet, { ...JULIET, authzid: CAPULET })
  const mallory = await opened(t, server, { from: 'romeo@localhost' })
  for (const authzid of ['', CAPULET]) {
    mallory.write(plainXml({ ...JULIET, authzid, inline: `<bind xmlns='${NS.BIND2}'/>` }))
    await failsWith(mallory, 'invalid-authzid')
  }
  assert.equal(server.server.domains.get('localhost')?.sessions.of('juliet').size, 0)
  await authenticate2(mallory, { user: 'romeo', password: PASSWORD })
})

test('XEP-0388 §2.1: a header from another domain is invalid', async t => {
  const server = await start(t)
  const port = server.ports.tls as number
  for (const from of ['juliet@example.org', 'example.org', 'localhost@example.org']) {
    const juliet = await TestClient.connect({ port, domain: 'localhost', transport: 'tls', name: 'juliet' })
    t.after(() => juliet.destroy())
    juliet.channel.open({ to: 'localhost', from })
    await endsWith(juliet, 'invalid-from')
  }
})

test('header and <authenticate/> may come in one packet, for the features can be remembered (§2.1)', async t => {
  const server = await start(t)
  const client = await opened(t, server)
  client.destroy()
  const port = server.ports.tls as number
  const juliet = await TestClient.connect({ port, domain: 'localhost', transport: 'tls', name: 'juliet' })
  t.after(() => juliet.destroy())
  const head = `<stream:stream xmlns='${NS.CLIENT}' xmlns:stream='${NS.STREAM}' to='localhost' version='1.0'>`
  juliet.write(head + plainXml({ ...JULIET, inline: `<bind xmlns='${NS.BIND2}'/>` }))
  assert.equal((await juliet.next()).name, 'features')
  const success = await juliet.next()
  assert.ok(childOf(success, 'bound', NS.BIND2))
})

test('XEP-0474 §6.1: what is vouched for is what was offered, though the config has changed since', async t => {
  const server = await start(t)
  const juliet = await opened(t, server)
  await server.server.api.modules.unload('sasl2', 'localhost')
  await authenticate2(juliet, { ...JULIET, mechanism: 'SCRAM-SHA-256-PLUS' })
})

test('a login goes on while the modules that offer it are reloaded', async t => {
  const server = await start(t)
  const juliet = await opened(t, server)
  const run = new ScramClient({ user: 'juliet', password: PASSWORD })
  juliet.write(authenticateXml('SCRAM-SHA-256', run.first(), `<bind xmlns='${NS.BIND2}'/>`))
  const challenge = await juliet.receives(`<challenge xmlns='${NS.SASL2}'/>`)
  for (const name of ['saslauth', 'sasl2']) await server.server.api.modules.reload(name)
  const answer = run.final(Buffer.from(challenge.getText(), 'base64').toString())
  juliet.write(`<response xmlns='${NS.SASL2}'>${encode(answer)}</response>`)
  const success = await juliet.next()
  assert.ok(childOf(success, 'bound', NS.BIND2), String(success))
})

test('logins are counted by mechanism and profile', async t => {
  const server = await start(t)
  await authenticate2(await opened(t, server), JULIET)
  await (await opened(t, server)).authenticate({ ...JULIET, mechanism: 'SCRAM-SHA-1' })
  const text = await server.server.metrics.text()
  for (const [mechanism, profile] of [
    ['SCRAM-SHA-256-PLUS', 'sasl2'],
    ['SCRAM-SHA-1', 'old']
  ])
    assert.match(text, new RegExp(`logins_total{mechanism="${mechanism}",profile="${profile}"} 1`))
})

test('a wrong password in SCRAM is told with the challenge of anybody', async t => {
  const server = await start(t)
  for (const user of ['juliet', 'nobody']) {
    const client = await opened(t, server)
    const run = new ScramClient({ user, password: 'wrong' })
    client.write(authenticateXml('SCRAM-SHA-256', run.first()))
    const challenge = await client.receives(`<challenge xmlns='${NS.SASL2}'/>`)
    const answer = run.final(Buffer.from(challenge.getText(), 'base64').toString())
    client.write(`<response xmlns='${NS.SASL2}'>${encode(answer)}</response>`)
    const failure = await failsWith(client, 'not-authorized')
    assert.equal(childrenOf(failure).length, 1)
  }
})
