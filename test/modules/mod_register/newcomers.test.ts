import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { conditionOf, TestClient } from '../../lib/client'
import { IM_HOST, type Options } from '../../lib/config'
import { startTestServer, type TestServer } from '../../lib/server'

const NS = 'jabber:iq:register'
const FEATURE = 'http://jabber.org/features/iq-register'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

function withRegister(options: Options): Options {
  return { ...IM_HOST, modules: { ...(IM_HOST.modules as Options), register: options } }
}

async function start(t: TestContext, options: Options = {}, more: Options = {}): Promise<TestServer> {
  return startTestServer(t, { hosts: { localhost: withRegister(options) }, ...more })
}

/** A stream inside TLS on which nobody has logged in. */
async function stranger(t: TestContext, server: TestServer, { tls = true } = {}): Promise<TestClient> {
  const client = await TestClient.connect({
    port: server.ports.tcp as number,
    domain: 'localhost',
    name: 'a stranger'
  })
  t.after(() => client.destroy())
  await client.open()
  if (tls) await client.startTls()
  return client
}

const ask = (inside: string): string => `<iq type='set'><query xmlns='${NS}'>${inside}</query></iq>`
const account = (name: string, password: string): string =>
  ask(`<username>${name}</username><password>${password}</password>`)

/** The error of an answer, with type and code of old; what was asked is not repeated (a password is in it). */
async function isRefused(
  client: TestClient,
  iq: string,
  condition: string,
  type: string,
  code: string
): Promise<void> {
  const answer = await client.request(iq)
  client.unread.unshift(answer)
  await client.receives(
    `<iq type='error' from='localhost'><query t:absent='yes' xmlns='${NS}'/>
       <error type='${type}' code='${code}'><${condition} xmlns='${STANZAS}'/></error></iq>`
  )
}

test('XEP-0077 §3.1: a stranger is told what is needed, makes an account and logs in', async t => {
  const server = await start(t)
  const client = await stranger(t, server)
  client.unread.push(await client.request(`<iq type='get' to='localhost'><query xmlns='${NS}'/></iq>`))
  await client.receives(
    `<iq type='result' from='localhost'><query xmlns='${NS}' t:exact='yes'>
       <instructions>*</instructions><username/><password/></query></iq>`
  )
  client.unread.push(await client.request(account('Juliet', 'wherefore art thou')))
  await client.receives(`<iq type='result' from='localhost' id='*' t:exact='yes'/>`)
  await client.authenticate({ user: 'juliet', password: 'wherefore art thou' })
  assert.equal(await client.bind('balcony'), 'juliet@localhost/balcony')
  assert.equal(
    JSON.stringify(server.log).includes('wherefore'),
    false,
    'the password is in no line of the log'
  )
})

test('XEP-0077 §8, §10: the stream feature is offered inside TLS, the disco feature to those who are there', async t => {
  const server = await start(t)
  const client = await stranger(t, server, { tls: false })
  assert.equal(
    client.features?.children.some(child => typeof child !== 'string' && child.name === 'register'),
    false
  )
  await client.startTls()
  assert.ok(client.features?.getChild('register', FEATURE))
  await client.request(account('juliet', 'wherefore art thou'))
  await client.authenticate({ user: 'juliet', password: 'wherefore art thou' })
  assert.equal(client.features?.getChild('register', FEATURE), undefined, 'not after login')
  await client.bind()
  const info = await client.request(
    `<iq type='get' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
  )
  assert.match(info.toString(), /<feature var="jabber:iq:register"\/>/)
})

test('outside TLS nothing is taken, unless the config says so', async t => {
  const server = await start(t)
  const client = await stranger(t, server, { tls: false })
  await isRefused(client, account('juliet', 'wherefore art thou'), 'not-authorized', 'modify', '401')
  assert.equal(await server.server.accounts.exists('juliet', 'localhost'), false)

  const closed = await start(t, { requireTls: false })
  const insider = await stranger(t, closed, { tls: false })
  assert.ok(insider.features?.getChild('register', FEATURE))
  assert.equal((await insider.request(account('juliet', 'wherefore art thou'))).attrs.type, 'result')
})

test('XEP-0077 §3.1: names and passwords that cannot be taken', async t => {
  const server = await start(t, { attemptsPerAddress: 100 }, { config: { operators: ['boss@localhost'] } })
  await server.addUser('juliet@localhost', 'a password for tests')
  const client = await stranger(t, server)
  const refused = (
    name: string,
    password: string,
    condition = 'not-acceptable',
    type = 'modify',
    code = '406'
  ) => isRefused(client, account(name, password), condition, type, code)

  await isRefused(client, ask(''), 'not-acceptable', 'modify', '406')
  await isRefused(client, ask('<username>romeo</username>'), 'not-acceptable', 'modify', '406')
  await isRefused(client, ask('<password>wherefore art thou</password>'), 'not-acceptable', 'modify', '406')
  await refused('romeo', '')
  await refused('romeo', 'short')
  await refused('two words', 'wherefore art thou')
  await refused('romeo@localhost', 'wherefore art thou')
  await refused('x'.repeat(65), 'wherefore art thou')
  await refused('x'.repeat(4000), 'wherefore art thou')
  await refused('romeo', 'x'.repeat(4000))
  await refused('JULIET', 'wherefore art thou', 'conflict', 'cancel', '409')
  await refused('postmaster', 'wherefore art thou', 'conflict', 'cancel', '409')
  await isRefused(client, ask('<remove/>'), 'unexpected-request', 'wait', '400')
  assert.equal(
    await server.server.accounts.count('localhost'),
    2,
    'juliet, and the operator of the first start'
  )
})

test('the name of an administrator whose account is gone cannot be had', async t => {
  const server = await start(t, {}, { config: { operators: ['boss@localhost'] } })
  await server.server.accounts.remove('boss', 'localhost')
  const client = await stranger(t, server)
  await isRefused(client, account('Boss', 'wherefore art thou'), 'conflict', 'cancel', '409')
  assert.equal(await server.server.accounts.exists('boss', 'localhost'), false)
})

test('XEP-0077 §3.1.1: one stream makes one account', async t => {
  const server = await start(t)
  const client = await stranger(t, server)
  // Both are on their way before the first is answered
  client.send(account('juliet', 'wherefore art thou').replace('<iq', "<iq id='1'"))
  client.send(account('romeo', 'wherefore art thou').replace('<iq', "<iq id='2'"))
  await client.receives(`<iq type='result' id='1'/>`)
  await client.receives(
    `<iq type='error' id='2'><error type='modify' code='406'><not-acceptable xmlns='${STANZAS}'/></error></iq>`
  )
  assert.equal(await server.server.accounts.exists('romeo', 'localhost'), false)
})

test('attempts and accounts are counted by address, over all streams, also over a reload', async t => {
  const server = await start(t, { accountsPerAddress: 2, attemptsPerAddress: 5 })
  const make = async (name: string, password = 'wherefore art thou'): Promise<string> => {
    const client = await stranger(t, server)
    const answer = await client.request(account(name, password))
    return answer.attrs.type === 'error' ? conditionOf(answer) : 'made'
  }
  assert.equal(await make('one'), 'made')
  assert.equal(await make('two'), 'made')
  assert.equal(await make('three'), 'resource-constraint')
  assert.ok((await server.server.manager.reload('register')).ok)
  assert.equal(await make('three'), 'resource-constraint')
  assert.equal(await make('one'), 'conflict')
  assert.equal(await make('one'), 'resource-constraint', 'a sixth attempt, whatever it is for')
  assert.equal(await server.server.accounts.exists('three', 'localhost'), false)
})

test('the host has a bound of its own', async t => {
  const server = await start(t, { accountsPerHour: 1 })
  const first = await stranger(t, server)
  assert.equal((await first.request(account('one', 'wherefore art thou'))).attrs.type, 'result')
  const second = await stranger(t, server)
  await isRefused(second, account('two', 'wherefore art thou'), 'resource-constraint', 'wait', '500')
})

test('newAccounts: false offers nothing to strangers', async t => {
  const server = await start(t, { newAccounts: false })
  const client = await stranger(t, server)
  assert.equal(client.features?.getChild('register', FEATURE), undefined)
  await isRefused(client, `<iq type='get'><query xmlns='${NS}'/></iq>`, 'not-allowed', 'cancel', '405')
  await isRefused(client, account('juliet', 'wherefore art thou'), 'not-allowed', 'cancel', '405')
})

test('without the module the stream ends (RFC 6120 §4.3.5)', async t => {
  const server = await startTestServer(t)
  const client = await stranger(t, server)
  client.send(`<iq id='1' type='get'><query xmlns='${NS}'/></iq>`)
  await client.receives(
    `<stream:error xmlns:stream='http://etherx.jabber.org/streams'>
       <not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
  )
  await client.isClosed()
})

test('what is addressed to others, or is no request, ends the stream', async t => {
  const server = await start(t)
  for (const iq of [
    `<iq id='1' type='get' to='elsewhere.example'><query xmlns='${NS}'/></iq>`,
    `<iq id='1' type='set' to='juliet@localhost'><query xmlns='${NS}'><remove/></query></iq>`,
    `<iq id='1' type='result'><query xmlns='${NS}'/></iq>`,
    `<iq id='1'><query xmlns='${NS}'/></iq>`
  ]) {
    const client = await stranger(t, server)
    client.send(iq)
    await client.receives(
      `<stream:error xmlns:stream='http://etherx.jabber.org/streams'>
         <not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
    )
    await client.isClosed()
  }
  assert.deepEqual(server.errors(), [])
})

test('an iq without id is refused, and two requests at once make one account', async t => {
  const server = await start(t)
  const client = await stranger(t, server)
  client.send(`<iq type='get'><query xmlns='${NS}'/></iq>`)
  await client.receives(
    `<iq type='error'><error type='modify' code='400'><bad-request xmlns='${STANZAS}'/></error></iq>`
  )

  const rivals = await Promise.all([1, 2, 3].map(() => stranger(t, server)))
  const answers = await Promise.all(
    rivals.map(rival => rival.request(account('juliet', 'wherefore art thou')))
  )
  assert.deepEqual(answers.map(answer => answer.attrs.type as string).sort(), ['error', 'error', 'result'])
  assert.deepEqual(server.errors(), [])
})
