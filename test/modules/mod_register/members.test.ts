import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { IM_HOST, type Options } from '../../lib/config'
import { startTestServer, type TestServer } from '../../lib/server'
import { scenario } from '../../lib/wire'

const NS = 'jabber:iq:register'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

async function start(
  t: TestContext,
  options: Options = {},
  tls: 'optional' | 'off' = 'optional'
): Promise<TestServer> {
  const modules = { ...(IM_HOST.modules as Options), register: options }
  return startTestServer(t, { hosts: { localhost: { modules }, other: { modules } }, tls })
}

const password = (name: string, text: string, to = 'localhost'): string =>
  `<iq id='p' type='set' to='${to}'><query xmlns='${NS}'><username>${name}</username><password>${text}</password></query></iq>`

const refused = (condition: string, type: string, code: string): string =>
  `<iq type='error'><query t:absent='yes' xmlns='${NS}'/>
     <error type='${type}' code='${code}'><${condition} xmlns='${STANZAS}'/></error></iq>`

test('XEP-0077 §3.1: who is registered is told so, at the host and at the account', async t => {
  const server = await start(t)
  await scenario(server, { juliet: 'juliet@localhost' }, async ({ juliet }) => {
    for (const to of ["to='localhost'", "to='juliet@localhost'", '']) {
      await juliet.sends(`<iq id='g' type='get' ${to}><query xmlns='${NS}'/></iq>`)
      await juliet.receives(
        `<iq type='result'><query xmlns='${NS}'><registered/><instructions>*</instructions>
           <username>juliet</username><password t:exact='yes'/></query></iq>`
      )
    }
  })
})

test('XEP-0077 §3.3: a new password', async t => {
  const server = await start(t)
  const { accounts } = server.server
  await scenario(server, { juliet: 'juliet@localhost' }, async ({ juliet }) => {
    await juliet.sends(password('Juliet', 'another password'))
    await juliet.receives(`<iq type='result' id='p' t:exact='yes' from='localhost' to='{juliet}'/>`)
    assert.equal(await accounts.checkPassword('juliet', 'localhost', 'another password'), true)

    await juliet.sends(password('juliet', ''))
    await juliet.receives(refused('bad-request', 'modify', '400'))
    await juliet.sends(password('', 'yet another password'))
    await juliet.receives(refused('bad-request', 'modify', '400'))
    await juliet.sends(password('romeo', 'yet another password'))
    await juliet.receives(refused('not-acceptable', 'modify', '406'))
    await juliet.sends(password('juliet', 'short'))
    await juliet.receives(refused('not-acceptable', 'modify', '406'))
    assert.equal(await accounts.checkPassword('juliet', 'localhost', 'another password'), true)
  })
  assert.equal(JSON.stringify(server.log).includes('another password'), false)
})

test('XEP-0077 §3.3: not outside TLS, and not where the config forbids it', async t => {
  const open = await start(t, {}, 'off')
  const part = { jid: 'juliet@localhost', mechanism: 'SCRAM-SHA-256' }
  await scenario(open, { juliet: part }, async ({ juliet }) => {
    await juliet.sends(password('juliet', 'another password'))
    await juliet.receives(refused('not-authorized', 'modify', '401'))
  })
  const fixed = await start(t, { passwordChange: false, removal: false })
  await scenario(fixed, { juliet: 'juliet@localhost' }, async ({ juliet }) => {
    await juliet.sends(password('juliet', 'another password'))
    await juliet.receives(refused('not-allowed', 'cancel', '405'))
    await juliet.sends(`<iq id='r' type='set'><query xmlns='${NS}'><remove/></query></iq>`)
    await juliet.receives(refused('not-allowed', 'cancel', '405'))
  })
})

test('XEP-0077 §3.2: the account goes, the answer comes, all its streams end with not-authorized', async t => {
  const server = await start(t)
  const cast = {
    juliet: 'juliet@localhost/balcony',
    second: 'juliet@localhost/chamber',
    romeo: 'romeo@localhost'
  }
  await scenario(server, cast, async ({ juliet, second, romeo }) => {
    await juliet.sends(`<iq id='u' type='set'><query xmlns='${NS}'><remove/></query></iq>`)
    await juliet.receives(`<iq type='result' id='u' to='juliet@localhost/balcony'/>`)
    for (const stream of [juliet, second]) {
      await stream.receives(
        `<stream:error xmlns:stream='http://etherx.jabber.org/streams'>
           <not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
      )
      await stream.isClosed()
    }
    await romeo.receivesNothing()
  })
  assert.equal(await server.server.accounts.exists('juliet', 'localhost'), false)
  assert.deepEqual(server.errors(), [])
})

test('XEP-0077 §3.2: <remove/> stands alone', async t => {
  const server = await start(t)
  await scenario(server, { juliet: 'juliet@localhost' }, async ({ juliet }) => {
    await juliet.sends(
      `<iq id='u' type='set'><query xmlns='${NS}'><remove/><username>juliet</username></query></iq>`
    )
    await juliet.receives(refused('bad-request', 'modify', '400'))
    await juliet.receivesNothing()
  })
  assert.equal(await server.server.accounts.exists('juliet', 'localhost'), true)
})

test('nobody registers, changes or removes at a host, or for an account, that is not theirs', async t => {
  const server = await start(t)
  await scenario(server, { juliet: 'juliet@localhost', romeo: 'romeo@localhost' }, async ({ juliet }) => {
    await juliet.sends(`<iq id='g' type='get' to='other'><query xmlns='${NS}'/></iq>`)
    await juliet.receives(refused('service-unavailable', 'cancel', '503'))
    await juliet.sends(password('juliet', 'another password', 'other'))
    await juliet.receives(refused('service-unavailable', 'cancel', '503'))
    await juliet.sends(`<iq id='r' type='set' to='other'><query xmlns='${NS}'><remove/></query></iq>`)
    await juliet.receives(refused('registration-required', 'auth', '407'))
    await juliet.sends(
      `<iq id='r' type='set' to='romeo@localhost'><query xmlns='${NS}'><remove/></query></iq>`
    )
    await juliet.receives(refused('registration-required', 'auth', '407'))
    await juliet.sends(password('romeo', 'another password', 'romeo@localhost'))
    await juliet.receives(refused('service-unavailable', 'cancel', '503'))
  })
  const { accounts } = server.server
  assert.equal(await accounts.checkPassword('romeo', 'localhost', 'another password'), false)
  assert.equal(await accounts.exists('juliet', 'other'), false)
})
