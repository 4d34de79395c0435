import assert from 'node:assert'
import net from 'node:net'
import test from 'node:test'
import { ClientListeners, type ClientPort } from '../../../core/streams/listeners'
import { FakeBackend } from './lib/backend'
import { Raw } from './lib/raw'
import { header, rig } from './lib/rig'

const address = '127.0.0.1'
const tcp = (port: number): ClientPort => ({ transport: 'tcp', address, port })

/** A port that is free at the moment. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, address)
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as net.AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

async function isOpen(port: number): Promise<boolean> {
  try {
    const raw = await Raw.connect(port)
    raw.write('<!')
    await raw.end()
    return true
  } catch {
    return false
  }
}

test('sockets outlive the module that asked for them; only the difference is opened and closed', async t => {
  const listeners = new ClientListeners(new FakeBackend('localhost'))
  t.after(() => listeners.close())
  const [a, b, c] = [await freePort(), await freePort(), await freePort()]
  await listeners.listen('c2s', [tcp(a), tcp(b)], { tls: 'off' })
  const juliet = await Raw.connect(a)
  const romeo = await Raw.connect(b)
  t.after(() => [juliet, romeo].forEach(raw => raw.destroy()))

  assert.deepEqual(await listeners.listen('c2s', [tcp(b), tcp(c)], { tls: 'off' }), [tcp(b), tcp(c)])
  assert.deepEqual(await Promise.all([a, b, c].map(isOpen)), [false, true, true])
  // Who is connected stays, also at the port that was closed.
  for (const raw of [juliet, romeo]) {
    raw.write(header())
    await raw.until('<stream:features')
  }
  assert.deepEqual(listeners.ports(), [tcp(b), tcp(c)])
  assert.equal(listeners.size, 2)

  assert.deepEqual(await listeners.listen('c2s', [], {}), [])
  assert.deepEqual(await Promise.all([b, c].map(isOpen)), [false, false])
  assert.equal(listeners.size, 2)
})

test('an address that cannot be had changes nothing and says why', async t => {
  const listeners = new ClientListeners(new FakeBackend('localhost'))
  t.after(() => listeners.close())
  const other = net.createServer().listen(0, address)
  await new Promise(resolve => other.once('listening', resolve))
  t.after(() => other.close())
  const taken = (other.address() as net.AddressInfo).port
  const [a, b] = [await freePort(), await freePort()]
  await listeners.listen('c2s', [tcp(a)], { tls: 'off' })
  const refused = {
    code: 'ERR_LISTEN',
    message: new RegExp(
      `^cannot listen on 127\\.0\\.0\\.1:${taken}: another program listens there\\. End it, or`
    )
  }
  await assert.rejects(listeners.listen('c2s', [tcp(b), tcp(taken)], { tls: 'off' }), refused)
  assert.deepEqual(listeners.ports(), [tcp(a)])
  assert.deepEqual(await Promise.all([a, b].map(isOpen)), [true, false])
  await assert.rejects(listeners.listen('c2s', [{ ...tcp(b), address: '192.0.2.1' }], {}), {
    code: 'ERR_LISTEN',
    message: `cannot listen on 192.0.2.1:${b}: this machine does not have that address`
  })
  await assert.rejects(listeners.listen('other', [tcp(a)], {}), {
    code: 'ERR_LISTEN',
    message: `127.0.0.1:${a} is used by c2s already`
  })
})

test('direct TLS without a certificate is refused at once', async t => {
  const listeners = new ClientListeners(new FakeBackend('localhost'))
  t.after(() => listeners.close())
  await assert.rejects(listeners.listen('c2s', [{ transport: 'tls', address, port: 0 }], {}), {
    code: 'ERR_LISTEN'
  })
  assert.deepEqual(listeners.ports(), [])
})

test('changed settings hold for streams that there are', async t => {
  const { listeners, connect, backend } = await rig(t, { plain: true })
  const juliet = await connect()
  const port = listeners.ports()[0] ?? assert.fail()
  const before = await juliet.open()
  assert.equal(before.getChild('mechanisms')?.getChildElements().length, 2)
  await listeners.listen('c2s', [{ ...port, port: 0 }], { tls: 'required' })
  juliet.write(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'/>`)
  await juliet.receives(`<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><encryption-required/></failure>`)
  assert.deepEqual(backend.told, [])
})

test('what the config says holds where the module says nothing', async t => {
  let retries = 1
  const backend = await FakeBackend.make('localhost')
  const listeners = new ClientListeners(backend, () => ({ authRetries: retries, tls: 'off' }))
  t.after(() => listeners.close())
  const [port] = await listeners.listen('c2s', [tcp(0)], {})
  const attempts = async (): Promise<number> => {
    const raw = await Raw.connect(port?.port ?? 0)
    raw.write(header())
    await raw.until('<stream:features')
    for (let i = 0; i < 5; i++) raw.write(`<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`)
    await raw.end()
    return raw.text.split('<aborted').length - 1
  }
  assert.equal(await attempts(), 2)
  retries = 3
  listeners.refresh()
  assert.equal(await attempts(), 4)
})
