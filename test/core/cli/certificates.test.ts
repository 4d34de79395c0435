import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import tls from 'node:tls'
import { parse } from 'yaml'
import { TestCa, writeLeaf, type LeafOptions } from '../../lib/ca'
import { IM_HOST, type Options } from '../../lib/config'
import { spawnTestServer, type SpawnedServer } from '../../lib/spawn'
import { scenario } from '../../lib/wire'

const ca = TestCa.make()

async function write(
  server: SpawnedServer,
  options: LeafOptions
): Promise<{ certificate: string; key: string }> {
  return writeLeaf(server.folder, 'own', await (await ca).issue(options))
}

function configure(server: SpawnedServer, hosts: Record<string, Options>, more: Options = {}): void {
  const config = parse(fs.readFileSync(server.configFile, 'utf8')) as Options
  server.writeConfig({ ...config, ...more, hosts })
}

/** The certificate that the server shows, by its number. */
function shown(server: SpawnedServer, servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { port: server.ports.tls ?? 0, host: '127.0.0.1', servername, rejectUnauthorized: false }
    const socket = tls.connect(options, () => {
      resolve(socket.getPeerCertificate().serialNumber)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

test('config check looks into certificates', async t => {
  const server = await spawnTestServer(t)
  const tls = await write(server, { dns: ['localhost'] })
  const trusted = { tls: { ca: [(await ca).write(server.folder)] } }
  const check = async (): Promise<string> => {
    const { code, stdout, stderr } = await server.run(['config', 'check'])
    return `${code} ${stdout}${stderr}`
  }
  configure(server, { localhost: { ...IM_HOST, tls } }, trusted)
  assert.match(await check(), /^0 .* is in order: 1 host, \d+ modules\.\n$/)

  configure(server, { localhost: { ...IM_HOST, tls }, 'example.org': { tls } }, trusted)
  assert.match(await check(), /^0 .*\nwarning: .*own\.crt: the certificate does not name example\.org\n$/)

  configure(server, { localhost: { ...IM_HOST, tls } }, { tls: {} })
  assert.match(await check(), /warning: .*own\.crt: the certificate of who signed it is missing in the file/)

  configure(server, { localhost: { ...IM_HOST, tls } }, trusted)
  await write(server, { dns: ['localhost'], from: -10, until: -1 })
  assert.match(await check(), /^0 .*\nwarning: .*own\.crt: the certificate expired on /)
  await write(server, { dns: ['localhost'], until: 5 })
  assert.match(await check(), /warning: .*own\.crt: the certificate expires on /)

  const key = fs.readFileSync(tls.key)
  await write(server, { dns: ['localhost'] })
  fs.writeFileSync(tls.key, key)
  assert.match(await check(), /^1 .*own\.key: the key does not belong to the certificate/)
  fs.writeFileSync(path.join(server.folder, 'ca.crt'), 'nonsense')
  assert.match(
    await check(),
    /^1 .*ca\.crt: it holds no certificate in PEM format\n.*own\.key: the key does not/
  )
})

test('a certificate that was replaced on the disk is used after SIGHUP; open streams stay', async t => {
  const server = await spawnTestServer(t, { tls: 'required' })
  const files = await write(server, { dns: ['localhost'], alone: true })
  configure(server, { localhost: { ...IM_HOST, tls: files } })
  const reload = async (): Promise<string> => (await server.run(['config', 'reload'])).stdout
  await reload()
  const first = await shown(server, 'localhost')
  await scenario(
    server,
    { romeo: 'romeo@localhost', juliet: 'juliet@localhost' },
    async ({ romeo, juliet }) => {
      await write(server, { dns: ['localhost'] })
      process.kill(server.pid, 'SIGHUP')
      const until = Date.now() + 20_000
      while ((await shown(server, 'localhost')) === first) assert.ok(Date.now() < until, 'still the old one')
      await romeo.sends(`<message to='{juliet}' type='chat'><body>It is the east</body></message>`)
      await juliet.receives(`<message from='{romeo}'><body>It is the east</body></message>`)

      const second = await shown(server, 'localhost')
      await write(server, { dns: ['localhost'] })
      assert.match(await reload(), /localhost: another certificate, valid until /)
      assert.notEqual(await shown(server, 'localhost'), second)
      assert.equal(await reload(), 'nothing has changed\n')

      // What cannot be used changes nothing
      const third = await shown(server, 'localhost')
      fs.writeFileSync(files.key, 'nonsense')
      const { code, stderr } = await server.run(['config', 'reload'])
      assert.equal(code, 1)
      assert.match(stderr, /own\.key: it holds no key in PEM format/)
      assert.equal(await shown(server, 'localhost'), third)
      await juliet.fence()
    }
  )
})

test('the certificate of the first start names what components serve beside their names', async t => {
  const server = await spawnTestServer(t, {
    hosts: {
      localhost: IM_HOST,
      'channels.localhost': {
        type: 'component',
        modules: { channels: { topicDomains: ['topics.localhost'] } }
      }
    }
  })
  const file = path.join(server.folder, 'data', 'balcony.crt')
  const names = (): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      const socket = tls.connect(
        { port: server.ports.tls ?? 0, servername: 'localhost', rejectUnauthorized: false },
        () => {
          resolve(socket.getPeerCertificate().subjectaltname)
          socket.destroy()
        }
      )
      socket.on('error', reject)
    })
  // Ports are open a moment before all modules have said what they serve
  const until = Date.now() + 20_000
  while ((await names()) !== 'DNS:localhost, DNS:channels.localhost, DNS:topics.localhost')
    assert.ok(Date.now() < until, await names())
  const made = fs.readFileSync(file, 'utf8')
  await server.stop()
  await server.start()
  assert.equal(fs.readFileSync(file, 'utf8'), made, 'it is kept')
})
