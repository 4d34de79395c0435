#!/usr/bin/env node
// Runs every scenario against every server and appends one JSON line per result to results/runs.jsonl.
//   node run-all.mjs [--only prosody,ejabberd,...] [--scenarios chat,items,...] [--reps 3] [--unpinned 1] [--out FILE]
//     [--seconds N] [--warmup N] [--patience 600] [--nice -10] [--prepare-only]
// The server is restarted before every scenario. Pinned: server on core 0, generator on core 1. Patience is how many
// seconds all of it may spend on waiting for a quiet machine and on repeating runs that were disturbed.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { MATRIX, takesPart } from './lib/matrix.mjs'
import { prepare } from './lib/prepare.mjs'
import { machine } from './lib/procstat.mjs'
import { Subject } from './lib/subject.mjs'
import { SERVERS } from './servers.mjs'

/** Per cent of a core; what others use beyond it disturbs a run. */
const DISTURBED = 20
const QUIET = 15
const ATTEMPTS = 3

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(SERVERS).join(',') },
    scenarios: { type: 'string', default: MATRIX.map(one => one.key).join(',') },
    reps: { type: 'string', default: '3' },
    from: { type: 'string', default: '1' },
    unpinned: { type: 'string', default: '1' },
    out: { type: 'string', default: path.join(import.meta.dirname, 'results/runs.jsonl') },
    seconds: { type: 'string' },
    warmup: { type: 'string' },
    patience: { type: 'string', default: '600' },
    // only root may take precedence over the rest of the machine
    nice: { type: 'string', default: process.getuid?.() === 0 ? '-10' : '0' },
    'prepare-only': { type: 'boolean' }
  }
})
const names = values.only.split(',')
const keys = values.scenarios.split(',')
let patience = Number(values.patience) * 1000

const say = (...x) => console.log(new Date().toISOString().slice(11, 19), ...x)
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

/** Waits until the rest of the machine is quiet (others may share it), as long as there is patience. */
async function quiet() {
  for (let good = 0; good < 3 && patience > 0;) {
    const before = machine()
    await sleep(300)
    const busy = (100 * (machine().busy - before.busy)) / 0.3
    good = busy < QUIET ? good + 1 : 0
    if (busy >= QUIET) patience -= 300
  }
}

/** One run; the quietest of several where others disturbed it. */
async function measure(name, scenario, mode, rep) {
  const subject = new Subject(name, SERVERS[name], scenario)
  const pinned = mode === 'pinned'
  let best
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    await quiet()
    const started = Date.now()
    const { lines, cmd } = await once(subject, scenario, pinned)
    const other = Math.max(0, ...lines.map(line => line.other_cpu_pct ?? 0))
    const rows = lines.map(line => ({
      ...line,
      server: name,
      key: scenario.sub ? scenario.sub(line) : scenario.key,
      mode,
      rep,
      attempt,
      at: new Date().toISOString(),
      cmd
    }))
    if (!best || other < best.other) best = { other, rows }
    if (other <= DISTURBED) break
    const again = attempt < ATTEMPTS && patience > 0
    say(
      `   ${name} ${scenario.key}: others used ${other}% of a core, ${again ? 'again' : 'kept the quietest'}`
    )
    if (!again) break
    patience -= Date.now() - started
  }
  for (const row of best.rows) {
    fs.appendFileSync(values.out, JSON.stringify(row) + '\n')
    say(`${mode} ${rep} ${name} ${row.key}: ${told(row)}`)
  }
}

async function once(subject, scenario, pinned) {
  const nice = values.nice === '0' ? {} : { NICE: values.nice }
  subject.stop()
  subject.start({ ...nice, ...(pinned ? { CPUS: '0' } : {}) })
  try {
    await sleep(500)
    const times = ['seconds', 'warmup']
      .filter(option => values[option] !== undefined && !scenario.args.includes(`--${option}`))
      .map(option => ` --${option} ${values[option]}`)
    return await subject.bench(scenario.args + times.join(''), { pinned, nice: values.nice })
  } finally {
    subject.stop()
  }
}

function told(row) {
  if (row.fatal) return `FATAL ${row.fatal}`
  const figures = {
    [row.unit ?? '']: row.rate,
    p50: row.p50,
    p95: row.p95,
    'cpu/1000': row.cpu_s_per_1000,
    'server %': row.server_cpu_pct,
    'client %': row.client_cpu_pct,
    'others %': row.other_cpu_pct,
    'rss MB': row.rss_mb ?? row.rss_after_hold_mb,
    'KiB/connection': row.kb_per_conn,
    'times the latency': row.ping_ratio,
    errors: row.errors
  }
  return Object.entries(figures)
    .filter(([, figure]) => figure !== undefined && figure !== null)
    .map(([name, figure]) => `${figure} ${name}`)
    .join(', ')
}

async function runAll() {
  if (os.availableParallelism() < 2)
    throw new Error('two cores are needed: one for the server, one for the generator')
  for (const name of names)
    if (!SERVERS[name]) throw new Error(`no server ${name}; there are: ${Object.keys(SERVERS).join(', ')}`)
  fs.mkdirSync(path.dirname(values.out), { recursive: true })
  const unfit = new Set()
  for (const name of names) {
    try {
      await prepare(name, SERVERS[name], keys, say)
    } catch (error) {
      unfit.add(name)
      say(`ERROR ${name} is left out, it could not be prepared: ${error.message}`)
    }
  }
  if (values['prepare-only']) return
  const plan = [
    ...range(Number(values.from), Number(values.reps)).map(rep => ['pinned', rep]),
    ...range(1, Number(values.unpinned)).map(rep => ['unpinned', rep])
  ]
  for (const [mode, rep] of plan)
    for (const scenario of MATRIX.filter(one => keys.includes(one.key)))
      for (const name of names) {
        if (unfit.has(name) || !takesPart(name, SERVERS[name], scenario)) continue
        try {
          await measure(name, scenario, mode, rep)
        } catch (error) {
          say(`ERROR ${name} ${scenario.key}: ${error.message}`)
        }
      }
  say('done')
}

function range(from, to) {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
}

try {
  await runAll()
} catch (error) {
  console.error(process.env.BENCH_DEBUG ? error : error.message)
  process.exitCode = 1
}
