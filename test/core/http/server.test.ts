import assert from 'node:assert'
import test, { type TestContext } from 'node:test'
import { createSecureContext } from 'node:tls'
import https from 'node:https'
import { Items } from '../../../core/events/items'
import { HttpServer } from '../../../core/http/server'
import { refuseUpgrade } from '../../../core/http/upgrade'
import { makeCertificate } from '../../../core/streams/self-signed'
import { FakeBackend } from '../streams/lib/backend'
import { Raw } from '../streams/lib/raw'

const address = '127.0.0.1'

async function start(t: TestContext) {
  const backend = new FakeBackend('localhost')
  const { certificate, key } = await makeCertificate(['localhost'])
  backend.context = createSecureContext({ cert: certificate, key })
  const items = new Items()
  const { gate, log } = backend
  const http = new HttpServer({ gate, log, items, secureContext: domain => backend.secureContext(domain) })
  t.after(() => http.close())
  const [plain, tls] = await http.listen('test', [
    { address, port: 0, tls: false },
    { address, port: 0, tls: true }
  ])
  const url = `http://${address}:${plain?.port}`
  return { backend, items, http, url, port: plain?.port ?? 0, tlsPort: tls?.port ?? 0, certificate }
}

test('routes come and go with their modules', async t => {
  const { items, url } = await start(t)
  assert.equal((await fetch(`${url}/pages/a`)).status, 404)
  const withdraw = items.add(
    'http-route',
    {
      method: 'GET',
      path: '/pages/:node',
      handle: ({ params, remoteAddress, secure }) => Response.json({ ...params, remoteAddress, secure })
    },
    'pages'
  )
  const answer = await fetch(`${url}/pages/a%20b`)
  assert.deepEqual(await answer.json(), { node: 'a b', remoteAddress: address, secure: false })
  assert.equal((await fetch(`${url}/pages/a`, { method: 'POST' })).status, 404)
  withdraw()
  assert.equal((await fetch(`${url}/pages/a`)).status, 404)
})

test('a page that fails is a fault of ours', async t => {
  const { items, url, backend } = await start(t)
  items.add(
    'http-route',
    { method: 'GET', path: '/', handle: () => Promise.reject(new Error('secret')) },
    'pages'
  )
  const answer = await fetch(url)
  assert.equal(answer.status, 500)
  assert.doesNotMatch(await answer.text(), /secret/)
  assert.equal(backend.logged[0]?.level, 'error')
})

test('a body has a bound', async t => {
  const { items, url } = await start(t)
  items.add(
    'http-route',
    {
      method: 'POST',
      path: '/',
      handle: async ({ request }) => new Response((await request.text()).length.toString())
    },
    'pages'
  )
  const post = (body: string): Promise<Response> => fetch(url, { method: 'POST', body })
  assert.equal(await (await post('x'.repeat(1000))).text(), '1000')
  assert.equal((await post('x'.repeat(2 * 1024 * 1024))).status, 413)
  const unmeasured = new ReadableStream({
    start(stream) {
      stream.enqueue(new TextEncoder().encode('x'))
      stream.close()
    }
  })
  const chunked = { method: 'POST', body: unmeasured, duplex: 'half' } as RequestInit
  assert.equal((await fetch(url, chunked)).status, 411)
})

test('HTTPS, with the certificate of the host', async t => {
  const { items, tlsPort, certificate } = await start(t)
  items.add(
    'http-route',
    { method: 'GET', path: '/', handle: ({ secure }) => new Response(String(secure)) },
    'pages'
  )
  const body = await new Promise<string>((resolve, reject) => {
    const options = { host: address, port: tlsPort, ca: certificate, servername: 'localhost', agent: false }
    https
      .get(options, response => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => resolve(text))
      })
      .on('error', reject)
  })
  assert.equal(body, 'true')
})

test('requests wait while modules are swapped', async t => {
  const { items, url, backend } = await start(t)
  backend.gate.close()
  const answer = fetch(url)
  // Another connection's answer by the parser of HTTP itself shows that the request above has come.
  const raw = await Raw.connect(Number(new URL(url).port))
  raw.write('nonsense\r\n\r\n')
  await raw.end()
  items.add('http-route', { method: 'GET', path: '/', handle: () => new Response('new') }, 'pages')
  backend.gate.reopen()
  assert.equal(await (await answer).text(), 'new')
})

test('upgrades go to who takes them, by path and protocol', async t => {
  const { items, port, backend } = await start(t)
  const upgrade = async (path: string, protocol: string): Promise<string> => {
    const raw = await Raw.connect(port)
    raw.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`
    )
    await raw.end()
    return raw.text.split('\r\n', 1)[0] ?? ''
  }
  items.add(
    'http-upgrade',
    { path: '/x', protocol: 'x-test', accept: upgrade => refuseUpgrade(upgrade, 418, 'tea') },
    'test'
  )
  items.add(
    'http-upgrade',
    {
      path: '/y',
      protocol: 'x-test',
      accept: () => {
        throw new Error('oh')
      }
    },
    'test'
  )
  assert.equal(await upgrade('/x', 'X-Test'), "HTTP/1.1 418 I'm a Teapot")
  assert.equal(await upgrade('/x?q', 'h2c, x-test'), "HTTP/1.1 418 I'm a Teapot")
  assert.equal(await upgrade('/x', 'websocket'), 'HTTP/1.1 400 Bad Request')
  assert.equal(await upgrade('/z', 'x-test'), 'HTTP/1.1 404 Not Found')
  assert.equal(await upgrade('*', 'x-test'), 'HTTP/1.1 404 Not Found')
  assert.equal(await upgrade('/y', 'x-test'), '')
  assert.equal(backend.logged[0]?.level, 'error')
})

test('each who asks has addresses of his own', async t => {
  const { http } = await start(t)
  const [mine] = await http.listen('other', [{ address, port: 0, tls: false }])
  assert.equal(http.ports().length, 3)
  assert.equal((await fetch(`http://${address}:${mine?.port}/`)).status, 404)
  await http.listen('other', [])
  assert.equal(http.ports().length, 2)
  await assert.rejects(fetch(`http://${address}:${mine?.port}/`))
})

test('a connection counts before TLS is negotiated, and once', async t => {
  const backend = new FakeBackend('localhost')
  const { certificate, key } = await makeCertificate(['localhost'])
  backend.context = createSecureContext({ cert: certificate, key })
  const { gate, log } = backend
  let connections = 0
  let most = 0
  const http = new HttpServer({
    gate,
    log,
    items: new Items(),
    secureContext: domain => backend.secureContext(domain),
    admit: () => {
      if (connections >= 2) return undefined
      most = Math.max(most, ++connections)
      return { connection: undefined, authenticated: () => undefined, leave: () => void connections-- }
    }
  })
  t.after(() => http.close())
  const [bound] = await http.listen('test', [{ address, port: 0, tls: true }])
  const port = bound?.port ?? 0
  const silent = await Raw.connect(port)
  const options = { host: address, port, ca: certificate, servername: 'localhost', agent: false }
  const status = await new Promise<number | undefined>((resolve, reject) => {
    https.get(options, response => resolve(response.resume().statusCode)).on('error', reject)
  })
  assert.equal(status, 404)
  assert.equal(most, 2, 'one that says nothing and one that asks')
  while (connections > 1) await new Promise(resolve => setImmediate(resolve))
  const another = await Raw.connect(port)
  const refused = await Raw.connect(port)
  await refused.end()
  assert.equal(connections, 2)
  silent.destroy()
  another.destroy()
})

test('without a certificate, connections for HTTPS end', async t => {
  const { backend, tlsPort } = await start(t)
  backend.context = undefined
  const raw = await Raw.connect(tlsPort)
  await raw.end()
  assert.equal(backend.logged[0]?.level, 'error')
})
