// A minimal XMPP client for load generation. Every wait has a deadline.
import net from 'node:net'
import tls from 'node:tls'
import crypto from 'node:crypto'
import { Scanner, attr, tagName, unescapeXml, escapeXml } from './scanner.mjs'

export class XmppError extends Error {
  constructor(msg, extra = {}) {
    super(msg)
    this.name = 'XmppError'
    Object.assign(this, extra)
  }
}

// ---- write batching: everything written during one event goes out in one write per connection ----
const dirty = []
let scheduled = false
export function flushAll() {
  for (let k = 0; k < dirty.length; k++) {
    const c = dirty[k]
    c.dirty = false
    const o = c.out
    c.out = ''
    if (c.sock && !c.closed) c.sock.write(o, c.utf8 ? 'utf8' : 'latin1')
  }
  dirty.length = 0
  scheduled = false
}

const saltedCache = new Map()

function scramKeys(user, pass, salt, iter) {
  const key = `${user}\0${pass}\0${salt}\0${iter}`
  let v = saltedCache.get(key)
  if (!v) {
    const salted = crypto.pbkdf2Sync(pass, Buffer.from(salt, 'base64'), iter, 20, 'sha1')
    const clientKey = crypto.createHmac('sha1', salted).update('Client Key').digest()
    v = {
      clientKey,
      storedKey: crypto.createHash('sha1').update(clientKey).digest(),
      serverKey: crypto.createHmac('sha1', salted).update('Server Key').digest()
    }
    saltedCache.set(key, v)
  }
  return v
}

export class Client {
  // o: host, port, domain, user, pass, tls, mech ('auto'|'plain'|'scram'), resource, timeoutMs
  constructor(o) {
    this.o = o
    this.timeoutMs = o.timeoutMs ?? 15000
    this.sock = null
    this.closed = false
    this.online = false
    this.queue = []
    this.waiter = null
    this.pendingIq = new Map()
    this.nextId = 0
    this.out = ''
    this.dirty = false
    this.utf8 = false
    this.jid = null
    this.bare = `${o.user}@${o.domain}`
    this.err = null
    this.bytesIn = 0
    // hot-path hooks: (buf, start, end) for messages and presence; (head, buf, start, end) for unmatched iq results
    this.onMessage = null
    this.onPresence = null
    this.onIq = null
    this.onClose = null
    this.scanner = new Scanner({
      open: h => {
        this.streamHeader = h
      },
      stanza: (b, s, e) => this._stanza(b, s, e),
      close: () => {
        this.streamClosed = true
      }
    })
  }

  // -- plumbing --

  _stanza(b, s, e) {
    if (!this.online) {
      const str = b.utf8Slice(s, e)
      if (this.waiter) {
        const w = this.waiter
        this.waiter = null
        w(str)
      } else this.queue.push(str)
      if (str.startsWith('<proceed')) this.scanner.stop()
      return
    }
    const c1 = b[s + 1],
      c2 = b[s + 2]
    if (c1 === 0x6d) {
      // m
      if (this.onMessage !== null) this.onMessage(b, s, e)
    } else if (c1 === 0x69 && c2 === 0x71) {
      // iq
      this._iq(b, s, e)
    } else if (c1 === 0x70) {
      // p
      if (this.onPresence !== null) this.onPresence(b, s, e)
    } else {
      const str = b.utf8Slice(s, e)
      if (str.startsWith('<stream:error'))
        this._fail(new XmppError(`${this.bare}: stream error: ${str.slice(0, 300)}`))
    }
  }

  _iq(b, s, e) {
    const head = b.latin1Slice(s, Math.min(e, s + 400))
    const type = attr(head, 'type')
    const id = attr(head, 'id')
    if (type === 'result' || type === 'error') {
      if (this.pendingIq.size !== 0) {
        const p = this.pendingIq.get(id)
        if (p) {
          this.pendingIq.delete(id)
          p(b.utf8Slice(s, e), type)
          return
        }
      }
      if (this.onIq !== null) this.onIq(id, type, b, s, e)
      return
    }
    // a request from the server or another entity: answer as a polite client would
    const from = attr(head, 'from')
    const to = from ? ` to='${from}'` : ''
    const whole = b.utf8Slice(s, e)
    if (type === 'set' && whole.includes('jabber:iq:roster')) this.send(`<iq type='result' id='${id}'${to}/>`)
    else if (type === 'get' && whole.includes('urn:xmpp:ping'))
      this.send(`<iq type='result' id='${id}'${to}/>`)
    else
      this.send(
        `<iq type='error' id='${id}'${to}><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
      )
  }

  _fail(err) {
    if (!this.err) this.err = err
    if (this.waiter) {
      const w = this.waiter
      this.waiter = null
      w(null)
    }
    for (const p of this.pendingIq.values()) p(null, 'closed')
    this.pendingIq.clear()
    if (this.sock && !this.sock.destroyed) this.sock.destroy()
    if (!this.closed) {
      this.closed = true
      if (this.onClose) this.onClose(err)
    }
  }

  _attach(sock) {
    this.sock = sock
    sock.on('data', chunk => {
      this.bytesIn += chunk.length
      try {
        this.scanner.feed(chunk)
      } catch (e) {
        this._fail(e)
      }
      if (dirty.length) flushAll()
    })
    sock.on('error', e =>
      this._fail(new XmppError(`${this.bare}: socket: ${e.code || e.message}`, { code: e.code }))
    )
    sock.on('close', () => this._fail(new XmppError(`${this.bare}: connection closed by the server`)))
  }

  send(str) {
    if (this.closed) return
    this.out = this.out === '' ? str : this.out + str
    if (!this.dirty) {
      this.dirty = true
      dirty.push(this)
      if (!scheduled) {
        scheduled = true
        queueMicrotask(flushAll)
      }
    }
  }

  // next stanza during negotiation
  async _next(what) {
    if (this.queue.length) return this.queue.shift()
    if (this.err) throw this.err
    const str = await new Promise((resolve, reject) => {
      const t = setTimeout(() => {
        this.waiter = null
        reject(new XmppError(`${this.bare}: no answer within ${this.timeoutMs} ms waiting for ${what}`))
      }, this.timeoutMs)
      this.waiter = v => {
        clearTimeout(t)
        resolve(v)
      }
    })
    if (str === null) throw this.err || new XmppError(`${this.bare}: closed waiting for ${what}`)
    if (str.startsWith('<stream:error'))
      throw new XmppError(`${this.bare}: stream error waiting for ${what}: ${str.slice(0, 300)}`)
    return str
  }

  _openStream() {
    this.scanner.reset()
    this.send(
      `<?xml version='1.0'?><stream:stream to='${this.o.domain}' version='1.0' xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`
    )
  }

  async _tcp() {
    await new Promise((resolve, reject) => {
      const s = net.connect({ host: this.o.host, port: this.o.port, noDelay: true })
      const t = setTimeout(() => {
        s.destroy()
        reject(new XmppError(`${this.bare}: TCP connect to ${this.o.host}:${this.o.port} timed out`))
      }, this.timeoutMs)
      const onErr = e => {
        clearTimeout(t)
        reject(
          new XmppError(
            `${this.bare}: TCP connect to ${this.o.host}:${this.o.port}: ${e.code || e.message}`,
            { code: e.code }
          )
        )
      }
      s.once('error', onErr)
      s.once('connect', () => {
        clearTimeout(t)
        s.removeListener('error', onErr)
        this._attach(s)
        resolve()
      })
    })
  }

  async _startTls() {
    this.send(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`)
    const r = await this._next('<proceed/>')
    if (!r.startsWith('<proceed')) throw new XmppError(`${this.bare}: STARTTLS refused: ${r.slice(0, 200)}`)
    const raw = this.sock
    raw.removeAllListeners('data')
    raw.removeAllListeners('close')
    raw.removeAllListeners('error')
    await new Promise((resolve, reject) => {
      const t = setTimeout(() => {
        raw.destroy()
        reject(new XmppError(`${this.bare}: TLS handshake timed out`))
      }, this.timeoutMs)
      const s = tls.connect({ socket: raw, rejectUnauthorized: false, servername: this.o.domain })
      const onErr = e => {
        clearTimeout(t)
        reject(new XmppError(`${this.bare}: TLS: ${e.code || e.message}`))
      }
      s.once('error', onErr)
      s.once('secureConnect', () => {
        clearTimeout(t)
        s.removeListener('error', onErr)
        this.tlsProtocol = s.getProtocol()
        this.tlsCipher = s.getCipher()?.name
        this._attach(s)
        resolve()
      })
    })
  }

  // TCP, stream, STARTTLS if asked: returns the features stanza
  async open() {
    await this._tcp()
    this._openStream()
    let f = await this._next('stream features')
    if (this.o.tls) {
      if (!f.includes('urn:ietf:params:xml:ns:xmpp-tls'))
        throw new XmppError(`${this.bare}: --tls asked for, but the server does not offer STARTTLS`)
      await this._startTls()
      this._openStream()
      f = await this._next('stream features after TLS')
    }
    this.features = f
    return f
  }

  async _auth(f) {
    const mechs = [...f.matchAll(/<mechanism[^>]*>([^<]+)<\/mechanism>/g)].map(m => m[1])
    let mech = this.o.mech ?? 'auto'
    if (mech === 'auto')
      mech = mechs.includes('PLAIN') ? 'plain' : mechs.includes('SCRAM-SHA-1') ? 'scram' : 'none'
    const { user, pass } = this.o
    if (mech === 'plain') {
      if (!mechs.includes('PLAIN'))
        throw new XmppError(
          `${this.bare}: the server does not offer SASL PLAIN (offers: ${mechs.join(' ') || 'nothing'}); use --tls or --mech scram`
        )
      const tok = Buffer.from(`\0${user}\0${pass}`, 'utf8').toString('base64')
      this.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${tok}</auth>`)
    } else if (mech === 'scram') {
      if (!mechs.includes('SCRAM-SHA-1'))
        throw new XmppError(
          `${this.bare}: the server does not offer SCRAM-SHA-1 (offers: ${mechs.join(' ') || 'nothing'})`
        )
      const nonce = crypto.randomBytes(18).toString('base64').replace(/,/g, '_')
      const bare = `n=${user},r=${nonce}`
      this.send(
        `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>${Buffer.from('n,,' + bare).toString('base64')}</auth>`
      )
      const ch = await this._next('SCRAM challenge')
      if (!ch.startsWith('<challenge')) throw new XmppError(`${this.bare}: SCRAM: ${ch.slice(0, 200)}`)
      const server1 = Buffer.from(/>([^<]*)</.exec(ch)[1], 'base64').toString()
      const p = Object.fromEntries(server1.split(',').map(x => [x[0], x.slice(2)]))
      if (!p.r || !p.r.startsWith(nonce)) throw new XmppError(`${this.bare}: SCRAM nonce mismatch`)
      const k = scramKeys(user, pass, p.s, +p.i)
      const without = `c=biws,r=${p.r}`
      const am = `${bare},${server1},${without}`
      const sig = crypto.createHmac('sha1', k.storedKey).update(am).digest()
      const proof = Buffer.alloc(20)
      for (let i = 0; i < 20; i++) proof[i] = k.clientKey[i] ^ sig[i]
      this.send(
        `<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${Buffer.from(`${without},p=${proof.toString('base64')}`).toString('base64')}</response>`
      )
      const v = crypto.createHmac('sha1', k.serverKey).update(am).digest('base64')
      let r = await this._next('SASL outcome')
      if (r.startsWith('<challenge')) {
        // some servers put v= in a challenge
        if (
          !Buffer.from(/>([^<]*)</.exec(r)?.[1] ?? '', 'base64')
            .toString()
            .includes('v=' + v)
        )
          throw new XmppError(`${this.bare}: SCRAM server signature is wrong`)
        this.send(`<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`)
        r = await this._next('SASL outcome')
      } else if (r.startsWith('<success')) {
        const got = Buffer.from(/>([^<]*)</.exec(r)?.[1] ?? '', 'base64').toString()
        if (got !== 'v=' + v) throw new XmppError(`${this.bare}: SCRAM server signature is wrong`)
      }
      if (!r.startsWith('<success'))
        throw new XmppError(`${this.bare}: authentication refused: ${r.slice(0, 200)}`)
      this.mechUsed = 'SCRAM-SHA-1'
      return
    } else {
      throw new XmppError(`${this.bare}: no usable SASL mechanism (offers: ${mechs.join(' ') || 'nothing'})`)
    }
    const r = await this._next('SASL outcome')
    if (!r.startsWith('<success'))
      throw new XmppError(`${this.bare}: authentication refused: ${r.slice(0, 200)}`)
    this.mechUsed = 'PLAIN'
  }

  // full login up to a bound session; presence separately
  async login({ presence = true, confirm = false } = {}) {
    const f0 = await this.open()
    await this._auth(f0)
    this._openStream()
    const f = await this._next('stream features after SASL')
    if (!f.includes('urn:ietf:params:xml:ns:xmpp-bind'))
      throw new XmppError(`${this.bare}: the server offers no resource binding: ${f.slice(0, 200)}`)
    const res = this.o.resource ?? 'b'
    this.send(
      `<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${escapeXml(res)}</resource></bind></iq>`
    )
    const b = await this._next('bind result')
    const m = /<jid>([^<]+)<\/jid>/.exec(b)
    if (!m) throw new XmppError(`${this.bare}: bind refused: ${b.slice(0, 300)}`)
    this.jid = unescapeXml(m[1])
    const sess =
      /<session[^>]*xmlns=['"]urn:ietf:params:xml:ns:xmpp-session['"][^>]*(\/>|>[\s\S]*?<\/session>)/.exec(f)
    if (sess && !sess[0].includes('optional')) {
      this.send(`<iq type='set' id='sess'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>`)
      const r = await this._next('session result')
      if (!/type=['"]result['"]/.test(r))
        throw new XmppError(`${this.bare}: session refused: ${r.slice(0, 200)}`)
    }
    this.online = true
    // anything that slipped into the negotiation queue is not interesting to the bench
    this.queue.length = 0
    if (presence) {
      this.send('<presence/>')
      if (confirm) await this.iq(this.o.domain, 'get', `<ping xmlns='urn:xmpp:ping'/>`, { tolerate: true })
    }
    return this
  }

  // XEP-0077 in-band registration on a fresh connection. Resolves to 'created' or 'exists'.
  async register() {
    await this.open()
    this.online = true
    const r = await this.iq(
      this.o.domain,
      'set',
      `<query xmlns='jabber:iq:register'><username>${escapeXml(this.o.user)}</username><password>${escapeXml(this.o.pass)}</password></query>`,
      { raw: true }
    )
    if (/type=['"]result['"]/.test(r)) return 'created'
    if (r.includes('<conflict')) return 'exists'
    throw new XmppError(`${this.bare}: in-band registration refused: ${r.slice(0, 400)}`)
  }

  // one iq with a deadline. raw: resolve with the stanza even on error. tolerate: an error answer counts as an answer.
  iq(to, type, payload, { raw = false, tolerate = false, timeoutMs = this.timeoutMs } = {}) {
    if (this.err) return Promise.reject(this.err)
    const id = 'q' + ++this.nextId
    return new Promise((resolve, reject) => {
      const t = setTimeout(() => {
        this.pendingIq.delete(id)
        reject(
          new XmppError(
            `${this.bare}: no answer within ${timeoutMs} ms to iq ${type} to ${to}: ${payload.slice(0, 120)}`
          )
        )
      }, timeoutMs)
      this.pendingIq.set(id, (str, kind) => {
        clearTimeout(t)
        if (kind === 'closed') reject(this.err)
        else if (kind === 'error' && !raw && !tolerate)
          reject(
            new XmppError(
              `${this.bare}: iq ${type} to ${to} refused: ${condition(str)} (${payload.slice(0, 100)})`,
              { condition: condition(str) }
            )
          )
        else resolve(str)
      })
      this.send(`<iq type='${type}' id='${id}'${to ? ` to='${escapeXml(to)}'` : ''}>${payload}</iq>`)
    })
  }

  // polite close: resolves when the socket is gone, at most graceMs later
  close(graceMs = 2000) {
    if (this.closed || !this.sock) return Promise.resolve()
    this.onClose = null
    return new Promise(resolve => {
      const s = this.sock
      const t = setTimeout(() => {
        s.destroy()
        resolve()
      }, graceMs)
      s.once('close', () => {
        clearTimeout(t)
        resolve()
      })
      s.end(this.out + '</stream:stream>')
      this.out = ''
      this.closed = true
    })
  }

  destroy() {
    this.closed = true
    if (this.sock) this.sock.destroy()
  }
}

export function condition(str) {
  const m = /<error[\s\S]*?<([a-z-]+)\s[^>]*urn:ietf:params:xml:ns:xmpp-stanzas/.exec(str)
  const t = /<text[^>]*>([^<]*)</.exec(str)
  return (m ? m[1] : str.slice(0, 200)) + (t ? `: ${t[1]}` : '')
}
export { attr, tagName, escapeXml, unescapeXml }
