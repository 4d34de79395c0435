import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { NS } from '../../core/xml/namespaces'
import { handshake, TestComponent } from '../lib/component'
import { IM_HOST, testConfig } from '../lib/config'
import { startTestServer } from '../lib/server'
import type { TestServer } from '../lib/server'
import { join, scenario } from '../lib/wire'

const IRC = 'irc.localhost'
const SECRET = 'moves to the music'

const LISTEN = [{ address: '127.0.0.1', port: 0 }]

function hosts(options: object = {}, others: Record<string, object> = {}) {
  return {
    localhost: IM_HOST,
    [IRC]: { type: 'component', modules: { component: { secret: SECRET, listen: LISTEN, ...options } } },
    ...others
  }
}

const portOf = (server: TestServer): number => server.server.components.listeners.ports()[0]?.port ?? 0

async function start(t: TestContext, options: object = {}): Promise<{ server: TestServer; port: number }> {
  const server = await startTestServer(t, { hosts: hosts(options) })
  return { server, port: portOf(server) }
}

const statusOf = (server: TestServer) => {
  const [status] = server.server.components.list()
  assert.ok(status)
  return status
}

const condition = (name: string, type: string): string =>
  `<error type='${type}'><${name} xmlns='${NS.STANZA_ERRORS}'/></error>`

const metric = async (server: TestServer, line: RegExp): Promise<void> =>
  assert.match(await server.server.metrics.text(), line)

test('XEP-0114 §3: header, handshake and stanzas in both directions', async t => {
  const { server, port } = await start(t)
  const irc = await TestComponent.connect(t, port, IRC)
  const id = await irc.open()
  assert.equal(irc.header?.xmlns, NS.COMPONENT)
  assert.equal(irc.header?.from, IRC)
  assert.equal(irc.header?.version, undefined)
  assert.ok(id.length >= 16, 'the id cannot be guessed')
  irc.write(`<handshake>${handshake(id, SECRET)}</handshake>`)
  await irc.receives(`<handshake t:exact='yes'/>`)
  await metric(server, /balcony_components_connected\{direction="accepted"\} 1/)

  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    await juliet.sends(`<message to='nurse@irc.localhost/x' id='m1'><body>Anon, good nurse!</body></message>`)
    await irc.receives(
      `<message from='juliet@localhost/balcony' to='nurse@irc.localhost/x' id='m1'><body>Anon, good nurse!</body></message>`
    )
    await irc.sends(
      `<message from='nurse@irc.localhost/x' to='juliet@localhost/balcony'><body>Madam!</body></message>`
    )
    await juliet.receives(`<message from='nurse@irc.localhost/x'><body>Madam!</body></message>`)

    // Its own are all names at its host, and the host itself
    await juliet.sends(`<iq type='get' id='v' to='irc.localhost'><query xmlns='jabber:iq:version'/></iq>`)
    await irc.receives(
      `<iq type='get' id='v' from='juliet@localhost/balcony'><query xmlns='jabber:iq:version'/></iq>`
    )
    await irc.sends(
      `<iq type='result' id='v' from='irc.localhost' to='juliet@localhost/balcony'><query xmlns='jabber:iq:version'><name>An IRC gateway</name></query></iq>`
    )
    await juliet.receives(
      `<iq type='result' id='v' from='irc.localhost'><query xmlns='jabber:iq:version'><name>An IRC gateway</name></query></iq>`
    )

    // Requests of the component are answered by the server
    const answer = await irc.request(
      `<iq type='get' from='someone@irc.localhost' to='localhost'><query xmlns='jabber:iq:version'/></iq>`
    )
    assert.equal(answer.attrs.type, 'result')
    assert.equal(answer.attrs.to, 'someone@irc.localhost')
    await juliet.sends(`<presence to='nurse@irc.localhost' type='subscribe'/>`)
    await irc.receives(`<presence from='juliet@localhost' to='nurse@irc.localhost' type='subscribe' />`)
    await irc.receivesNothing()
  })
  assert.deepEqual(server.errors(), [])
})

test('XEP-0030: the host above names the component', async t => {
  const { server } = await start(t)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    const items = await juliet.request(
      `<iq type='get' to='localhost'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`
    )
    assert.match(String(items), /irc\.localhost/)
  })
})

test('XEP-0114 §3: a wrong handshake ends the stream with not-authorized', async t => {
  const { server, port } = await start(t)
  const wrong = ['', 'nonsense', handshake('another stream', SECRET), 'ﬀ']
  for (const what of wrong) {
    const irc = await TestComponent.connect(t, port, IRC)
    await irc.open()
    irc.write(`<handshake>${what}</handshake>`)
    await irc.isRefused('not-authorized')
  }
  const upper = await TestComponent.connect(t, port, IRC)
  const id = await upper.open()
  upper.write(`<handshake>${handshake(id, SECRET).toUpperCase()}</handshake>`)
  await upper.isRefused('not-authorized')
  await metric(server, /balcony_components_refused_total\{reason="not-authorized"\} 5/)
  assert.equal(statusOf(server).connected, false)
})

test('the log tells who was not let in, once a minute', async t => {
  const { server, port } = await start(t)
  for (const name of [IRC, IRC, 'irk.localhost', 'irq.localhost']) {
    const refused = await TestComponent.connect(t, port, name)
    await refused.open()
    refused.write('<handshake>nonsense</handshake>')
    await refused.isRefused(name === IRC ? 'not-authorized' : 'host-unknown')
  }
  const told = server.log.filter(
    ({ level, msg }) => level === 'warn' && msg?.startsWith('a component was refused')
  )
  assert.deepEqual(
    told.map(({ component, from, msg }) => [component, from, msg]),
    [
      [IRC, '127.0.0.1', 'a component was refused: not-authorized: the handshake is wrong'],
      [
        'irk.localhost',
        '127.0.0.1',
        'a component was refused: host-unknown: no component of that name may connect here'
      ]
    ]
  )
})

test('a handshake of another connection is not worth anything', async t => {
  const { port } = await start(t)
  // The id is ours, whatever the component would like
  const chooser = await TestComponent.connect(t, port, IRC)
  assert.notEqual(await chooser.open({ id: 'chosen' }), 'chosen')
  chooser.write(`<handshake>${handshake('chosen', SECRET)}</handshake>`)
  await chooser.isRefused('not-authorized')
  const first = await TestComponent.connect(t, port, IRC)
  const overheard = handshake(await first.open(), SECRET)
  const second = await TestComponent.connect(t, port, IRC)
  await second.open()
  second.write(`<handshake>${overheard}</handshake>`)
  await second.isRefused('not-authorized')
})

test('nothing is taken before the handshake', async t => {
  const { server, port } = await start(t)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    const early = [
      `<message from='nurse@irc.localhost' to='juliet@localhost/balcony'><body>forged</body></message>`,
      `<presence from='nurse@irc.localhost' to='juliet@localhost' type='subscribe'/>`,
      `<iq type='get' id='1' from='irc.localhost' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`,
      `<handshake xmlns='jabber:client'>x</handshake>`,
      `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'/>`,
      `<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`
    ]
    for (const xml of early) {
      const irc = await TestComponent.connect(t, port, IRC)
      await irc.open()
      // In one packet with a handshake that is right
      irc.write(`${xml}<handshake>${handshake(irc.header?.id ?? '', SECRET)}</handshake>`)
      await irc.isRefused('not-authorized')
    }
    await juliet.receivesNothing()
  })
  assert.equal(statusOf(server).connected, false)
})

test('a header that cannot be served is answered with a header and an error', async t => {
  const { server, port } = await start(t)
  const unknown = [
    'example.org',
    'localhost',
    'nurse@irc.localhost',
    '',
    'x.irc.localhost',
    'irc.localhost/x'
  ]
  for (const to of unknown) {
    const other = await TestComponent.connect(t, port, IRC)
    await other.open({ to })
    await other.isRefused('host-unknown')
  }
  const nameless = await TestComponent.connect(t, port, IRC)
  nameless.write(`<stream:stream xmlns='${NS.COMPONENT}' xmlns:stream='${NS.STREAM}'>`)
  await nameless.isRefused('host-unknown')
  for (const xmlns of ['jabber:client', 'jabber:server', 'jabber:component:connect']) {
    const other = await TestComponent.connect(t, port, IRC)
    await other.open({ xmlns })
    await other.isRefused('invalid-namespace')
  }
  for (const garbage of ['GET / HTTP/1.1\r\n\r\n', '<handshake/>', `<?xml version='1.0'?><!DOCTYPE x>`]) {
    const other = await TestComponent.connect(t, port, IRC)
    other.write(garbage)
    await other.isClosed()
  }
  assert.deepEqual(server.errors(), [])
})

test('a domain is prepared: the component may write it as it likes', async t => {
  const { server, port } = await start(t)
  const irc = await TestComponent.connect(t, port, IRC)
  await irc.open({ to: 'IRC.Localhost' })
  assert.equal(irc.header?.from, IRC)
  irc.shakeHands(SECRET)
  await irc.receives('<handshake/>')
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    await irc.sends(
      `<message from='Nurse@IRC.LOCALHOST/X' to='{juliet}'><body>Madam!</body></message>`.replace(
        '{juliet}',
        juliet.jid
      )
    )
    await juliet.receives(`<message from='nurse@irc.localhost/X'><body>Madam!</body></message>`)
  })
})

test('XEP-0114 §3: `from` lies in the component’s domain, or the stream ends', async t => {
  const { server, port } = await start(t)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    const lies = [
      `from='localhost'`,
      `from='juliet@localhost'`,
      `from='example.org'`,
      `from='x.irc.localhost'`,
      `from='irc.localhost.example.org'`,
      `from='localhost/irc.localhost'`,
      `from='nurse@localhost/@irc.localhost'`
    ]
    for (const from of lies) {
      const irc = await TestComponent.attach(t, port, IRC, SECRET)
      irc.write(`<message ${from} to='juliet@localhost/balcony'><body>forged</body></message>`)
      await irc.isRefused('invalid-from')
    }
    for (const from of ['', `from=''`, `from='@'`]) {
      const irc = await TestComponent.attach(t, port, IRC, SECRET)
      irc.write(`<message ${from} to='juliet@localhost/balcony'><body>from nobody</body></message>`)
      await irc.isRefused('improper-addressing')
    }
    await juliet.receivesNothing()
  })
})

test('addresses that do not conform cost the stanza, not the stream', async t => {
  const { server, port } = await start(t)
  const irc = await TestComponent.attach(t, port, IRC, SECRET)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    irc.send(
      `<message from='a"b@irc.localhost' to='juliet@localhost/balcony' id='1'><body>x</body></message>`
    )
    await irc.receives(`<message type='error' id='1'>${condition('jid-malformed', 'modify')}</message>`)
    irc.send(`<message from='nurse@irc.localhost' to='a"b@localhost' id='2'><body>x</body></message>`)
    await irc.receives(`<message type='error' id='2'>${condition('jid-malformed', 'modify')}</message>`)
    irc.send(`<message from='nurse@irc.localhost' id='3'><body>to nobody</body></message>`)
    await irc.receives(`<message type='error' id='3'>${condition('jid-malformed', 'modify')}</message>`)
    irc.send(
      `<message from='nurse@irc.localhost' to='juliet@localhost/balcony'><body>Madam!</body></message>`
    )
    await juliet.receives(`<message from='nurse@irc.localhost'><body>Madam!</body></message>`)
  })
})

test('two connections for one component: the second is refused with conflict, the first goes on', async t => {
  const { server, port } = await start(t)
  const first = await TestComponent.attach(t, port, IRC, SECRET)
  const stranger = await TestComponent.connect(t, port, IRC)
  await stranger.open()
  stranger.shakeHands('guessed')
  // Whether a component is connected is told to whoever knows its secret
  await stranger.isRefused('not-authorized')
  const second = await TestComponent.connect(t, port, IRC)
  await second.open()
  second.shakeHands(SECRET)
  await second.isRefused('conflict')
  const ping = await first.receives(`<iq type='get' to='irc.localhost'><ping xmlns='urn:xmpp:ping'/></iq>`)
  first.send(`<iq type='result' id='${ping.attrs.id}' from='irc.localhost' to='${ping.attrs.from}'/>`)
  await first.fence()
  assert.equal(statusOf(server).connected, true)
  await metric(server, /balcony_components_refused_total\{reason="conflict"\} 1/)
})

test('a component that has lost its line without a word can come back', async t => {
  const { port } = await start(t, { answerSeconds: 1 })
  const dead = await TestComponent.attach(t, port, IRC, SECRET)
  const back = await TestComponent.connect(t, port, IRC)
  await back.open()
  back.shakeHands(SECRET)
  await back.isRefused('conflict')
  await dead.isRefused('connection-timeout') // it did not answer
  await TestComponent.attach(t, port, IRC, SECRET)
})

test('one handshake, and one header', async t => {
  const { server, port } = await start(t)
  const irc = await TestComponent.attach(t, port, IRC, SECRET)
  irc.shakeHands(SECRET)
  await irc.isRefused('unsupported-stanza-type')
  const again = await TestComponent.attach(t, port, IRC, SECRET)
  again.write(`<stream:stream xmlns='${NS.COMPONENT}' xmlns:stream='${NS.STREAM}' to='localhost'/>`)
  await again.isRefused('unsupported-stanza-type')
  const foreign = await TestComponent.attach(t, port, IRC, SECRET)
  foreign.write(`<message xmlns='jabber:client' from='irc.localhost' to='localhost'/>`)
  await foreign.isRefused('invalid-namespace')
  assert.equal(statusOf(server).connected, false)
  await TestComponent.attach(t, port, IRC, SECRET)
})

test('sizes are bounded, before the handshake more than after it', async t => {
  const server = await startTestServer(t, {
    hosts: hosts(),
    config: { limits: { stanzaBytes: 20_000, stanzaBytesBeforeLogin: 10_000 } }
  })
  const port = portOf(server)
  const early = await TestComponent.connect(t, port, IRC)
  await early.open()
  early.write(`<handshake>${'0'.repeat(15_000)}`)
  await early.isRefused('policy-violation')
  const irc = await TestComponent.attach(t, port, IRC, SECRET)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    irc.send(
      `<message from='irc.localhost' to='juliet@localhost/balcony'><body>${'x'.repeat(15_000)}</body></message>`
    )
    await juliet.receives(`<message from='irc.localhost'><body>*</body></message>`)
    irc.send(
      `<message from='irc.localhost' to='juliet@localhost/balcony'><body>${'x'.repeat(25_000)}</body></message>`
    )
    await irc.isRefused('policy-violation')
    await juliet.receivesNothing()
  })
})

test('who connects and says nothing, or never ends, is not waited for', async t => {
  const server = await startTestServer(t, { hosts: hosts(), config: { limits: { loginSeconds: 5 } } })
  const port = portOf(server)
  const silent = await TestComponent.connect(t, port, IRC)
  const slow = await TestComponent.connect(t, port, IRC)
  await slow.open()
  const half = await TestComponent.connect(t, port, IRC)
  await half.open()
  half.channel.endWriting()
  await half.isClosed()
  await silent.isRefused('connection-timeout')
  await slow.isRefused('connection-timeout')
  // Half-open after the handshake: the end of the stream is answered
  const irc = await TestComponent.attach(t, port, IRC, SECRET)
  irc.channel.endWriting()
  await irc.isClosed()
  assert.equal(irc.ended, true)
  assert.equal(server.server.components.listeners.size, 0)
})

test('a component that does not read is cut off by the bound on its output', async t => {
  const server = await startTestServer(t, { hosts: hosts(), config: { limits: { unreadBytes: 65_536 } } })
  const irc = await TestComponent.attach(t, portOf(server), IRC, SECRET)
  irc.channel.pause()
  const juliet = await join(server, 'juliet', { jid: 'juliet@localhost/balcony' })
  t.after(() => juliet.destroy())
  const body = 'x'.repeat(60_000)
  for (let sent = 0; statusOf(server).connected; sent++) {
    assert.ok(sent < 2000, 'it is still connected')
    juliet.send(`<message to='irc.localhost'><body>${body}</body></message>`)
    await juliet.fence()
  }
  assert.match(statusOf(server).problem ?? '', /does not read|has not read/)
})

test('stanzas for a component that is away', async t => {
  const { server, port } = await start(t)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    const away = async (): Promise<void> => {
      await juliet.sends(`<iq type='get' id='1' to='irc.localhost'><ping xmlns='urn:xmpp:ping'/></iq>`)
      await juliet.receives(
        `<iq type='error' id='1' from='irc.localhost'>${condition('service-unavailable', 'wait')}</iq>`
      )
      await juliet.sends(`<message to='nurse@irc.localhost' id='2'><body>Nurse?</body></message>`)
      await juliet.receives(
        `<message type='error' id='2' from='nurse@irc.localhost'>${condition('service-unavailable', 'wait')}</message>`
      )
      await juliet.sends(`<presence to='nurse@irc.localhost'/>`)
      await juliet.sends(`<message type='error' to='nurse@irc.localhost'><error type='cancel'/></message>`)
      await juliet.sends(`<iq type='result' id='3' to='nurse@irc.localhost'/>`)
      await juliet.receivesNothing()
    }
    await away()
    const irc = await TestComponent.attach(t, port, IRC, SECRET)
    await juliet.sends(`<iq type='get' id='4' to='irc.localhost'><ping xmlns='urn:xmpp:ping'/></iq>`)
    await irc.receives(`<iq type='get' id='4'/>`)
    await irc.close()
    await away()
  })
})

test('where it is configured, stanzas wait for it: in their order, bounded', async t => {
  const { server, port } = await start(t, { queue: { seconds: 60, stanzas: 4 } })
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    for (let i = 1; i <= 3; i++) await juliet.sends(`<message to='nurse@irc.localhost' id='${i}'/>`)
    await juliet.sends(`<presence to='nurse@irc.localhost'/>`)
    await juliet.sends(`<message to='nurse@irc.localhost' id='one too many'/>`)
    await juliet.receives(
      `<message type='error' id='one too many'>${condition('service-unavailable', 'wait')}</message>`
    )
    assert.equal(statusOf(server).waiting, 4)
    await metric(server, /balcony_component_stanzas_waiting 4/)
    const irc = await TestComponent.attach(t, port, IRC, SECRET)
    for (let i = 1; i <= 3; i++)
      await irc.receives(`<message from='{juliet}' id='${i}'/>`.replace('{juliet}', juliet.jid))
    await irc.receives('<presence/>')
    assert.equal(statusOf(server).waiting, 0)
    await irc.receivesNothing()
  })
})

test('what has waited for too long is answered', async t => {
  const { server } = await start(t, { queue: { seconds: 1 } })
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    await juliet.sends(`<message to='nurse@irc.localhost' id='1'/>`)
    await juliet.fence()
    assert.equal(statusOf(server).waiting, 1)
    await juliet.receives(
      `<message type='error' id='1'>${condition('service-unavailable', 'wait')}</message>`
    )
    assert.equal(statusOf(server).waiting, 0)
  })
})

test('hosts share a port, each with its own secret', async t => {
  const modules = (secret: string) => ({ component: { secret, listen: LISTEN } })
  const server = await startTestServer(t, {
    hosts: hosts({}, { 'sms.localhost': { type: 'component', modules: modules('another') } })
  })
  const ports = server.server.components.listeners.ports()
  assert.equal(ports.length, 1)
  const port = portOf(server)
  const liar = await TestComponent.connect(t, port, 'sms.localhost')
  await liar.open()
  liar.shakeHands(SECRET)
  await liar.isRefused('not-authorized')
  const irc = await TestComponent.attach(t, port, IRC, SECRET)
  const sms = await TestComponent.attach(t, port, 'sms.localhost', 'another')
  irc.send(`<message from='a@irc.localhost' to='b@sms.localhost'><body>between components</body></message>`)
  await sms.receives(`<message from='a@irc.localhost' to='b@sms.localhost'/>`)
  // Where one is not, the other is still heard
  await irc.close()
  sms.send(
    `<iq type='get' id='1' from='b@sms.localhost' to='irc.localhost'><ping xmlns='urn:xmpp:ping'/></iq>`
  )
  await sms.receives(`<iq type='error' id='1'>${condition('service-unavailable', 'wait')}</iq>`)
})

test('a component may attach at its own addresses alone', async t => {
  const listen = [{ address: '127.0.0.2', port: 0 }]
  const modules = { component: { secret: SECRET, listen } }
  const server = await startTestServer(t, {
    hosts: hosts({}, { 'sms.localhost': { type: 'component', modules } })
  })
  const ports = server.server.components.listeners.ports()
  const [at] = ports.filter(({ address }) => address === '127.0.0.2')
  const wrong = await TestComponent.connect(t, portOf(server), 'sms.localhost')
  await wrong.open()
  await wrong.isRefused('host-unknown')
  const right = await TestComponent.attach(t, at?.port ?? 0, 'sms.localhost', SECRET, { host: '127.0.0.2' })
  await right.fence()
})

test('a host that is taken out of the config', async t => {
  const { server, port } = await start(t)
  const irc = await TestComponent.attach(t, port, IRC, SECRET)
  server.writeConfig(await testConfig({ hosts: { localhost: IM_HOST } }, `${server.folder}/data`))
  assert.equal((await server.server.reloadConfig()).ok, true)
  await irc.isRefused('host-gone')
  assert.deepEqual(server.server.components.list(), [])
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    await juliet.sends(`<message to='nurse@irc.localhost' id='1'/>`)
    await juliet.receives(
      `<message type='error' id='1'>${condition('remote-server-not-found', 'cancel')}</message>`
    )
  })
})

test('a reload of the module under a connected component loses nothing', async t => {
  const { server, port } = await start(t)
  const irc = await TestComponent.attach(t, port, IRC, SECRET)
  const { manager, components } = server.server
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    for (let round = 0; round < 5; round++) {
      const reloading = manager.api.reload('component')
      for (let i = 0; i < 20; i++) {
        juliet.send(`<message to='nurse@irc.localhost' id='to-${round}-${i}'/>`)
        irc.send(`<message from='nurse@irc.localhost' to='${juliet.jid}' id='from-${round}-${i}'/>`)
      }
      assert.equal((await reloading).ok, true)
      for (let i = 0; i < 20; i++) {
        await irc.receives(`<message id='to-${round}-${i}'/>`)
        await juliet.receives(`<message id='from-${round}-${i}'/>`)
      }
    }
    assert.equal(portOf(server), port)
    assert.equal(components.list()[0]?.connected, true)
    await irc.receivesNothing()
  })
  assert.deepEqual(server.errors(), [])
})

test('an operator who unloads the module sends the component away', async t => {
  const { server, port } = await start(t)
  const irc = await TestComponent.attach(t, port, IRC, SECRET)
  const { api } = server.server.manager
  assert.equal((await api.unload('component')).ok, true)
  await irc.isRefused('host-gone')
  assert.deepEqual(server.server.components.listeners.ports(), [])
  assert.equal((await api.load('component')).ok, true)
  await TestComponent.attach(t, portOf(server), IRC, SECRET)
})

test('another secret ends the stream that was opened with the one before', async t => {
  const { server, port } = await start(t)
  const irc = await TestComponent.attach(t, port, IRC, SECRET)
  const changed = await testConfig({ hosts: hosts({ secret: 'a new one' }) }, `${server.folder}/data`)
  server.writeConfig(changed)
  assert.equal((await server.server.reloadConfig()).ok, true)
  await irc.isRefused('reset')
  const old = await TestComponent.connect(t, portOf(server), IRC)
  await old.open()
  old.shakeHands(SECRET)
  await old.isRefused('not-authorized')
  await TestComponent.attach(t, portOf(server), IRC, 'a new one')
})

test('the server tells its components when it stops', async t => {
  const { server, port } = await start(t)
  const irc = await TestComponent.attach(t, port, IRC, SECRET)
  const stopped = server.stop()
  await irc.isRefused('system-shutdown')
  await stopped
})
