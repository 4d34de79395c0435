import assert from 'node:assert/strict'
import http from 'node:http'
import test from 'node:test'
import { childrenOf } from '../../core/xml/element'
import { parseElement } from '../../core/xml'
import { IM_HOST } from '../lib/config'
import type { Options } from '../lib/config'
import { startTestServer } from '../lib/server'
import type { TestServer } from '../lib/server'
import type { TestContext } from 'node:test'

/** XEP-0156 by RFC 6415: where WebSocket is, for who knows the domain alone. */

const XRD = 'http://docs.oasis-open.org/ns/xri/xrd-1.0'
const WEBSOCKET = 'urn:xmpp:alt-connections:websocket'
const PATH = '/.well-known/host-meta'

interface Answer {
  status: number
  headers: http.IncomingHttpHeaders
  body: string
}

/** Asks with a `Host` of one's choice, which fetch does not allow. */
function ask(server: TestServer, path: string, options: http.RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'localhost', ...options.headers }
    const request = http.request(
      { host: '127.0.0.1', port: server.ports.ws, path, agent: false, ...options, headers },
      response => {
        let body = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
        )
      }
    )
    request.on('error', reject).end()
  })
}

/** As converse.js and @xmpp/client read it. */
function hrefs({ body }: Answer): string[] {
  const document = parseElement(body.replace(/^<\?xml[^>]*\?>\s*/, '').trim())
  assert.equal(document.name, 'XRD')
  assert.equal(document.attrs.xmlns, XRD)
  return childrenOf(document, 'Link', XRD)
    .filter(({ attrs }) => attrs.rel === WEBSOCKET)
    .map(({ attrs }) => String(attrs.href))
}

async function start(t: TestContext, websocket: Options = {}, modules: Options = {}): Promise<TestServer> {
  return startTestServer(t, {
    modules: { host_meta: {}, websocket, ...modules },
    hosts: {
      localhost: IM_HOST,
      'bücher.example': IM_HOST,
      'channels.localhost': { type: 'component', modules: {} }
    }
  })
}

test('XEP-0156 §2.3: both documents name the URL of the config, and any page may read them', async t => {
  const server = await start(t, { path: '/ws', url: 'wss://chat.example.org/socket' })
  const xrd = await ask(server, PATH)
  assert.equal(xrd.status, 200)
  assert.match(xrd.headers['content-type'] ?? '', /^application\/xrd\+xml/) // RFC 6415 §2
  assert.equal(xrd.headers['access-control-allow-origin'], '*') // §3
  assert.deepEqual(hrefs(xrd), ['wss://chat.example.org/socket'])

  const jrd = await ask(server, `${PATH}.json`)
  assert.equal(jrd.headers['content-type'], 'application/json') // RFC 6415 appendix A: exactly
  assert.equal(jrd.headers['access-control-allow-origin'], '*')
  assert.deepEqual(JSON.parse(jrd.body), {
    links: [{ rel: WEBSOCKET, href: 'wss://chat.example.org/socket' }]
  })
})

test('RFC 6415 §3: XRD unless JSON alone is asked for', async t => {
  const server = await start(t, { url: 'wss://{host}/ws' })
  const typeFor = async (accept: string): Promise<string> =>
    (await ask(server, PATH, { headers: { accept } })).headers['content-type'] ?? ''
  for (const accept of ['*/*', 'application/xrd+xml, text/xml', 'application/json, */*;q=0.1'])
    assert.match(await typeFor(accept), /xrd\+xml/, accept)
  assert.equal(await typeFor('Application/JSON;q=0.9'), 'application/json')
})

test('the `Host` says which domain is meant; domains without accounts here are unknown', async t => {
  const server = await start(t, { url: 'wss://{host}/ws' })
  const of = (host: string): Promise<Answer> => ask(server, PATH, { headers: { host } })
  for (const [host, href] of [
    ['localhost', 'wss://localhost/ws'],
    ['LocalHost:5280', 'wss://localhost/ws'],
    // The domain's canonical form here has U-labels, a URL has A-labels
    ['xn--bcher-kva.example', 'wss://xn--bcher-kva.example/ws']
  ] as const) {
    assert.deepEqual(hrefs(await of(host)), [href], host)
  }
  for (const host of ['channels.localhost', 'evil.example', '127.0.0.1', '[::1]', 'a@localhost', 'a b', '']) {
    const answer = await of(host)
    assert.ok(answer.status === 404 || answer.status === 400, `${host}: ${answer.status}`)
    assert.equal(answer.body.includes('wss:'), false, host)
  }
  assert.deepEqual(server.errors(), [])
})

test('§2.2: without TLS there is nothing to tell, and the log says what to do', async t => {
  const server = await start(t)
  const answer = await ask(server, PATH)
  assert.equal(answer.status, 404)
  assert.equal(answer.headers['access-control-allow-origin'], '*')
  assert.equal((await ask(server, `${PATH}.json`)).status, 404)
  assert.ok(
    server.log.some(({ level, msg }) => level === 'warn' && /option 'url' of websocket/.test(msg ?? ''))
  )
})

test('a port that speaks TLS itself is named with its number, a proxy with that of the domain', async t => {
  const own = await start(t, { listen: [{ address: '127.0.0.1', port: 0, tls: true }] })
  assert.deepEqual(hrefs(await ask(own, PATH)), [`wss://localhost:${own.ports.wss}/xmpp-websocket`])
  const proxied = await start(t, { secure: 'assume', path: '/ws' })
  assert.deepEqual(hrefs(await ask(proxied, PATH)), ['wss://localhost/ws'])
})

test('the link is there exactly as long as WebSocket is, and a changed URL takes effect at once', async t => {
  const server = await start(t, { url: 'wss://chat.example.org/ws' })
  const { modules, config } = server.server.api
  assert.equal((await modules.unload('websocket')).ok, true)
  assert.equal((await ask(server, PATH)).status, 404)
  assert.equal((await modules.load('websocket')).ok, true)
  assert.equal((await ask(server, PATH)).status, 200)
  const file = server.configFile
  const fs = await import('node:fs')
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('chat.example.org', 'talk.example.org'))
  assert.equal((await config.reload()).ok, true)
  assert.deepEqual(hrefs(await ask(server, PATH)), ['wss://talk.example.org/ws'])
  assert.equal((await modules.unload('host_meta')).ok, true)
  assert.equal((await ask(server, PATH)).status, 404)
})

test('HEAD and OPTIONS are answered, POST is not', async t => {
  const server = await start(t, { url: 'wss://chat.example.org/ws' })
  const head = await ask(server, PATH, { method: 'HEAD' })
  assert.deepEqual([head.status, head.body], [200, ''])
  const preflight = await ask(server, PATH, { method: 'OPTIONS', headers: { origin: 'https://web.example' } })
  assert.equal(preflight.status, 204)
  assert.equal(preflight.headers['access-control-allow-origin'], '*')
  assert.equal((await ask(server, PATH, { method: 'POST' })).status, 404)
})

test('a URL without TLS is a fault of the config (§2.2)', async t => {
  for (const url of ['ws://chat.example.org/ws', 'https://chat.example.org/ws', 'wss://', 'chat.example.org'])
    await assert.rejects(start(t, { url }), /expected a URL like wss:/, url)
})
