#!/usr/bin/env node
// Runs every scenario against every server and appends one JSON line per result to results/runs.jsonl.
//   node run-all.mjs [--only prosody,ejabberd,...] [--scenarios chat,items,...] [--reps 3] [--unpinned 1] [--out FILE] [--prepare-only] [--nice -10]
// The server is restarted before every scenario. Pinned: server on core 0, generator on core 1.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { spawn, spawnSync } from 'node:child_process'
import { machine } from './lib/procstat.mjs'
import { SERVERS } from './servers.mjs'

process.chdir(new URL('.', import.meta.url).pathname)
const arg = (k, d) => {
  const i = process.argv.indexOf('--' + k)
  return i > 0 ? process.argv[i + 1] : d
}
const has = k => process.argv.includes('--' + k)
const OUT = arg('out', 'results/runs.jsonl')
const REPS = +arg('reps', 3),
  UNPINNED = +arg('unpinned', 1),
  // only root may take precedence over the rest of the machine
  NICE = arg('nice', process.getuid?.() === 0 ? '-10' : '0'),
  FROM = +arg('from', 1)
fs.mkdirSync('results', { recursive: true })

// ---- scenarios ----
const SCEN = [
  { key: 'login-plain', args: '--scenario login --mech plain', set: 'full' },
  { key: 'login-scram', args: '--scenario login --mech scram', set: 'full' },
  { key: 'login-tls', args: '--scenario login --tls', set: 'full' },
  { key: 'idle', args: '--scenario idle --users 2000 --connections 2000 --seconds 30', set: 'full' },
  { key: 'chat', args: '--scenario chat', set: 'full' },
  { key: 'chat-1', args: '--scenario chat --pairs 1 --window 1', set: 'full' },
  { key: 'chat-tls', args: '--scenario chat --tls', set: 'full' },
  { key: 'iq-ping', args: '--scenario iq --iq ping', set: 'full' },
  { key: 'iq-disco', args: '--scenario iq --iq disco', set: 'full' },
  { key: 'publish1', args: '--scenario publish1', set: 'pubsub', sub: r => `publish1-w${r.window ?? '?'}` },
  {
    key: 'publish1-full',
    args: '--scenario publish1 --window 20 --prefill 10000 --preload-seconds 120',
    set: 'pubsub',
    only: ['prosody-sqlite', 'ejabberd', 'ejabberd-sqlite']
  },
  { key: 'fanout', args: '--scenario fanout --subscribers 100 --users 101', set: 'pubsub' },
  { key: 'items', args: '--scenario items --seconds 30 --preload 10000', set: 'pubsub' },
  { key: 'presence', args: '--scenario presence', set: 'full' }
]
const only = (arg('only') || Object.keys(SERVERS).join(',')).split(',')
const scens = (arg('scenarios') || SCEN.map(s => s.key).join(',')).split(',')

const say = (...x) => console.log(new Date().toISOString().slice(11, 19), ...x)
const sleep = ms => new Promise(r => setTimeout(r, ms))
function setup(srv, verb, extra = {}) {
  const r = spawnSync(srv.setup, [verb], {
    env: { ...process.env, ...srv.env, ...extra },
    encoding: 'utf8',
    stdio: ['ignore', verb === 'start' ? fs.openSync('/dev/null', 'w') : 'pipe', 'pipe'],
    timeout: 60000
  })
  if (r.status !== 0) throw new Error(`${srv.setup} ${verb}: ${r.stderr || r.error?.message}`)
  return (r.stdout || '').trim()
}
function bench(srv, args, { pinned, timeoutMs = 900000 }) {
  return new Promise(resolve => {
    const env = setup(srv, 'env').split(/\s+/)
    const cmd = [
      ...(NICE !== '0' ? ['nice', '-n', NICE] : []),
      ...(pinned ? ['taskset', '-c', '1'] : []),
      'node',
      'bench.mjs',
      ...env,
      '--json',
      ...args.split(/\s+/)
    ]
    const p = spawn(cmd[0], cmd.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
    let out = '',
      err = ''
    p.stdout.on('data', d => {
      out += d
    })
    p.stderr.on('data', d => {
      err += d
    })
    const t = setTimeout(() => p.kill('SIGKILL'), timeoutMs)
    p.on('close', code => {
      clearTimeout(t)
      const lines = out
        .split('\n')
        .filter(Boolean)
        .map(l => {
          try {
            return JSON.parse(l)
          } catch {
            return { fatal: l }
          }
        })
      resolve({ code, lines, err, cmd: cmd.join(' ') })
    })
  })
}
// wait until the rest of the machine is quiet (others share it), at most maxMs
async function quiet(maxMs) {
  const end = Date.now() + maxMs
  let good = 0,
    busy = 0
  while (Date.now() < end) {
    const a = machine()
    await sleep(500)
    const b = machine()
    busy = (b.busy - a.busy) / 0.5
    if (busy < 0.15) {
      if (++good >= 3) return busy
    } else good = 0
  }
  return busy
}

// What a server needs before the scenarios that were asked for: accounts, rosters, a full node. It is kept under
// run/ for later runs; the mark names what is there already.
async function prepare(name, srv) {
  const mark = `results/.prepared-${name}`
  const place = path.dirname(setup(srv, 'env').split(/\s+/).at(-1))
  const done =
    fs.existsSync(mark) && fs.existsSync(place)
      ? fs.readFileSync(mark, 'utf8').split('\n').filter(Boolean)
      : []
  const wanted = preparations(srv).filter(step => !done.includes(step))
  if (srv.volatile || wanted.length === 0) return
  say(`prepare ${name}: ${wanted.join(', ')}`)
  setup(srv, 'stop')
  if (done.length === 0) {
    setup(srv, 'destroy')
    setup(srv, 'init')
  }
  setup(srv, 'start')
  try {
    for (const step of wanted) {
      await PREPARE[step](name, srv)
      done.push(step)
      fs.writeFileSync(mark, done.join('\n') + '\n')
    }
  } finally {
    setup(srv, 'stop')
  }
}

function preparations(srv) {
  const uses = key =>
    scens.includes(key) && SCEN.some(sc => sc.key === key && (srv.set === 'full' || sc.set === 'pubsub'))
  const steps = []
  if (!srv.noRegister) steps.push(uses('idle') ? 'accounts-2000' : 'accounts')
  if (uses('presence')) steps.push('rosters')
  if (uses('items')) steps.push(srv.prepare === 'prosody-internal' ? 'items-offline' : 'items')
  return steps
}

const PREPARE = {
  accounts: (name, srv) => must(name, srv, '--scenario register --users 120'),
  'accounts-2000': (name, srv) => must(name, srv, '--scenario register --users 2000'),
  rosters: (name, srv) => must(name, srv, '--scenario presence --seconds 2 --warmup 1'),
  items: (name, srv) => must(name, srv, '--scenario items --preload 10000 --seconds 1 --warmup 0'),
  'items-offline': async (name, srv) => {
    await must(
      name,
      srv,
      '--scenario items --preload 5 --fetch 5 --seconds 1 --warmup 0 --node bench-items-10000'
    )
    setup(srv, 'stop')
    const data = 'run/prosody/internal/data'
    const r = spawnSync('python3', ['preload-prosody-internal.py', data, 'bench-items-10000', '10000'], {
      encoding: 'utf8'
    })
    say('  ', r.stdout.trim(), r.stderr.trim())
    if (r.status !== 0) throw new Error('offline preload failed')
    setup(srv, 'start')
  }
}

async function must(name, srv, args) {
  const r = await bench(srv, args, { pinned: false })
  say('  ', args, '->', JSON.stringify(r.lines).slice(0, 400))
  if (r.code !== 0 || r.lines.some(line => line.fatal || line.errors))
    throw new Error(`prepare ${name}: ${args}: ${r.lines[0]?.fatal ?? r.lines[0]?.first_error ?? r.err}`)
}

async function one(name, srv, sc, mode, rep) {
  let best = null
  for (let attempt = 1; attempt <= 3; attempt++) {
    await quiet(attempt === 1 ? 30000 : 60000)
    setup(srv, 'stop')
    setup(
      srv,
      'start',
      mode === 'pinned' ? { CPUS: '0', NICE: NICE === '0' ? '' : NICE } : { NICE: NICE === '0' ? '' : NICE }
    )
    await sleep(1000)
    const r = await bench(srv, sc.args, { pinned: mode === 'pinned' })
    setup(srv, 'stop')
    if (!r.lines.length) r.lines.push({ fatal: `no output, exit ${r.code}: ${r.err.slice(-300)}` })
    const other = Math.max(0, ...r.lines.map(l => l.other_cpu_pct ?? 0))
    const rec = {
      other,
      lines: r.lines.map(l => ({
        ...l,
        server: name,
        key: sc.sub ? sc.sub(l) : sc.key,
        mode,
        rep,
        attempt,
        at: new Date().toISOString(),
        cmd: r.cmd
      }))
    }
    if (!best || other < best.other) best = rec
    if (other <= 20) break
    say(
      `   ${name} ${sc.key}: others used ${other}% of a core, ${attempt < 3 ? 'again' : 'kept the quietest'}`
    )
  }
  for (const l of best.lines) {
    fs.appendFileSync(OUT, JSON.stringify(l) + '\n')
    say(
      `${mode} ${rep} ${name} ${l.key}: ${l.fatal ? 'FATAL ' + l.fatal : `${l.rate} ${l.unit} p50 ${l.p50} p95 ${l.p95} cpu/1000 ${l.cpu_s_per_1000} srv ${l.server_cpu_pct}% cli ${l.client_cpu_pct}% other ${l.other_cpu_pct}% rss ${l.rss_mb ?? l.rss_after_hold_mb} err ${l.errors}${l.kb_per_conn ? ` kb/conn ${l.kb_per_conn}` : ''}`}`
    )
  }
}

try {
  if (os.availableParallelism() < 2)
    throw new Error('two cores are needed: one for the server, one for the generator')
  for (const name of only)
    if (!SERVERS[name]) throw new Error(`no server ${name}; there are: ${Object.keys(SERVERS).join(', ')}`)
  for (const name of only) await prepare(name, SERVERS[name])
  if (!has('prepare-only')) {
    const plan = []
    for (let r = FROM; r <= REPS; r++) plan.push(['pinned', r])
    for (let r = 1; r <= UNPINNED; r++) plan.push(['unpinned', r])
    for (const [mode, rep] of plan) {
      for (const sc of SCEN) {
        if (!scens.includes(sc.key)) continue
        for (const name of only) {
          const srv = SERVERS[name]
          if (sc.only && !sc.only.includes(name) && !srv.all) continue
          if (srv.skip?.includes(sc.key)) continue
          if (srv.set === 'pubsub' && sc.set !== 'pubsub') continue
          try {
            await one(name, srv, sc, mode, rep)
          } catch (e) {
            say(`ERROR ${name} ${sc.key}: ${e.message}`)
            try {
              setup(srv, 'stop')
            } catch {}
          }
        }
      }
    }
  }
  say('done')
} catch (e) {
  console.error(process.env.BENCH_DEBUG ? e : e.message)
  process.exit(1)
}
