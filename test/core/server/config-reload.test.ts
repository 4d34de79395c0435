import assert from 'node:assert/strict'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import test from 'node:test'
import { parse, stringify } from 'yaml'
import { startTestServer } from '../../lib/server'
import type { TestServer } from '../../lib/server'
import { join, scenario } from '../../lib/wire'

type File = { hosts: Record<string, Record<string, unknown>>; [key: string]: unknown }

/** Edits the server's config file, and has it read again. */
function edits(server: TestServer, edit: (file: File) => void): Promise<{ ok: boolean; lines: string[] }> {
  const file = parse(fs.readFileSync(`${server.folder}/balcony.yaml`, 'utf8')) as File
  edit(file)
  fs.writeFileSync(`${server.folder}/balcony.yaml`, stringify(file))
  return server.server.reloadConfig()
}

const IM = { saslauth: {}, roster: {}, presence: {}, message: {} }

test('a host is added while the server runs, and taken away: its clients are told', async t => {
  const server = await startTestServer(t)
  const added = await edits(server, file => (file.hosts['capulet.example'] = { modules: IM }))
  assert.equal(added.ok, true, added.lines.join('\n'))
  await scenario(server, { juliet: 'juliet@capulet.example/balcony' }, async ({ juliet }) => {
    await juliet.fence()
    const removed = await edits(server, file => delete file.hosts['capulet.example'])
    assert.equal(removed.ok, true, removed.lines.join('\n'))
    await juliet.isClosed()
  })
  await assert.rejects(join(server, 'juliet', { jid: 'juliet@capulet.example/x' }))
  assert.deepEqual(server.errors(), [])
})

test('a host becomes a component: the old one is gone, the new one answers', async t => {
  const server = await startTestServer(t, {
    hosts: { localhost: { modules: IM }, 'other.localhost': { modules: { message: {} } } }
  })
  const changed = await edits(
    server,
    file => (file.hosts['other.localhost'] = { type: 'component', modules: {} })
  )
  assert.equal(changed.ok, true, changed.lines.join('\n'))
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    const info = await juliet.request(
      `<iq type='get' to='other.localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    )
    assert.match(info.toString(), /category="component"/)
  })
})

test('a file that is wrong changes nothing, and every fault is told', async t => {
  const server = await startTestServer(t)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    const refused = await edits(server, file => {
      file.hosts['capulet.example'] = { modules: { rostr: {} } }
      file.nonsense = true
    })
    assert.equal(refused.ok, false)
    assert.match(refused.lines.join('\n'), /rostr.*did you mean "roster"/)
    assert.match(refused.lines.join('\n'), /nonsense/)
    assert.equal(server.server.api.host('capulet.example'), undefined)
    await juliet.receivesNothing()
  })
})

test('certificates that are not there change nothing', async t => {
  const server = await startTestServer(t)
  const refused = await edits(server, file => {
    file.tls = { certificate: `${server.folder}/balcony.yaml`, key: `${server.folder}/balcony.yaml` }
    file.hosts['capulet.example'] = { modules: IM }
  })
  assert.equal(refused.ok, false)
  assert.equal(server.server.api.host('capulet.example'), undefined)
})

test('two reloads at once are done one after the other', async t => {
  const server = await startTestServer(t)
  const first = edits(server, file => (file.hosts['a.example'] = { modules: IM }))
  const second = edits(server, file => (file.hosts['b.example'] = { modules: IM }))
  assert.deepEqual([(await first).ok, (await second).ok], [true, true])
  assert.ok(server.server.api.host('a.example') && server.server.api.host('b.example'))
})

test('a port that is taken is told, and the next reload tries again', async t => {
  const server = await startTestServer(t)
  const before = server.ports
  const blocker = net.createServer().listen(0, '127.0.0.1')
  t.after(() => blocker.close())
  await once(blocker, 'listening')
  const { port } = blocker.address() as net.AddressInfo
  const taken = { address: '127.0.0.1', port }
  for (const where of ['c2s', 'http'] as const) {
    const refused = await edits(server, file => {
      const modules = file.modules as Record<string, Record<string, unknown>>
      if (where === 'c2s') modules.c2s = { ...modules.c2s, listen: [taken] }
      else file.http = { listen: [taken] }
    })
    assert.equal(refused.ok, false)
    assert.match(refused.lines.join('\n'), new RegExp(`127.0.0.1:${port}: another program listens there`))
    const again = await server.server.reloadConfig()
    assert.equal(again.ok, false, 'nothing in the file has changed, and the port is still taken')
    assert.match(again.lines.join('\n'), /another program/)
    assert.equal(server.ports.tcp, before.tcp, 'it listens where it did')
  }
  blocker.close()
  await once(blocker, 'close')
  const third = await edits(server, file => (file.http = { listen: [] }))
  assert.equal(third.ok, true, third.lines.join('\n'))
  assert.equal(server.ports.tcp, port)
  assert.deepEqual(await server.server.reloadConfig(), { ok: true, lines: ['nothing has changed'] })
})

test('a port that is taken and then free is opened by a reload of the same file', async t => {
  const server = await startTestServer(t)
  const blocker = net.createServer().listen(0, '127.0.0.1')
  t.after(() => blocker.close())
  await once(blocker, 'listening')
  const { port } = blocker.address() as net.AddressInfo
  const refused = await edits(server, file => (file.http = { listen: [{ address: '127.0.0.1', port }] }))
  assert.equal(refused.ok, false)
  blocker.close()
  await once(blocker, 'close')
  assert.equal((await server.server.reloadConfig()).ok, true)
  assert.equal(server.ports.ws, port)
})

test('a reload that the end of the server overtakes starts and opens nothing any more', async t => {
  for (const first of ['reload', 'stop'] as const) {
    const server = await startTestServer(t)
    const { manager, http } = server.server
    const reload = (): Promise<{ ok: boolean; lines: string[] }> =>
      edits(server, file => {
        file.hosts['capulet.example'] = { modules: IM }
        const { listen } = file.http as { listen: object[] }
        listen.push({ address: '127.0.0.2', port: 0 })
      })
    const reloaded = first === 'reload' ? reload() : undefined
    const stopped = server.server.stop('a test')
    const { ok, lines } = await (reloaded ?? reload())
    await stopped
    assert.equal(ok, false)
    assert.match(lines.join('\n'), /the server is ending/)
    assert.deepEqual(http.ports(), [])
    assert.deepEqual(
      manager.list().filter(({ state }) => state === 'running'),
      []
    )
    assert.deepEqual(server.errors(), [])
  }
})
