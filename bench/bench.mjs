#!/usr/bin/env node
// Load generator for any XMPP server. No dependencies. See README.md.
import { fork } from 'node:child_process'
import fs from 'node:fs'
import { Client, XmppError, attr, flushAll } from './lib/client.mjs'
import { exchange } from './lib/exchange.mjs'
import { snapshot, machine } from './lib/procstat.mjs'

// ---------------------------------------------------------------- arguments
const FLAGS = new Set(['tls', 'json', 'register', 'keep', 'help'])
const DEFAULTS = {
  host: '127.0.0.1',
  port: 5222,
  domain: 'bench.localhost',
  pubsub: '',
  'peer-host': '',
  'peer-port': 0,
  'peer-domain': '',
  users: 100,
  pass: 'pw',
  scenario: '',
  seconds: 10,
  warmup: 3,
  pid: '',
  'pid-file': '',
  mech: 'auto',
  resource: 'b',
  concurrency: 20,
  window: 0,
  pairs: 0,
  clients: 0,
  iq: 'mix',
  to: 'bare',
  'body-size': 200,
  subscribers: 100,
  'max-items': 10000,
  preload: 10000,
  'preload-seconds': 300,
  fetch: 50,
  'items-mode': 'auto',
  contacts: 50,
  connections: 0,
  timeout: 15,
  deadline: 0,
  label: '',
  node: '',
  'payload-size': 600,
  prefill: 0
}
const HELP = `usage: node bench.mjs --scenario NAME [options]
 connection  --host H --port P --domain D --pubsub JID --tls --mech auto|plain|scram --users N --pass pw --resource r
 other one   --peer-host H --peer-port P --peer-domain D   (s2s)
 server      --pid PID[,PID] | --pid-file FILE[,FILE]   (CPU and RSS are read from /proc, children included)
 timing      --seconds 10 --warmup 3 --timeout 15 (per answer) --deadline S (whole run)
 output      --json (one JSON line only; otherwise progress goes to stderr as well) --label TEXT
 scenarios   register | login | idle | chat | s2s | flood | iq | publish1 | fanout | items | presence | features
 knobs       --concurrency 20 (login/idle/register)  --connections N (idle, flood)  --pairs N --window N --to bare|full --body-size 200 (chat, s2s)
             --clients N --window N --iq mix|ping|disco (iq)   --window N --max-items N --payload-size N --prefill N --node NAME --keep (publish1)
             --subscribers 100 --window 5 (fanout)   --preload 10000 --fetch 50 --items-mode auto|max_items|rsm (items)
             --contacts 50 (presence)   --register (register users in band before the scenario)
`
function parseArgs(argv) {
  const a = { ...DEFAULTS }
  for (let i = 0; i < argv.length; i++) {
    let k = argv[i]
    if (!k.startsWith('--')) throw new Error(`unexpected argument ${k}`)
    k = k.slice(2)
    let v
    const eq = k.indexOf('=')
    if (eq > 0) {
      v = k.slice(eq + 1)
      k = k.slice(0, eq)
    }
    if (FLAGS.has(k)) {
      a[k] = true
      continue
    }
    if (!(k in DEFAULTS)) throw new Error(`unknown option --${k}`)
    if (v === undefined) v = argv[++i]
    if (v === undefined) throw new Error(`--${k} needs a value`)
    a[k] = typeof DEFAULTS[k] === 'number' ? Number(v) : v
    if (typeof DEFAULTS[k] === 'number' && !Number.isFinite(a[k])) throw new Error(`--${k} needs a number`)
  }
  return a
}
let A
try {
  A = parseArgs(process.argv.slice(2))
} catch (e) {
  console.error(e.message + '\n' + HELP)
  process.exit(2)
}
if (A.help || !A.scenario) {
  console.error(HELP)
  process.exit(A.help ? 0 : 2)
}
const remote = [A.host, A['peer-host']].find(host => host && !/^(127(\.\d+){3}|::1|localhost)$/.test(host))
if (remote && !process.env.BENCH_ALLOW_REMOTE) {
  console.error(
    `refusing to load-test ${remote}: only loopback is allowed (set BENCH_ALLOW_REMOTE=1 if the machine is yours)`
  )
  process.exit(2)
}
if (!A.pubsub) A.pubsub = `pubsub.${A.domain}`
const TIMEOUT = A.timeout * 1000
const log = (...x) => {
  if (!A.json) console.error('#', ...x)
}
const now = () => performance.now()
const sleep = ms => new Promise(r => setTimeout(r, ms))
const round = (x, d = 2) => (x === null || x === undefined || !Number.isFinite(x) ? null : +x.toFixed(d))

function pids() {
  const list = String(A.pid || '')
    .split(',')
    .filter(Boolean)
    .map(Number)
  for (const file of A['pid-file'].split(',').filter(Boolean)) {
    try {
      list.push(+fs.readFileSync(file, 'utf8').trim())
    } catch (e) {
      throw new Error(`--pid-file: ${e.message}`)
    }
  }
  return list.filter(Boolean)
}
let PIDS
try {
  PIDS = pids()
} catch (e) {
  console.error(e.message)
  process.exit(2)
}
if (PIDS.length && !snapshot(PIDS).alive) {
  console.error(`no process ${PIDS.join(',')}`)
  process.exit(2)
}

// ---------------------------------------------------------------- global deadline
const setupAllowance =
  120 +
  (['items', 'publish1'].includes(A.scenario) ? A['preload-seconds'] : 0) +
  (A.register ? 300 : 0) +
  (A.scenario === 'presence' ? 180 : 0) +
  (A.scenario === 'register' ? 600 : 0)
const overall = (A.deadline || 2 * (A.seconds + A.warmup) + setupAllowance) * 1000
setTimeout(() => {
  emit({
    scenario: A.scenario,
    fatal: `overall deadline of ${overall / 1000} s reached in phase "${phase}"`,
    errors: E.count + 1,
    first_error: E.first
  })
  process.exit(3)
}, overall)
let phase = 'start'
const setPhase = p => {
  phase = p
  log(p)
}

// ---------------------------------------------------------------- errors
const E = { count: 0, first: null }
function noteError(e) {
  E.count++
  if (E.first === null) E.first = String(e && e.message ? e.message : e).slice(0, 300)
}

// ---------------------------------------------------------------- meter
class Samples {
  constructor() {
    this.a = new Float64Array(65536)
    this.n = 0
  }
  push(v) {
    if (this.n === this.a.length) {
      const b = new Float64Array(this.a.length * 2)
      b.set(this.a)
      this.a = b
    }
    this.a[this.n++] = v
  }
  stats() {
    if (!this.n) return { p50: null, p95: null, p99: null, max: null, mean: null }
    const s = this.a.subarray(0, this.n).slice().sort()
    const q = p => round(s[Math.min(s.length - 1, Math.ceil(p * s.length) - 1)], 3)
    let sum = 0
    for (let i = 0; i < s.length; i++) sum += s[i]
    return {
      p50: q(0.5),
      p95: q(0.95),
      p99: q(0.99),
      max: round(s[s.length - 1], 3),
      mean: round(sum / s.length, 3)
    }
  }
}

// Runs a closed loop: warmup, then the measured window, then a bounded drain.
// The scenario calls m.op(t0[, weight]) at each completion and looks at m.running before sending more.
class Meter {
  constructor() {
    this.lat = new Samples()
    this.count = 0
    this.total = 0
    this.measuring = false
    this.running = true
    this.extra = new Samples()
  }
  op(t0) {
    this.total++
    if (this.measuring) {
      this.count++
      this.lat.push(now() - t0)
    }
  }
  // outstanding: () => number still in flight; pieces that never come back are errors ("lost")
  async run({
    unit,
    opName,
    outstanding,
    warmup = A.warmup,
    seconds = A.seconds,
    stallMs = 20000,
    drainMs = Math.min(TIMEOUT, 10000),
    edges = false
  }) {
    setPhase(`warmup ${warmup} s`)
    await this._hold(warmup * 1000, stallMs)
    // A server so slow that it answers in bursts many seconds apart would be misjudged by a fixed window:
    // with edges, the window begins and ends just after a completion.
    if (edges) await this._edge(stallMs)
    setPhase(`measure ${seconds} s`)
    const s0 = snapshot(PIDS),
      m0 = machine(),
      c0 = process.cpuUsage(),
      t0 = now()
    this.measuring = true
    let stalled = await this._hold(seconds * 1000, stallMs)
    if (edges && !stalled) stalled = await this._edge(stallMs)
    this.measuring = false
    const t1 = now(),
      s1 = snapshot(PIDS),
      m1 = machine(),
      c1 = process.cpuUsage(c0)
    this.running = false
    setPhase('drain')
    const until = now() + drainMs
    while (outstanding && outstanding() > 0 && now() < until) await sleep(20)
    const lost = outstanding ? outstanding() : 0
    if (lost > 0) {
      E.count += lost
      if (!E.first) E.first = `${lost} operations never completed`
    }
    if (stalled) noteError(`stalled: no ${opName} completed for ${stallMs / 1000} s`)
    const secs = (t1 - t0) / 1000
    return {
      rate: round(this.count / secs, 1),
      unit,
      ops: this.count,
      seconds: round(secs, 2),
      ...this.lat.stats(),
      ...resources(s0, s1, m0, m1, c1, secs, this.count)
    }
  }
  // waits for the next completion, then for the burst it belongs to to end (at most 300 ms)
  async _edge(stallMs) {
    const t0 = now(),
      before = this.total
    while (this.total === before) {
      if (now() - t0 > stallMs) return true
      await sleep(10)
      if (fatal) throw fatal
    }
    for (let k = 0, last = -1; k < 6 && last !== this.total; k++) {
      last = this.total
      await sleep(50)
    }
    return false
  }
  async _hold(ms, stallMs) {
    const end = now() + ms
    let last = this.total,
      lastT = now()
    while (now() < end) {
      await sleep(Math.min(100, Math.max(1, end - now())))
      if (this.total !== last) {
        last = this.total
        lastT = now()
      } else if (now() - lastT > stallMs) return true
      if (fatal) throw fatal
      if (all.length && all.every(c => c.closed))
        throw new Error(`every connection was lost: ${all[0].err?.message}`)
    }
    return false
  }
}
let fatal = null

function resources(s0, s1, m0, m1, c1, secs, ops) {
  const clientCpu = (c1.user + c1.system) / 1e6
  const r = { client_cpu_pct: round((100 * clientCpu) / secs, 1) }
  if (s1 && !s1.alive)
    throw new Error(`the server process went away during the measurement; first error: ${E.first}`)
  if (s0 && s1) {
    const cpu = s1.cpu - s0.cpu
    r.server_cpu_pct = round((100 * cpu) / secs, 1)
    r.cpu_s_per_1000 = ops ? round((1000 * cpu) / ops, 4) : null
    r.rss_mb = round(s1.rss / 1024, 1)
    r.rss_peak_mb = round(s1.peak / 1024, 1)
    r.disk_write_kb_per_op = ops ? round((s1.ioWrite - s0.ioWrite) / 1024 / ops, 2) : null
    r.other_cpu_pct = round((100 * (m1.busy - m0.busy - cpu - clientCpu)) / secs, 1)
  } else {
    r.other_cpu_pct = null
  }
  r.iowait_pct = round((100 * (m1.iowait - m0.iowait)) / secs, 1)
  r.steal_pct = round((100 * (m1.steal - m0.steal)) / secs, 1)
  return r
}

function emit(o) {
  const base = { label: A.label || undefined, tls: A.tls ? true : undefined }
  process.stdout.write(JSON.stringify({ ...base, ...o }) + '\n')
}
function result(scenario, o) {
  emit({ scenario, ...o, errors: E.count, first_error: E.first })
}

// ---------------------------------------------------------------- clients
const all = []
function mk(i, extra = {}) {
  const c = new Client({
    host: A.host,
    port: A.port,
    domain: A.domain,
    user: `u${i}`,
    pass: A.pass,
    tls: A.tls,
    mech: A.mech,
    resource: A.resource,
    timeoutMs: TIMEOUT,
    ...extra
  })
  c.idx = i
  return c
}
// run fn over [0,n) with bounded concurrency
async function pool(n, conc, fn) {
  let next = 0
  const worker = async () => {
    for (;;) {
      const i = next++
      if (i >= n) return
      await fn(i)
    }
  }
  await Promise.all(Array.from({ length: Math.min(conc, n) }, worker))
}
async function connectUsers(n, { presence = true, from = 0, extra = {} } = {}) {
  const list = new Array(n)
  await pool(n, A.concurrency, async i => {
    const c = mk(from + i, extra)
    await c.login({ presence, confirm: presence })
    c.onClose = e => {
      if (!finishing) noteError(e)
    }
    list[i] = c
    all.push(c)
  })
  return list
}
let finishing = false
async function closeAll() {
  finishing = true
  await Promise.all(all.map(c => c.close(1500)))
}
function need(n) {
  if (A.users < n) throw new Error(`scenario ${A.scenario} needs --users ${n} or more (have ${A.users})`)
}

// ---------------------------------------------------------------- scenarios
const S = {}

S.features = async () => {
  const c = mk(0)
  const f = await c.open()
  const c2 = mk(0)
  await c2.login({ confirm: true })
  const d = await c2.iq(A.domain, 'get', `<query xmlns='http://jabber.org/protocol/disco#info'/>`, {
    raw: true
  })
  const p = await c2.iq(A.pubsub, 'get', `<query xmlns='http://jabber.org/protocol/disco#info'/>`, {
    raw: true
  })
  result('features', {
    before_auth: f,
    mech: c2.mechUsed,
    jid: c2.jid,
    tls_protocol: c2.tlsProtocol,
    tls_cipher: c2.tlsCipher,
    domain_info: d,
    pubsub_info: p
  })
  c.destroy()
  await c2.close()
}

async function registerAll(n) {
  setPhase(`register ${n} users in band`)
  const t0 = now()
  let created = 0,
    exists = 0
  await pool(n, Math.min(A.concurrency, 10), async i => {
    const c = mk(i)
    try {
      const r = await c.register()
      if (r === 'created') created++
      else exists++
    } finally {
      await c.close(500)
    }
  })
  return { created, exists, took_s: round((now() - t0) / 1000, 1) }
}
S.register = async () => {
  result('register', await registerAll(A.users))
}

S.login = async () => {
  need(A.concurrency)
  const m = new Meter()
  const conc = A.concurrency
  let inflight = 0
  let tlsInfo = null,
    mech = null
  // With SCRAM the client's own PBKDF2 is cached per user: fill the cache before measuring.
  if (A.mech === 'scram') {
    setPhase('first login of every user (fills the client side SCRAM cache)')
    await pool(A.users, conc, async i => {
      const c = mk(i)
      await c.login({ confirm: true })
      await c.close()
    })
  }
  let consecutive = 0
  const slot = async k => {
    for (let j = 0; m.running; j++) {
      const per = Math.floor(A.users / conc)
      const c = mk(k + conc * (j % per))
      const t0 = now()
      inflight++
      try {
        await c.login({ presence: true, confirm: true })
        m.op(t0)
        tlsInfo ??= c.tlsProtocol ? `${c.tlsProtocol} ${c.tlsCipher}` : null
        mech ??= c.mechUsed
        consecutive = 0
      } catch (e) {
        noteError(e)
        c.destroy()
        if (++consecutive > 50) {
          fatal = e
          inflight--
          return
        }
        await sleep(50)
      }
      await c.close(3000)
      inflight--
    }
  }
  for (let k = 0; k < conc; k++) slot(k)
  const r = await m.run({ unit: 'logins/s', opName: 'login', outstanding: () => inflight })
  result('login', { ...r, concurrency: conc, mech, tls_info: tlsInfo ?? undefined })
}

S.idle = async () => {
  const n = A.connections || Math.min(A.users, 2000)
  need(n)
  // a few logins first, so that code loading and first-use allocations are not charged to the connections
  const warm = Math.min(n, 100)
  setPhase(`warm up with ${warm} logins`)
  await pool(warm, A.concurrency, async i => {
    const c = mk(i)
    await c.login({ confirm: true })
    await c.close()
  })
  await sleep(1500)
  const s0 = snapshot(PIDS)
  setPhase(`connect ${n}`)
  const t0 = now()
  await connectUsers(n)
  const took = (now() - t0) / 1000
  await sleep(2000)
  const s1 = snapshot(PIDS)
  setPhase(`hold ${A.seconds} s`)
  const m1 = machine(),
    c0 = process.cpuUsage()
  const h0 = now()
  await sleep(A.seconds * 1000)
  const s2 = snapshot(PIDS),
    m2 = machine(),
    c1 = process.cpuUsage(c0)
  const secs = (now() - h0) / 1000
  // prove that they are all still there
  let alive = 0
  await pool(n, 50, async i => {
    try {
      await all[i].iq(A.domain, 'get', `<ping xmlns='urn:xmpp:ping'/>`, { tolerate: true })
      alive++
    } catch (e) {
      noteError(e)
    }
  })
  const s3 = snapshot(PIDS)
  const o = {
    connections: n,
    alive,
    rate: round(n / took, 1),
    unit: 'connects/s',
    connect_seconds: round(took, 2)
  }
  if (s0)
    Object.assign(o, {
      rss_before_mb: round(s0.rss / 1024, 1),
      rss_after_connect_mb: round(s1.rss / 1024, 1),
      rss_after_hold_mb: round(s2.rss / 1024, 1),
      rss_after_ping_mb: round(s3.rss / 1024, 1),
      rss_peak_mb: round(s3.peak / 1024, 1),
      kb_per_conn_after_connect: round((s1.rss - s0.rss) / n, 1),
      kb_per_conn: round((s2.rss - s0.rss) / n, 1),
      hold_s: round(secs, 1),
      idle_cpu_pct: round((100 * (s2.cpu - s1.cpu)) / secs, 2)
    })
  result('idle', o)
}

S.chat = async () => {
  const pairs = A.pairs || Math.floor(A.users / 2)
  need(pairs * 2)
  setPhase(`connect ${pairs * 2}`)
  const cs = await connectUsers(pairs * 2)
  await chats(
    'chat',
    Array.from({ length: pairs }, (_, i) => [cs[2 * i], cs[2 * i + 1]])
  )
}

async function chats(scenario, pairs) {
  const window = A.window || 50 // per pair, half in each direction
  const meter = new Meter()
  const body = 'x'.repeat(A['body-size'])
  const address = c => (A.to === 'full' ? c.jid : c.bare)
  const { outstanding, others } = exchange(pairs, { window, body, meter, noteError, address })
  const r = await meter.run({ unit: 'msgs/s', opName: 'message', outstanding })
  result(scenario, {
    ...r,
    pairs: pairs.length,
    window,
    body_bytes: A['body-size'],
    to: A.to,
    other_messages: others()
  })
}

// Half of everybody on one server, half on another of the same kind: every message goes from server to server.
S.s2s = async () => {
  const pairs = A.pairs || 40
  need(pairs)
  const there = { host: A['peer-host'], port: A['peer-port'] || A.port, domain: A['peer-domain'] }
  if (!there.host || !there.domain) throw new Error('s2s needs --peer-host and --peer-domain')
  setPhase(`connect ${pairs} to each`)
  const ours = await connectUsers(pairs)
  const theirs = await connectUsers(pairs, { extra: there })
  setPhase('the streams between the servers')
  // One message each way waits for the streams to be made, so that the measurement does not.
  await arrives(ours[0], theirs[0])
  await arrives(theirs[0], ours[0])
  await chats(
    's2s',
    ours.map((c, i) => [c, theirs[i]])
  )
}

async function arrives(from, to) {
  const until = now() + 30000
  let came = false
  to.onMessage = () => (came = true)
  from.onMessage = () => undefined
  for (let next = 0; !came; await sleep(10)) {
    if (now() > until) throw new Error(`no message from ${from.bare} arrives at ${to.bare}`)
    if (now() < next) continue
    // Again, should the first have come back while the servers did not know each other yet
    from.send(`<message type='chat' to='${to.jid}' id='first'><body>first</body></message>`)
    next = now() + 5000
  }
}

// A quiet user's pings, alone and beside connections that send whatever the server takes.
S.flood = async () => {
  const floods = A.connections || 100
  need(floods + 1)
  const [quiet] = await connectUsers(1)
  const pings = async seconds => {
    const samples = new Samples()
    for (const until = now() + seconds * 1000; now() < until; await sleep(10)) {
      const t0 = now()
      await quiet.iq(A.domain, 'get', `<ping xmlns='urn:xmpp:ping'/>`, { tolerate: true })
      samples.push(now() - t0)
    }
    return samples.stats()
  }
  setPhase('connect the flood')
  const flood = fork(new URL('./lib/flooder.mjs', import.meta.url), {
    execPath: 'nice',
    execArgv: ['-n', '5', process.execPath]
  })
  const { host, port, domain, pass, tls, mech } = A
  const options = { host, port, domain, pass, tls, mech, resource: A.resource, timeoutMs: TIMEOUT }
  const told = () =>
    new Promise((resolve, reject) => {
      flood.once('message', resolve)
      flood.once('exit', code => reject(new Error(`the flood ended with code ${code}`)))
    })
  flood.send({ options, from: 1, count: floods, body: A['body-size'] })
  await told()
  await pings(A.warmup)
  const s0 = snapshot(PIDS)
  setPhase(`alone for ${A.seconds} s`)
  const alone = await pings(A.seconds)
  setPhase(`flood for ${A.seconds} s`)
  let highest = 0
  const look = setInterval(() => (highest = Math.max(highest, snapshot(PIDS)?.rss ?? 0)), 250)
  flood.send('go')
  // What the server takes at once, before its limits count, is part of it.
  const s1 = snapshot(PIDS),
    m1 = machine(),
    c1 = process.cpuUsage(),
    t1 = now()
  const during = await pings(A.seconds)
  const secs = (now() - t1) / 1000
  const used = resources(s1, snapshot(PIDS), m1, machine(), process.cpuUsage(c1), secs, 0)
  clearInterval(look)
  flood.send('stop')
  const { sent, received, lost } = await told()
  const mb = rss => round(rss / 1024, 1)
  if (lost > 0) noteError(`${lost} of the flooding connections were closed`)
  result('flood', {
    rate: round(received / secs, 1),
    unit: 'flooding msgs/s delivered',
    connections: floods,
    seconds: round(secs, 2),
    ping_alone_p50: alone.p50,
    ping_alone_p95: alone.p95,
    p50: during.p50,
    p95: during.p95,
    p99: during.p99,
    max: during.max,
    ping_ratio: round(during.p50 / alone.p50),
    ping_ratio_p95: round(during.p95 / alone.p95),
    flood_sent: sent,
    ...used,
    ...(s0 && { rss_before_mb: mb(s0.rss), rss_growth_mb: mb(highest - s0.rss), rss_mb: mb(highest) })
  })
}

S.iq = async () => {
  const n = A.clients || A.users
  need(n)
  const window = A.window || 20
  setPhase(`connect ${n}`)
  const cs = await connectUsers(n)
  const PING = `<ping xmlns='urn:xmpp:ping'/></iq>`,
    DISCO = `<query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
  // refuse early and clearly
  if (A.iq !== 'disco') await cs[0].iq(A.domain, 'get', `<ping xmlns='urn:xmpp:ping'/>`)
  if (A.iq !== 'ping')
    await cs[0].iq(A.domain, 'get', `<query xmlns='http://jabber.org/protocol/disco#info'/>`)
  const m = new Meter()
  const RING = 1024
  let inflight = 0
  const bytes0 = () => cs.reduce((s, c) => s + c.bytesIn, 0)
  for (const c of cs) {
    c.seq = 0
    c.ring = new Float64Array(RING)
    c.sendOne = () => {
      const s = c.seq++
      c.ring[s % RING] = now()
      inflight++
      const p = A.iq === 'ping' ? PING : A.iq === 'disco' ? DISCO : s & 1 ? DISCO : PING
      c.send(`<iq type='get' to='${A.domain}' id='i${s}'>${p}`)
    }
    c.onIq = (id, type) => {
      if (id === null || id.charCodeAt(0) !== 0x69) return
      inflight--
      if (type === 'error') noteError('iq answered with an error')
      else m.op(c.ring[+id.slice(1) % RING])
      if (m.running) c.sendOne()
    }
  }
  const b0 = bytes0()
  for (const c of cs) for (let k = 0; k < window; k++) c.sendOne()
  flushAll()
  const r = await m.run({ unit: 'iqs/s', opName: 'iq', outstanding: () => inflight })
  const bytes = bytes0() - b0
  result('iq', {
    ...r,
    clients: n,
    window,
    kind: A.iq,
    avg_answer_bytes: Math.round(bytes / Math.max(1, m.total))
  })
}

// ---------------------------------------------------------------- pubsub helpers
const PS = 'http://jabber.org/protocol/pubsub'
function atomEntry(id, size) {
  const mkEntry = pad =>
    `<entry xmlns='http://www.w3.org/2005/Atom'><title>Post by u0</title><id>tag:${A.domain},2024:${id}</id><published>2024-06-01T12:00:00Z</published><updated>2024-06-01T12:00:00Z</updated><author><name>u0</name><uri>acct:u0@${A.domain}</uri></author><content type='text'>${pad}</content><link rel='self' href='xmpp:${A.pubsub}?;node=bench'/></entry>`
  const base = mkEntry('').length
  return mkEntry(
    'The quick brown fox jumps over the lazy dog. '.repeat(100).slice(0, Math.max(1, size - base))
  )
}
function publishIq(id, node, itemId, payload) {
  return `<iq type='set' id='${id}' to='${A.pubsub}'><pubsub xmlns='${PS}'><publish node='${node}'><item id='${itemId}'>${payload}</item></publish></pubsub></iq>`
}
function form(type, fields) {
  return `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>${type}</value></field>${Object.entries(
    fields
  )
    .map(([k, v]) => `<field var='${k}'><value>${v}</value></field>`)
    .join('')}</x>`
}
// Creates a node with the closest configuration the server accepts. Returns a description of what was accepted.
async function createNode(c, node, maxItems) {
  const tries = [
    {
      'pubsub#persist_items': 1,
      'pubsub#max_items': maxItems,
      'pubsub#access_model': 'open',
      'pubsub#deliver_payloads': 1,
      'pubsub#send_last_published_item': 'never'
    },
    { 'pubsub#persist_items': 1, 'pubsub#max_items': maxItems, 'pubsub#access_model': 'open' },
    { 'pubsub#persist_items': 1, 'pubsub#max_items': 1000, 'pubsub#access_model': 'open' },
    { 'pubsub#persist_items': 1, 'pubsub#max_items': 250, 'pubsub#access_model': 'open' },
    null
  ]
  const refusals = []
  for (const f of tries) {
    const conf = f ? `<configure>${form(`${PS}#node_config`, f)}</configure>` : ''
    try {
      await c.iq(A.pubsub, 'set', `<pubsub xmlns='${PS}'><create node='${node}'/>${conf}</pubsub>`)
      return {
        config: f
          ? Object.entries(f)
              .map(([k, v]) => `${k.slice(7)}=${v}`)
              .join(' ')
          : 'server default',
        refusals
      }
    } catch (e) {
      if (!(e instanceof XmppError) || !e.condition) throw e
      if (e.condition.startsWith('conflict')) return { config: 'existing', refusals }
      refusals.push(e.condition)
      if (
        e.condition.startsWith('forbidden') ||
        e.condition.startsWith('not-allowed') ||
        e.condition.startsWith('service-unavailable') ||
        e.condition.startsWith('remote-server')
      )
        break
    }
  }
  throw new Error(
    `${A.pubsub} refuses to create the node ${node} for ${c.bare}: ${refusals.join(', ')} (the publisher u0 may need to be an admin of the pubsub service)`
  )
}
async function deleteNode(c, node) {
  if (A.keep) return
  try {
    await c.iq(A.pubsub, 'set', `<pubsub xmlns='${PS}#owner'><delete node='${node}'/></pubsub>`, {
      timeoutMs: 30000
    })
  } catch (e) {
    log('delete node:', e.message)
  }
}
async function subscribe(c, node) {
  const r = await c.iq(
    A.pubsub,
    'set',
    `<pubsub xmlns='${PS}'><subscribe node='${node}' jid='${c.bare}'/></pubsub>`
  )
  if (!/subscription=['"]subscribed['"]/.test(r))
    throw new Error(`subscription of ${c.bare} to ${node} is not active: ${r.slice(0, 300)}`)
}
// item id in a pubsub notification; null when it is something else
function notifiedItem(b, s, e) {
  const head = b.latin1Slice(s, Math.min(e, s + 700))
  if (head.indexOf('pubsub#event') < 0) return null
  const k = head.indexOf('<item ')
  return k < 0 ? null : attr(head, 'id', k)
}
// closed-loop publisher; used to measure and to preload
function publisher(c, node, window, { onAck, limit = Infinity, prefix, isRunning }) {
  const st = { seq: 0, inflight: 0, acked: 0, ring: new Float64Array(8192) }
  const send = () => {
    const s = st.seq++
    st.ring[s % 8192] = now()
    st.inflight++
    c.send(publishIq(`p${s}`, node, `${prefix}${s}`, atomEntry(`${prefix}${s}`, A['payload-size'])))
  }
  c.onIq = (id, type, b, s, e) => {
    if (id === null || id.charCodeAt(0) !== 0x70) return
    st.inflight--
    st.acked++
    if (type === 'error') {
      noteError(
        `publish refused: ${/<error[\s\S]*?<([a-z-]+)/.exec(b.latin1Slice(s, e))?.[1] ?? ''} ${b.latin1Slice(s, Math.min(e, s + 400))}`
      )
      st.failed = (st.failed || 0) + 1
    } else onAck(st.ring[+id.slice(1) % 8192])
    if (isRunning() && st.seq < limit && !(st.failed > 100)) send()
  }
  for (let k = 0; k < window && st.seq < limit; k++) send()
  flushAll()
  return st
}

S.publish1 = async () => {
  need(2)
  const [pub, sub] = await connectUsers(2)
  const windows = A.window ? [A.window] : [1, 20]
  for (const window of windows) {
    E.count = 0
    E.first = null
    const node = A.node || `bench-pub-${Date.now().toString(36)}-${window}`
    const made = await createNode(pub, node, A['max-items'])
    await subscribe(sub, node)
    let pre = null
    if (A.prefill > 0) {
      pre = await preload(pub, node, A.prefill, 'w')
      if (!pre.complete)
        throw new Error(
          `could only prefill ${pre.acked} of ${A.prefill} items: ${E.first ?? `took more than ${A['preload-seconds']} s`}`
        )
    }
    const m = new Meter()
    const notif = new Samples()
    let notified = 0
    const prefix = `n${window}-`
    let st
    sub.onMessage = (b, s, e) => {
      const id = notifiedItem(b, s, e)
      if (id === null || !id.startsWith(prefix)) return
      notified++
      if (m.measuring) notif.push(now() - st.ring[+id.slice(prefix.length) % 8192])
    }
    st = publisher(pub, node, window, { onAck: t0 => m.op(t0), prefix, isRunning: () => m.running })
    const r = await m.run({ unit: 'publishes/s', opName: 'publish', outstanding: () => st.inflight })
    const until = now() + 5000
    const good = st.acked - (st.failed || 0)
    while (notified < good && now() < until) await sleep(20)
    if (notified !== good) noteError(`${good} publishes acknowledged but ${notified} notifications arrived`)
    result('publish1', {
      ...r,
      window,
      prefilled: pre?.acked ?? 0,
      published_total: st.acked,
      notified,
      notify_p50: notif.stats().p50,
      notify_p95: notif.stats().p95,
      node_config: made.config,
      refused: made.refusals.length ? made.refusals : undefined,
      payload_bytes: atomEntry(`${prefix}1`, A['payload-size']).length
    })
    pub.onIq = null
    sub.onMessage = null
    await deleteNode(pub, node)
  }
}

async function preload(pub, node, count, prefix) {
  setPhase(`preload ${count} items`)
  const t0 = now()
  const until = t0 + A['preload-seconds'] * 1000
  let acked = 0
  const before = E.count
  const st = publisher(pub, node, 20, {
    onAck: () => {
      acked++
    },
    limit: count,
    prefix,
    isRunning: () => now() < until
  })
  let last = 0,
    lastT = now()
  while (st.inflight > 0) {
    await sleep(50)
    if (pub.err) throw pub.err
    if (acked !== last) {
      last = acked
      lastT = now()
      if (acked % 1000 < 20) log(`  ${acked}`)
    } else if (now() - lastT > 30000) throw new Error(`preload stalled after ${acked} items`)
  }
  pub.onIq = null
  const failed = E.count - before
  return { acked, failed, took_s: round((now() - t0) / 1000, 1), complete: acked === count }
}

S.fanout = async () => {
  const S_ = A.subscribers
  need(S_ + 1)
  const window = A.window || 5
  setPhase(`connect ${S_ + 1}`)
  const cs = await connectUsers(S_ + 1)
  const pub = cs[0],
    subs = cs.slice(1)
  const node = A.node || `bench-fan-${Date.now().toString(36)}`
  const made = await createNode(pub, node, 20)
  setPhase(`subscribe ${S_}`)
  await pool(S_, A.concurrency, i => subscribe(subs[i], node))
  const m = new Meter()
  const comp = new Samples()
  const left = new Map()
  let seq = 0,
    events = 0,
    completedInWindow = 0,
    inflight = 0
  const send = () => {
    const s = seq++
    const id = `f${s}`
    left.set(id, { n: S_, t0: now(), acked: false })
    inflight += 1
    pub.send(publishIq(`p${s}`, node, id, atomEntry(id, A['payload-size'])))
  }
  const finish = (id, x) => {
    left.delete(id)
    inflight--
    if (m.measuring) {
      comp.push(now() - x.t0)
      completedInWindow++
    }
    if (m.running) send()
  }
  pub.onIq = (id, type, b, s, e) => {
    if (id === null || id.charCodeAt(0) !== 0x70) return
    const item = 'f' + id.slice(1)
    const x = left.get(item)
    if (!x) return
    if (type === 'error') {
      noteError(`publish refused: ${b.latin1Slice(s, Math.min(e, s + 400))}`)
      left.delete(item)
      inflight--
      if (E.count < 100 && m.running) send()
      return
    }
    x.acked = true
    if (x.n === 0) finish(item, x)
  }
  for (const c of subs)
    c.onMessage = (b, s, e) => {
      const id = notifiedItem(b, s, e)
      if (id === null) return
      const x = left.get(id)
      if (!x) {
        noteError(`unexpected or duplicate notification ${id}`)
        return
      }
      events++
      m.op(x.t0)
      if (--x.n === 0 && x.acked) finish(id, x)
    }
  for (let k = 0; k < window; k++) send()
  flushAll()
  const r = await m.run({ unit: 'notifications/s', opName: 'notification', outstanding: () => inflight })
  const cs_ = comp.stats()
  result('fanout', {
    ...r,
    subscribers: S_,
    window,
    publishes_per_s: round(completedInWindow / r.seconds, 1),
    complete_p50: cs_.p50,
    complete_p95: cs_.p95,
    complete_p99: cs_.p99,
    node_config: made.config
  })
  await deleteNode(pub, node)
}

S.items = async () => {
  const n = A.clients || 10
  need(n)
  const window = A.window || 4
  const cs = await connectUsers(n)
  const pub = cs[0]
  const want = A.preload
  const node = A.node || `bench-items-${want}`
  const prefix = 'it-'
  // is it there already?
  let pre = null
  const last = `${prefix}${want - 1}`
  const have = async id => {
    const r = await pub.iq(
      A.pubsub,
      'get',
      `<pubsub xmlns='${PS}'><items node='${node}'><item id='${id}'/></items></pubsub>`,
      { raw: true, timeoutMs: 60000 }
    )
    return new RegExp(`<item [^>]*id=['"]${id}['"]`).test(r)
  }
  const made = await createNode(pub, node, A['max-items'])
  if (await have(last)) pre = { already: true, acked: want }
  else {
    if (made.config === 'existing') {
      await deleteNode(pub, node)
      Object.assign(made, await createNode(pub, node, A['max-items']))
    }
    pre = await preload(pub, node, want, prefix)
    if (!pre.acked) throw new Error(`could not preload any item: ${E.first}`)
  }
  const preErrors = E.count,
    preFirst = E.first
  E.count = 0
  E.first = null
  // choose how to ask, by looking at what comes back
  const F = A.fetch
  const asks = {
    max_items: `<pubsub xmlns='${PS}'><items node='${node}' max_items='${F}'/></pubsub>`,
    rsm: `<pubsub xmlns='${PS}'><items node='${node}'/><set xmlns='http://jabber.org/protocol/rsm'><max>${F}</max></set></pubsub>`
  }
  let mode = null
  const probe = {}
  for (const k of A['items-mode'] === 'auto' ? ['max_items', 'rsm'] : [A['items-mode']]) {
    const r = await pub.iq(A.pubsub, 'get', asks[k], { raw: true, timeoutMs: 60000 })
    const ids = [...r.matchAll(/<item [^>]*id=['"]([^'"]+)['"]/g)].map(x => x[1])
    probe[k] = { count: ids.length, first: ids[0], last: ids[ids.length - 1], bytes: r.length }
    if (ids.length === F) {
      mode = k
      break
    }
  }
  if (!mode) throw new Error(`no way to fetch exactly ${F} items: ${JSON.stringify(probe)}`)
  const nums = [probe[mode].first, probe[mode].last].map(x => +String(x).slice(prefix.length))
  const isNewest = Math.max(...nums) === want - 1
  const m = new Meter()
  let inflight = 0,
    shortAnswers = 0,
    bytes = 0
  const minBytes = probe[mode].bytes * 0.9
  for (const c of cs) {
    c.seq = 0
    c.ring = new Float64Array(256)
    c.sendOne = () => {
      const s = c.seq++
      c.ring[s % 256] = now()
      inflight++
      c.send(`<iq type='get' to='${A.pubsub}' id='i${s}'>${asks[mode]}</iq>`)
    }
    c.onIq = (id, type, b, s, e) => {
      if (id === null || id.charCodeAt(0) !== 0x69) return
      inflight--
      if (type === 'error') noteError(`items refused: ${b.latin1Slice(s, Math.min(e, s + 400))}`)
      else {
        if (e - s < minBytes) shortAnswers++
        bytes += e - s
        m.op(c.ring[+id.slice(1) % 256])
      }
      if (m.running && E.count < 1000) c.sendOne()
    }
  }
  for (const c of cs) for (let k = 0; k < window; k++) c.sendOne()
  flushAll()
  const r = await m.run({
    unit: 'fetches/s',
    opName: 'fetch',
    outstanding: () => inflight,
    stallMs: 120000,
    drainMs: 180000,
    edges: true
  })
  if (shortAnswers) noteError(`${shortAnswers} answers were shorter than expected`)
  result('items', {
    ...r,
    clients: n,
    window,
    fetch: F,
    ask: mode,
    returned: probe[mode],
    newest_returned: isNewest,
    answer_bytes: Math.round(bytes / Math.max(1, m.total)),
    preloaded: pre.acked,
    preload: pre,
    preload_errors: preErrors || undefined,
    preload_first_error: preFirst ?? undefined,
    node_config: made.config
  })
  // the node stays, so that the next run need not preload again
}

S.presence = async () => {
  const n = A.contacts + 1
  need(n)
  setPhase(`connect ${n} without presence`)
  const cs = await connectUsers(n, { presence: false })
  // rosters: everybody mutual with everybody in the group
  setPhase('rosters')
  const roster = async c => {
    const r = await c.iq('', 'get', `<query xmlns='jabber:iq:roster'/>`, { timeoutMs: 30000 })
    const s = new Set()
    for (const t of r.match(/<item [^>]*>/g) || [])
      if (/subscription=['"]both['"]/.test(t)) s.add(/jid=['"]([^'"]+)['"]/.exec(t)?.[1])
    return s
  }
  let rosters = await Promise.all(cs.map(roster))
  const missing = i => cs.filter((_, j) => j !== i && !rosters[i].has(cs[j].bare))
  const total = () => cs.reduce((s, _, i) => s + missing(i).length, 0)
  if (total() > 0) {
    for (const c of cs)
      c.onPresence = (b, s, e) => {
        const head = b.latin1Slice(s, Math.min(e, s + 300))
        if (attr(head, 'type') === 'subscribe')
          c.send(`<presence type='subscribed' to='${attr(head, 'from').split('/')[0]}'/>`)
      }
    for (const c of cs) c.send('<presence/>')
    await sleep(500)
    for (let round_ = 0; round_ < 20 && total() > 0; round_++) {
      for (let i = 0; i < n; i++) {
        for (const p of missing(i)) cs[i].send(`<presence type='subscribe' to='${p.bare}'/>`)
        if (i % 5 === 4) {
          flushAll()
          await sleep(50)
        }
      }
      const until = now() + 20000
      do {
        await sleep(1000)
        rosters = await Promise.all(cs.map(roster))
        log(`  missing ${total()}`)
      } while (total() > 0 && now() < until && round_ === 0)
    }
    if (total() > 0)
      throw new Error(`could not set up mutual rosters: ${total()} of ${n * (n - 1)} subscriptions missing`)
    for (const c of cs) c.send(`<presence type='unavailable'/>`)
    await sleep(1500)
  }
  const m = new Meter()
  const storm = new Samples()
  let inflight = 0,
    rounds = 0,
    roundsIn = 0,
    deliveries = 0,
    deliveriesIn = 0
  let onAll = null,
    waitingAll = 0
  const byBare = new Map(cs.map((c, i) => [c.bare, i]))
  cs.forEach(c => {
    c.seen = new Set()
    c.onPresence = (b, s, e) => {
      const head = b.latin1Slice(s, Math.min(e, s + 300))
      const type = attr(head, 'type')
      if (type === 'error') {
        noteError(b.latin1Slice(s, Math.min(e, s + 400)))
        return
      }
      const from = attr(head, 'from') || ''
      const k = byBare.get(from.split('/')[0])
      if (k === undefined || k === c.idx) return
      deliveries++
      if (m.measuring) deliveriesIn++
      if (type === null && onAll && !c.seen.has(k)) {
        c.seen.add(k)
        if (c.seen.size === n - 1) {
          inflight--
          m.op(c.t0)
          if (--waitingAll === 0) onAll()
        }
      }
    }
  })
  let stop = false
  ;(async () => {
    while (m.running && !stop) {
      // everybody online
      const t0 = now()
      const p = new Promise((res, rej) => {
        const t = setTimeout(
          () =>
            rej(
              new Error(
                `presence storm incomplete after ${TIMEOUT} ms: ${waitingAll} of ${n} users still miss contacts`
              )
            ),
          TIMEOUT
        )
        onAll = () => {
          clearTimeout(t)
          res()
        }
      })
      waitingAll = n
      inflight = n
      for (const c of cs) {
        c.seen.clear()
        c.t0 = t0
        c.send('<presence/>')
      }
      flushAll()
      await p
      onAll = null
      if (m.measuring) {
        storm.push(now() - t0)
        roundsIn++
      }
      rounds++
      // everybody offline; a ping round trip per client is the fence
      for (const c of cs) c.send(`<presence type='unavailable'/>`)
      await Promise.all(
        cs.map(c => c.iq(A.domain, 'get', `<ping xmlns='urn:xmpp:ping'/>`, { tolerate: true }))
      )
      await Promise.all(
        cs.map(c => c.iq(A.domain, 'get', `<ping xmlns='urn:xmpp:ping'/>`, { tolerate: true }))
      )
      await sleep(5)
    }
  })().catch(e => {
    noteError(e)
    inflight = 0
    fatal = e
  })
  const r = await m.run({ unit: 'presence-logins/s', opName: 'presence login', outstanding: () => inflight })
  stop = true
  const st = storm.stats()
  result('presence', {
    ...r,
    users: n,
    contacts: n - 1,
    storms: roundsIn,
    storm_p50: st.p50,
    storm_p95: st.p95,
    presence_deliveries_per_s: round(deliveriesIn / r.seconds, 1)
  })
}

// ---------------------------------------------------------------- main
;(async () => {
  if (!S[A.scenario]) {
    console.error(`unknown scenario ${A.scenario}\n${HELP}`)
    process.exit(2)
  }
  try {
    if (A.register && A.scenario !== 'register') log(JSON.stringify(await registerAll(A.users)))
    await S[A.scenario]()
    setPhase('close')
    await closeAll()
    process.exit(0)
  } catch (e) {
    emit({ scenario: A.scenario, fatal: e.message, phase, errors: E.count + 1, first_error: E.first })
    if (process.env.BENCH_DEBUG) console.error(e)
    process.exit(1)
  }
})()
