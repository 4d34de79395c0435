import assert from 'node:assert'
import net from 'node:net'
import test from 'node:test'
import { parse } from 'yaml'
import fs from 'node:fs'
import { mechanismsOf } from '../../lib/sasl'
import { startTestServer, type TestServer } from '../../lib/server'
import { join, PASSWORD, scenario } from '../../lib/wire'
import { conditionOf, TestClient } from '../../lib/client'
import type { Options } from '../../lib/config'

for (const [transport, modules] of [
  ['tcp', ['c2s', 'saslauth']],
  ['tls', ['c2s']],
  ['ws', ['websocket', 'saslauth']]
] as const) {
  test(`${modules.join(' and ')} are swapped under connections over ${transport}`, async t => {
    const server = await startTestServer(t)
    const before = server.ports
    const cast = {
      juliet: { jid: 'juliet@localhost/balcony', transport },
      romeo: { jid: 'romeo@localhost/garden', transport }
    }
    await scenario(server, cast, async ({ juliet, romeo }) => {
      for (let i = 0; i < 5; i++) {
        for (const module of modules) {
          await juliet.sends(`<message to='{romeo}' id='before ${i} ${module}'><body>one</body></message>`)
          const { ok, message } = await server.server.api.modules.reload(module)
          assert.ok(ok, message)
          await romeo.receives(`<message id='before ${i} ${module}'/>`)
        }
        assert.deepEqual(server.ports, before, 'the same sockets')
        const nurse = await join(server, 'nurse', { jid: 'nurse@localhost', transport })
        await nurse.fence()
        nurse.destroy()
      }
      await juliet.receivesNothing()
      await romeo.receivesNothing()
    })
    assert.deepEqual(server.errors(), [])
  })
}

function rewrite(server: TestServer, change: (modules: Record<string, Options>) => void): void {
  const config = parse(fs.readFileSync(server.configFile, 'utf8')) as { modules: Record<string, Options> }
  change(config.modules)
  server.writeConfig(config)
}

test('a changed config opens and closes the difference, and disconnects nobody', async t => {
  const server = await startTestServer(t, { tls: 'off' })
  const { tcp, tls } = server.ports
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    rewrite(server, modules => {
      modules.c2s = { ...modules.c2s, directTls: [], tls: 'required', maxResources: 1 }
    })
    const { ok, lines } = await server.server.reloadConfig()
    assert.ok(ok, lines.join('\n'))
    assert.equal(server.ports.tcp, tcp)
    assert.equal(server.ports.tls, undefined)
    await assert.rejects(connect(tls ?? 0))
    const features = await (await TestClient.connect({ port: tcp ?? 0, domain: 'localhost' })).open()
    assert.equal(features.getChild('starttls')?.getChildElements()[0]?.name, 'required')
    await juliet.fence()
  })
})

test('an address that is taken leaves everything as it was', async t => {
  const server = await startTestServer(t)
  const { tcp } = server.ports
  const other = net.createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => other.once('listening', resolve))
  t.after(() => other.close())
  const { port } = other.address() as net.AddressInfo
  rewrite(server, modules => {
    modules.c2s = { ...modules.c2s, listen: [{ address: '127.0.0.1', port }] }
  })
  const { ok, lines } = await server.server.reloadConfig()
  assert.equal(ok, false)
  assert.match(
    lines.join('\n'),
    new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}: another program listens there`)
  )
  assert.equal(server.ports.tcp, tcp)
})

test('unloaded, nobody can connect, and who is connected stays', async t => {
  const server = await startTestServer(t)
  const { tcp = 0, ws = 0 } = server.ports
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    for (const module of ['c2s', 'websocket']) {
      const { ok, message } = await server.server.api.modules.unload(module)
      assert.ok(ok, message)
    }
    await assert.rejects(connect(tcp))
    await assert.rejects(TestClient.connect({ port: ws, domain: 'localhost', transport: 'ws' }), /404/)
    await juliet.fence()
  })
})

test('without saslauth nobody can log in; its config says how they can', async t => {
  const server = await startTestServer(t)
  const offered = async (): Promise<string[]> => {
    const client = await TestClient.connect({
      port: server.ports.tls ?? 0,
      domain: 'localhost',
      transport: 'tls'
    })
    const features = await client.open()
    client.destroy()
    return mechanismsOf(features)
  }
  assert.deepEqual(await offered(), ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'])
  const config = parse(fs.readFileSync(server.configFile, 'utf8')) as {
    hosts: Record<string, { modules: Record<string, Options> }>
  }
  const { modules = {} } = config.hosts.localhost ?? {}
  modules.saslauth = { mechanisms: ['PLAIN', 'SCRAM-SHA-256'] }
  server.writeConfig(config)
  const { ok, lines } = await server.server.reloadConfig()
  assert.ok(ok, lines.join('\n'))
  assert.deepEqual(await offered(), ['SCRAM-SHA-256', 'PLAIN'])
  await server.server.api.modules.unload('saslauth')
  assert.deepEqual(await offered(), [])
})

test('WebSocket inside TLS, at an address of its own; pages of other origins stay out', async t => {
  const server = await startTestServer(t, {
    modules: {
      websocket: {
        listen: [{ address: '127.0.0.1', port: 0, tls: true }],
        origins: ['https://chat.example.org'],
        requireTls: true
      }
    }
  })
  const juliet = await join(server, 'juliet', {
    jid: 'juliet@localhost',
    transport: 'wss',
    mechanism: 'PLAIN'
  })
  await juliet.fence()
  await juliet.close()
  const { ws = 0, wss = 0 } = server.ports
  const page = { port: wss, domain: 'localhost', transport: 'wss' as const }
  await assert.rejects(TestClient.connect({ ...page, origin: 'https://example.org' }), /403/)
  const chat = await TestClient.connect({ ...page, origin: 'https://chat.example.org' })
  chat.destroy()
  const plain = await TestClient.connect({ port: ws, domain: 'localhost', transport: 'ws' })
  plain.channel.open({ to: 'localhost' })
  const error = await plain.next()
  assert.equal(conditionOf(error), 'policy-violation')
  await plain.isClosed()
})

test('whoever is connected is told that the server stops', async t => {
  const server = await startTestServer(t)
  const clients: TestClient[] = []
  for (const transport of ['tcp', 'tls', 'ws'] as const) {
    clients.push(await join(server, 'juliet', { jid: `juliet@localhost/${transport}`, transport }))
  }
  await server.stop()
  for (const client of clients) {
    assert.equal(conditionOf(await client.next()), 'system-shutdown')
    await client.isClosed()
    assert.ok(client.ended)
  }
})

for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN']) {
  for (const transport of ['tcp', 'tls', 'ws'] as const) {
    if (mechanism === 'PLAIN' && transport === 'ws') continue
    test(`an account of the database logs in with ${mechanism} over ${transport}`, async t => {
      const server = await startTestServer(t)
      const juliet = await join(server, 'juliet', { jid: 'juliet@localhost/balcony', mechanism, transport })
      await juliet.fence()
      await juliet.close()
      const romeo = await TestClient.connect({
        port: server.ports[transport] ?? 0,
        domain: 'localhost',
        transport
      })
      await assert.rejects(romeo.login({ user: 'romeo', password: PASSWORD, mechanism }), /not-authorized/)
      romeo.destroy()
    })
  }
}

async function connect(port: number): Promise<void> {
  const socket = net.connect({ host: '127.0.0.1', port })
  try {
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  } finally {
    socket.destroy()
  }
}
