#!/usr/bin/env node
/*
 * npm run bench: Balcony beside Debian's Prosody and ejabberd, each on one core, in one run; prints the ratios.
 *
 *   npm run bench -- [--scenarios chat,s2s,...] [--servers balcony,prosody,ejabberd] [--reps N] [--seconds N]
 *
 * It says what it needs: a server that is not installed is named and left out. The figures of every run and the table
 * are kept in bench/results/; bench/README.md explains them.
 */
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { lacks } from './lib/subject.mjs'
import { SERVERS } from './servers.mjs'

const here = import.meta.dirname
const OURS = 'balcony'

const CPU = { figure: 'cpu_s_per_1000', unit: 'CPU ms a message', less: true }

/**
 * The rows of each scenario: which figure, whether less is better, and the factor that Balcony is to reach beside the
 * better peer; `atMost` is a goal for the figure itself. Without a figure it is `rate`.
 */
const SCENARIOS = {
  chat: [{ goal: 3 }],
  'iq-ping': [{ goal: 3 }],
  'iq-disco': [{ goal: 3 }],
  'login-scram': [{ goal: 2 }],
  'login-tls': [{}],
  s2s: [{ goal: 2 }, CPU],
  'idle-tls': [
    { figure: 'kb_per_conn', unit: 'KiB a connection', less: true, goal: 1 },
    { figure: 'rss_after_hold_mb', unit: 'MB in all', less: true }
  ],
  idle: [{ figure: 'kb_per_conn', unit: 'KiB a connection', less: true, goal: 1 }],
  flood: [
    { figure: 'ping_ratio', unit: "times a quiet user's latency", less: true, atMost: 5 },
    { figure: 'rss_growth_mb', unit: 'MB more', less: true }
  ],
  publish1: [{ key: 'publish1-w1' }, { key: 'publish1-w20', goal: 8 }],
  'publish1-full': [{ goal: 8 }],
  fanout: [{ goal: 5 }],
  items: [{ goal: 20 }],
  presence: [{}]
}
const DEFAULT = ['chat', 'iq-ping', 'iq-disco', 'login-scram', 's2s', 'idle-tls', 'flood']

const { values } = parseArgs({
  options: {
    scenarios: { type: 'string', default: DEFAULT.join(',') },
    servers: { type: 'string', default: `${OURS},prosody,ejabberd` },
    reps: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '8' },
    warmup: { type: 'string', default: '2' },
    // Seconds to spend on waiting for a quiet machine, and on repeating what was disturbed
    patience: { type: 'string', default: '120' }
  }
})
const scenarios = values.scenarios.split(',')

function stopWith(message) {
  console.error(message)
  process.exit(2)
}

/** The servers that can run here; the others are named with what they lack. */
function available() {
  return values.servers.split(',').filter(name => {
    const server =
      SERVERS[name] ?? stopWith(`no server ${name}; there are: ${Object.keys(SERVERS).join(', ')}`)
    const missing = lacks(server)
    if (missing !== undefined) console.log(`${name} is left out: ${missing} is missing`)
    return missing === undefined
  })
}

function measure(servers, out) {
  const args = [
    path.join(here, 'run-all.mjs'),
    ...['--only', servers.join(','), '--scenarios', scenarios.join(',')],
    ...['--reps', values.reps, '--unpinned', '0', '--out', out],
    ...['seconds', 'warmup', 'patience'].flatMap(name => [`--${name}`, values[name]])
  ]
  return new Promise(resolve => {
    spawn(process.execPath, args, { cwd: here, stdio: 'inherit' }).on('close', resolve)
  })
}

function median(numbers) {
  const sorted = numbers.filter(Number.isFinite).sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)]
}

function ratios(rows, servers) {
  const peers = servers.filter(name => name !== OURS)
  const table = [['', ...servers, 'beside the better peer', 'goal']]
  for (const scenario of scenarios)
    for (const row of SCENARIOS[scenario]) {
      const { key = scenario, figure = 'rate', less = false, goal, atMost } = row
      const of = name =>
        median(rows.filter(one => one.server === name && one.key === key).map(one => one[figure]))
      const unit = row.unit ?? rows.find(one => one.key === key && one.unit)?.unit ?? ''
      const best = (less ? Math.min : Math.max)(...peers.map(of).filter(Number.isFinite))
      const ratio = of(OURS) / best
      const reached = atMost === undefined ? (less ? ratio < goal : ratio >= goal) : of(OURS) < atMost
      const wanted = atMost ?? goal
      table.push([
        `${key}: ${unit}`,
        ...servers.map(name => shown(of(name))),
        Number.isFinite(ratio) ? `${ratio.toFixed(2)} times` : '-',
        wanted === undefined
          ? ''
          : `${less ? 'less than' : 'at least'} ${wanted}${Number.isFinite(of(OURS)) ? (reached ? ', reached' : ', missed') : ''}`
      ])
    }
  return table
}

function shown(figure) {
  if (!Number.isFinite(figure)) return '-'
  if (figure >= 1000) return Math.round(figure).toLocaleString('en-US')
  return figure >= 1 ? figure.toFixed(1) : figure.toPrecision(2)
}

/** As markdown, which reads well as it is. */
function drawn(table) {
  const widths = table[0].map((_, column) => Math.max(...table.map(row => row[column].length)))
  const line = row =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(table[0]), rule, ...table.slice(1).map(line)].join('\n')
}

for (const name of scenarios)
  if (!SCENARIOS[name]) stopWith(`no scenario ${name}; there are: ${Object.keys(SCENARIOS).join(', ')}`)
if (os.platform() !== 'linux')
  stopWith('The benchmarks need Linux: they read /proc and pin processes with taskset.')
for (const tool of ['taskset', 'openssl', 'bash'])
  if (spawnSync('which', [tool]).status !== 0)
    stopWith(`The benchmarks need ${tool}, which is not installed.`)
if (os.availableParallelism() < 2)
  stopWith('The benchmarks need two cores: one for the server, one for the load.')

const servers = available()
if (servers.length === 0) stopWith('Nothing can be measured here.')
if (servers.length === 1)
  console.log("Without a peer there is no ratio; install Debian's prosody and ejabberd.")

const out = path.join(here, 'results', `compare-${new Date().toISOString().replace(/[:.]/g, '-')}.jsonl`)
const code = await measure(servers, out)
if (code !== 0 || !fs.existsSync(out)) stopWith('The run did not get through; what went wrong is above.')
const rows = fs
  .readFileSync(out, 'utf8')
  .split('\n')
  .filter(Boolean)
  .map(line => JSON.parse(line))
const bad = rows.filter(row => row.fatal || row.errors)
for (const row of bad)
  console.log(`${row.server} ${row.key}: ${row.fatal ?? `${row.errors} errors: ${row.first_error}`}`)
const text = [
  `${os.cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}; the server on one core, the load on another`,
  drawn(
    ratios(
      rows.filter(row => !row.fatal),
      servers
    )
  ),
  `Others used ${Math.max(0, ...rows.map(row => row.other_cpu_pct ?? 0))}% of a core at most; above 20 a run was disturbed.`
].join('\n\n')
fs.writeFileSync(out.replace(/jsonl$/, 'md'), `${text}\n`)
console.log(`\n${text}`)
console.log(`\nAll figures: node bench/report.mjs ${path.relative(process.cwd(), out)}`)
process.exitCode = bad.length > 0 ? 1 : 0
