import assert from 'node:assert/strict'
import { once } from 'node:events'
import net, { type AddressInfo, type Server } from 'node:net'
import test, { type TestContext } from 'node:test'
import { dial, Dns, type Dialled, type DialOptions, type Target } from '../../../core/net'
import { TestDns } from '../../lib/dns'

/** Nothing comes back from there. */
const NOWHERE = '192.0.2.1'

function connect(options: net.TcpNetConnectOpts): net.Socket {
  return options.host === NOWHERE ? new net.Socket() : net.connect(options)
}

async function listen(t: TestContext, address = '127.0.0.1', port = 0): Promise<Server & { port: number }> {
  const server = net.createServer(socket => socket.on('error', () => undefined).resume())
  server.listen(port, address)
  await once(server, 'listening')
  t.after(() => server.close())
  return Object.assign(server, { port: (server.address() as AddressInfo).port })
}

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function to(host: string, port: number, more: Partial<Target> = {}): Target {
  return { host, port, tls: 'starttls', priority: 0, by: 'srv', ...more }
}

/** Whoever connects is hung up on at the end of the test. */
async function connects(
  t: TestContext,
  targets: Target[],
  options: Partial<DialOptions> = {}
): Promise<Dialled> {
  const dialled = await dial(targets, { dns: new Dns({ servers: ['127.0.0.1:1'] }), connect, ...options })
  t.after(() => dialled.socket.destroy())
  return dialled
}

test('the first target that answers; the ones behind it are for later', async t => {
  const server = await listen(t)
  const targets = [to('127.0.0.1', await closedPort()), to('127.0.0.1', server.port), to('127.0.0.1', 9)]
  const { socket, target, address, later } = await connects(t, targets)
  assert.equal(target, targets[1])
  assert.equal(address, '127.0.0.1')
  assert.deepEqual(later, [targets[2]])
  assert.equal(socket.allowHalfOpen, true)
  assert.equal(socket.listenerCount('data'), 0, 'nothing is read yet')
})

test('a target that does not answer is not waited for (RFC 8305)', async t => {
  const server = await listen(t)
  const started = performance.now()
  const { target } = await connects(t, [to(NOWHERE, 5269), to('127.0.0.1', server.port)], {
    attempt: 30_000,
    stagger: 20
  })
  assert.equal(target.host, '127.0.0.1')
  assert.ok(performance.now() - started < 20_000)
})

test('a refused one is not waited for at all; a lower priority waits for a higher one that may answer', async t => {
  const server = await listen(t)
  const never = { stagger: 3_600_000, lowerStagger: 3_600_000 }
  await connects(
    t,
    [to('127.0.0.1', await closedPort()), to('127.0.0.1', server.port, { priority: 5 })],
    never
  )
  const higher = to(NOWHERE, 5269)
  const lower = to('127.0.0.1', server.port, { priority: 5 })
  await assert.rejects(connects(t, [higher, lower], { stagger: 1, lowerStagger: 3_600_000, timeout: 300 }), {
    condition: 'remote-server-timeout'
  })
  assert.equal((await connects(t, [higher, lower], { stagger: 3_600_000, lowerStagger: 10 })).target, lower)
})

test('all addresses of a name are tried, both families', async t => {
  const dns = await TestDns.start(t, { 'a.example': { a: ['127.0.0.2', '127.0.0.1'], aaaa: ['::1'] } })
  const server = await listen(t, '127.0.0.1')
  const { address } = await connects(t, [to('a.example', server.port)], {
    dns: new Dns({ servers: [dns.server] })
  })
  assert.equal(address, '127.0.0.1')
})

test('what it means that nobody answers (RFC 6120 §8.3.3.16, §8.3.3.17)', async t => {
  const server = await TestDns.start(t, { 'a.example': { a: ['127.0.0.1'] } })
  server.fail('broken.example', 'SERVFAIL')
  const dns = new Dns({ servers: [server.server] })
  const port = await closedPort()
  const cases: Array<[Target[], object]> = [
    [
      [to('none.example', port)],
      { condition: 'remote-server-not-found', temporary: false, message: /no address/ }
    ],
    [
      [to('none.example', port, { by: 'address' })],
      { condition: 'remote-server-not-found', temporary: false }
    ],
    [
      [to('a.example', port, { by: 'address' })],
      { condition: 'remote-server-not-found', temporary: true, message: /127\.0\.0\.1:\d+: ECONNREFUSED/ }
    ],
    [[to('a.example', port)], { condition: 'remote-server-timeout', temporary: true }],
    [[to('a.example', port, { by: 'route' })], { condition: 'remote-server-timeout', temporary: true }],
    [
      [to('broken.example', port)],
      { condition: 'remote-server-timeout', temporary: true, message: /SERVFAIL/ }
    ],
    [[to('none.example', port), to('a.example', port)], { condition: 'remote-server-timeout' }],
    [[], { condition: 'remote-server-not-found' }]
  ]
  for (const [targets, error] of cases)
    await assert.rejects(dial(targets, { dns }), { name: 'Unreachable', code: 'ERR_UNREACHABLE', ...error })
})

test('there is an end to it: for one address and for all', async () => {
  const dns = new Dns()
  await assert.rejects(dial([to(NOWHERE, 5269)], { dns, connect, attempt: 50 }), {
    condition: 'remote-server-timeout',
    message: '192.0.2.1:5269: no connection within 50 ms'
  })
  await assert.rejects(dial([to(NOWHERE, 5269)], { dns, connect, timeout: 50 }), {
    condition: 'remote-server-timeout'
  })
})

test('it can be given up, before and while; no socket is left', async t => {
  const dns = new Dns()
  const opened: net.Socket[] = []
  const options: DialOptions = {
    dns,
    stagger: 1,
    connect: to => {
      const socket = connect(to)
      opened.push(socket)
      return socket
    }
  }
  const signal = AbortSignal.abort(new Error('given up'))
  await assert.rejects(dial([to(NOWHERE, 5269)], { ...options, signal }), /given up/)
  assert.equal(opened.length, 0)

  const giving = new AbortController()
  const rejected = assert.rejects(
    dial([to(NOWHERE, 5269), to(NOWHERE, 5270)], { ...options, signal: giving.signal }),
    /given up/
  )
  while (opened.length < 2) await new Promise(resolve => setImmediate(resolve))
  giving.abort(new Error('given up'))
  await rejected
  assert.ok(opened.every(socket => socket.destroyed))

  const server = await listen(t)
  const targets = [to(NOWHERE, 5269), to('127.0.0.1', server.port), to(NOWHERE, 5271)]
  const { socket } = await connects(t, targets, options)
  assert.deepEqual(
    opened.filter(other => !other.destroyed),
    [socket]
  )
})

test('thirty addresses are tried, not more', async t => {
  const addresses = Array.from({ length: 16 }, (_, i) => `127.9.0.${i + 1}`)
  const dns = await TestDns.start(t, { 'a.example': { a: addresses }, 'b.example': { a: addresses } })
  const port = await closedPort()
  const error = await dial([to('a.example', port), to('b.example', port), to('a.example', port)], {
    dns: new Dns({ servers: [dns.server] })
  }).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof Error)
  assert.equal(error.message.split('; ').length, 30)
})
