#!/usr/bin/env node
// The "physical limit" stub: answers the flows of bench.mjs over TCP with no XML work beyond framing.
// No authentication check, no storage, no privacy, no routing rules: only the sockets, the stanza
// boundaries (lib/scanner.mjs), a to-address lookup and string pasting.
//   node stub.mjs --port 17422 --domain bench.localhost [--pid-file F] [--cert F --key F]
import net from 'node:net'
import tls from 'node:tls'
import fs from 'node:fs'
import { Scanner, attr } from './lib/scanner.mjs'

const arg = (k, d) => {
  const i = process.argv.indexOf('--' + k)
  return i > 0 ? process.argv[i + 1] : d
}
const PORT = +arg('port', 17422),
  DOMAIN = arg('domain', 'bench.localhost'),
  PUBSUB = arg('pubsub', 'pubsub.' + DOMAIN)
const CERT = arg('cert'),
  KEY = arg('key')
const ctx = CERT ? tls.createSecureContext({ cert: fs.readFileSync(CERT), key: fs.readFileSync(KEY) }) : null

const byBare = new Map() // bare jid -> connection (last one bound)
const byFull = new Map()
const nodes = new Map() // node -> { subs: Set(bare), items: [] }
const DISCO =
  `<query xmlns='http://jabber.org/protocol/disco#info'><identity category='server' type='im' name='stub'/>` +
  [
    'http://jabber.org/protocol/disco#info',
    'http://jabber.org/protocol/disco#items',
    'jabber:iq:private',
    'jabber:iq:register',
    'jabber:iq:roster',
    'jabber:iq:version',
    'msgoffline',
    'urn:xmpp:blocking',
    'urn:xmpp:carbons:2',
    'urn:xmpp:ping',
    'urn:xmpp:time',
    'vcard-temp',
    'http://jabber.org/protocol/commands'
  ]
    .map(v => `<feature var='${v}'/>`)
    .join('') +
  '</query>'
const MAX = 10000

const dirty = []
function flush() {
  for (const c of dirty) {
    const o = c.out
    c.out = ''
    c.dirty = false
    if (!c.gone) c.sock.write(o, 'latin1')
  }
  dirty.length = 0
}
const srv = net.createServer({ noDelay: true }, sock => {
  const c = {
    sock,
    out: '',
    dirty: false,
    gone: false,
    user: null,
    bare: null,
    jid: null,
    phase: 0,
    tls: false
  }
  const send = s => put(c, s)
  const sc = new Scanner({
    open() {
      const feats =
        c.phase === 0
          ? (ctx && !c.tls ? `<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>` : '') +
            `<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>`
          : `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>`
      send(
        `<?xml version='1.0'?><stream:stream from='${DOMAIN}' id='s' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'><stream:features>${feats}</stream:features>`
      )
    },
    close() {
      send('</stream:stream>')
      flush()
      c.sock.end()
    },
    stanza(b, s, e) {
      const c1 = b[s + 1]
      if (c1 === 0x6d) {
        // message
        const head = b.latin1Slice(s, Math.min(e, s + 300))
        const to = attr(head, 'to')
        const t = byBare.get(to) || byFull.get(to)
        if (t) put(t, `<message from='${c.jid}'${b.latin1Slice(s + 8, e)}`)
        return
      }
      if (c1 === 0x70) return // presence
      if (c1 === 0x69) return iq(c, b.latin1Slice(s, e))
      const str = b.latin1Slice(s, e)
      if (str.startsWith('<auth')) {
        const p = Buffer.from(/>([^<]*)</.exec(str)?.[1] ?? '', 'base64')
          .toString()
          .split('\0')
        c.user = p[1]
        c.bare = `${p[1]}@${DOMAIN}`
        c.phase = 1
        send(`<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`)
        sc.reset()
      } else if (str.startsWith('<starttls') && ctx) {
        sc.stop()
        c.sock.removeAllListeners('data')
        c.sock.write(`<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`)
        const raw = c.sock
        c.sock = new tls.TLSSocket(raw, { isServer: true, secureContext: ctx })
        c.tls = true
        hook(c.sock)
        sc.reset()
      }
    }
  })
  function hook(s) {
    s.on('data', d => {
      try {
        sc.feed(d)
      } catch {
        s.destroy()
      }
      if (dirty.length) flush()
    })
    s.on('error', () => s.destroy())
    s.on('close', () => {
      c.gone = true
      if (byBare.get(c.bare) === c) byBare.delete(c.bare)
      if (byFull.get(c.jid) === c) byFull.delete(c.jid)
    })
  }
  hook(sock)
})
function put(c, s) {
  if (c.gone) return
  c.out += s
  if (!c.dirty) {
    c.dirty = true
    dirty.push(c)
  }
}

function iq(c, str) {
  const id = attr(str, 'id'),
    to = attr(str, 'to'),
    type = attr(str, 'type')
  if (type === 'result' || type === 'error') return
  const reply = x =>
    put(
      c,
      x === ''
        ? `<iq type='result' id='${id}' from='${to ?? DOMAIN}' to='${c.jid}'/>`
        : `<iq type='result' id='${id}' from='${to ?? DOMAIN}' to='${c.jid}'>${x}</iq>`
    )
  if (to === PUBSUB) {
    let k
    if ((k = str.indexOf('<publish node=')) > 0) {
      const node = attr(str, 'node', k)
      const n = getNode(node)
      const a = str.indexOf('<item ', k),
        z = str.indexOf('</item>', a) + 7
      const item = str.slice(a, z)
      n.items.push(item)
      if (n.items.length > MAX) n.items.shift()
      reply(
        `<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='${node}'><item id='${attr(str, 'id', a)}'/></publish></pubsub>`
      )
      for (const s of n.subs) {
        const t = byBare.get(s)
        if (t)
          put(
            t,
            `<message from='${PUBSUB}' to='${s}' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='${node}'>${item}</items></event></message>`
          )
      }
    } else if ((k = str.indexOf('<items node=')) > 0) {
      const node = attr(str, 'node', k),
        n = getNode(node)
      const one = str.indexOf('<item id=', k)
      const list =
        one > 0
          ? n.items.filter(x => attr(x, 'id') === attr(str, 'id', one))
          : n.items.slice(-+(attr(str, 'max_items', k) || 50))
      reply(
        `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='${node}'>${list.join('')}</items></pubsub>`
      )
    } else if ((k = str.indexOf('<subscribe ')) > 0) {
      const node = attr(str, 'node', k),
        jid = attr(str, 'jid', k)
      getNode(node).subs.add(jid)
      reply(
        `<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscription node='${node}' jid='${jid}' subscription='subscribed'/></pubsub>`
      )
    } else if ((k = str.indexOf('<delete node=')) > 0) {
      nodes.delete(attr(str, 'node', k))
      reply('')
    } else reply('')
    return
  }
  if (str.indexOf('disco#info') > 0) return reply(DISCO)
  if (str.indexOf('xmpp-bind') > 0) {
    const r = /<resource>([^<]*)/.exec(str)?.[1] ?? 'r'
    c.jid = `${c.bare}/${r}`
    byBare.set(c.bare, c)
    byFull.set(c.jid, c)
    return reply(`<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>${c.jid}</jid></bind>`)
  }
  reply('')
}
function getNode(n) {
  let x = nodes.get(n)
  if (!x) nodes.set(n, (x = { subs: new Set(), items: [] }))
  return x
}

srv.listen({ host: arg('host', '127.0.0.1'), port: PORT, backlog: 511 }, () => {
  if (arg('pid-file')) fs.writeFileSync(arg('pid-file'), String(process.pid))
  console.log(`stub on 127.0.0.1:${PORT} pid ${process.pid}`)
})
process.on('SIGTERM', () => process.exit(0))
