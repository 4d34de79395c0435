#!/usr/bin/env node
/*
 * npm run bench: Balcony beside Debian's Prosody and ejabberd, each on one core, in one run; prints the ratios.
 *
 *   npm run bench -- [--scenarios chat,iq-ping,...] [--servers balcony,prosody,ejabberd] [--reps N]
 *
 * It says what it needs: a server that is not installed is named and left out. The figures of every run are kept
 * in bench/results/; bench/README.md explains them.
 */
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { SERVERS } from './servers.mjs'

const here = import.meta.dirname
const OURS = 'balcony'

/** What is compared: more is better, or less is; the goal is the factor that Balcony is to reach. */
const SCENARIOS = {
  chat: { figure: 'rate', goal: 3 },
  'iq-ping': { figure: 'rate', goal: 3 },
  'iq-disco': { figure: 'rate', goal: 3 },
  'login-scram': { figure: 'rate', goal: 2 },
  idle: { figure: 'kb_per_conn', goal: 1, less: true, unit: 'KiB a connection' },
  publish1: { figure: 'rate', keys: ['publish1-w1', 'publish1-w20'] },
  fanout: { figure: 'rate' },
  items: { figure: 'rate' },
  presence: { figure: 'rate' }
}
const DEFAULT = ['chat', 'iq-ping', 'iq-disco', 'login-scram', 'idle']

const { values } = parseArgs({
  options: {
    scenarios: { type: 'string', default: DEFAULT.join(',') },
    servers: { type: 'string', default: `${OURS},prosody,ejabberd` },
    reps: { type: 'string', default: '1' }
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
    const needs = spawnSync(server.setup, ['needs'], {
      cwd: here,
      env: { ...process.env, ...server.env },
      encoding: 'utf8'
    })
    if (needs.status === 0) return true
    console.log(`${name} is left out: ${needs.error?.message ?? needs.stdout.trim()} is missing`)
    return false
  })
}

function measure(servers, out) {
  const args = [
    path.join(here, 'run-all.mjs'),
    ...['--only', servers.join(','), '--scenarios', scenarios.join(',')],
    ...['--reps', values.reps, '--unpinned', '0', '--out', out]
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
    for (const key of SCENARIOS[scenario].keys ?? [scenario]) {
      const { figure, goal, less = false, unit } = SCENARIOS[scenario]
      const of = name =>
        median(rows.filter(row => row.server === name && row.key === key).map(row => row[figure]))
      const best = (less ? Math.min : Math.max)(...peers.map(of).filter(Number.isFinite))
      const ours = of(OURS)
      const known = Number.isFinite(best) && Number.isFinite(ours)
      table.push([
        `${key} (${unit ?? rows.find(row => row.key === key && row.unit)?.unit ?? ''})`,
        ...servers.map(name => shown(of(name))),
        known ? `${(ours / best).toFixed(2)} times` : '-',
        goal === undefined ? '' : less ? `less than ${goal}` : `${goal}`
      ])
    }
  return table
}

function shown(figure) {
  if (!Number.isFinite(figure)) return '-'
  return figure >= 1000 ? Math.round(figure).toLocaleString('en-US') : figure.toFixed(1)
}

function print(table) {
  const widths = table[0].map((_, column) => Math.max(...table.map(row => row[column].length)))
  for (const row of table)
    console.log(
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')
    )
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
console.log(
  `\n${os.cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}; the server on one core\n`
)
print(
  ratios(
    rows.filter(row => !row.fatal),
    servers
  )
)
console.log(`\nAll figures: node bench/report.mjs ${path.relative(process.cwd(), out)}`)
process.exitCode = bad.length > 0 ? 1 : 0
