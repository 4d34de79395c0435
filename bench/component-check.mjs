#!/usr/bin/env node
// XEP-0114 handshake against a peer's component listener, then one routed iq each way.
//   node component-check.mjs --port 17347 [--c2s 17322] [--component channels.bench.localhost] [--secret secret]
import net from 'node:net'
import crypto from 'node:crypto'
import { Scanner, attr } from './lib/scanner.mjs'
import { Client } from './lib/client.mjs'
const arg = (k, d) => {
  const i = process.argv.indexOf('--' + k)
  return i > 0 ? process.argv[i + 1] : d
}
const port = +arg('port', 17347),
  c2s = +arg('c2s', 0),
  comp = arg('component', 'channels.bench.localhost'),
  secret = arg('secret', 'secret')
const dead = setTimeout(() => {
  console.error('no outcome within 10 s')
  process.exit(1)
}, 10000)
const s = net.connect(port, '127.0.0.1')
s.on('error', e => {
  console.error('component socket:', e.message)
  process.exit(1)
})
s.on('close', () => {
  console.error('component connection closed by the server')
  process.exit(1)
})
const sc = new Scanner({
  open(h) {
    const id = attr(h, 'id')
    s.write(
      `<handshake>${crypto
        .createHash('sha1')
        .update(id + secret)
        .digest('hex')}</handshake>`
    )
  },
  async stanza(b, i, j) {
    const x = b.utf8Slice(i, j)
    if (x.startsWith('<handshake')) {
      console.log(`handshake accepted for ${comp} on port ${port}`)
      if (!c2s) process.exit(0)
      const c = new Client({
        host: '127.0.0.1',
        port: c2s,
        domain: 'bench.localhost',
        user: 'u1',
        pass: 'pw',
        timeoutMs: 5000
      })
      try {
        await c.login({ confirm: true })
        const r = await c.iq(comp, 'get', `<query xmlns='http://jabber.org/protocol/disco#info'/>`)
        console.log('client -> component -> client:', r)
        process.exit(0)
      } catch (e) {
        console.error(e.message)
        process.exit(1)
      }
    } else if (x.startsWith('<iq') && attr(x, 'type') === 'get') {
      console.log('component got:', x)
      s.write(
        `<iq type='result' id='${attr(x, 'id')}' to='${attr(x, 'from')}' from='${attr(x, 'to')}'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='pubsub' type='channels'/></query></iq>`
      )
    } else if (x.startsWith('<stream:error')) {
      console.error(x)
      process.exit(1)
    }
  },
  close() {}
})
s.on('data', d => sc.feed(d))
s.write(
  `<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${comp}'>`
)
