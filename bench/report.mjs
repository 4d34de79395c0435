#!/usr/bin/env node
// Medians of results/runs.jsonl (or the files given) as markdown tables.
import fs from 'node:fs'
const files = process.argv.slice(2).length ? process.argv.slice(2) : ['results/runs.jsonl']
const rows = files.flatMap(f =>
  fs
    .readFileSync(f, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(l => JSON.parse(l))
)
const ORDER = [
  'login-plain',
  'login-scram',
  'login-tls',
  'chat',
  'chat-1',
  'chat-tls',
  's2s',
  'iq-ping',
  'iq-disco',
  'publish1-w1',
  'publish1-w20',
  'publish1-full',
  'fanout',
  'items',
  'presence'
]
const APART = ['idle', 'idle-tls', 'flood']
const IDLE = [
  ['RSS before, MB', 'rss_before_mb'],
  ['RSS after connecting, MB', 'rss_after_connect_mb'],
  ['RSS after the hold, MB', 'rss_after_hold_mb'],
  ['kB per connection after connecting', 'kb_per_conn_after_connect'],
  ['**kB per connection after the hold**', 'kb_per_conn'],
  ['connections made per second (20 at a time)', 'rate'],
  ['CPU while idle, %', 'idle_cpu_pct']
]
const servers = [...new Set(rows.map(r => r.server))]
const pref = ['balcony', 'prosody', 'prosody-sqlite', 'ejabberd', 'ejabberd-sqlite']
servers.sort(
  (a, b) =>
    (a === 'stub') - (b === 'stub') ||
    pref.indexOf(a) + 99 * (pref.indexOf(a) < 0) - (pref.indexOf(b) + 99 * (pref.indexOf(b) < 0))
)
const med = a => {
  const s = a.filter(x => x !== null && x !== undefined).sort((x, y) => x - y)
  return s.length ? s[Math.floor((s.length - 1) / 2)] : null
}
const fmt = x =>
  x === null
    ? '-'
    : Math.abs(x) >= 1000
      ? Math.round(x).toLocaleString('en-US')
      : Math.abs(x) >= 100
        ? x.toFixed(0)
        : Math.abs(x) >= 10
          ? x.toFixed(1)
          : x >= 0.1
            ? x.toFixed(2)
            : x.toPrecision(2)
// publish1-full carries the window in its sub key; normalise
for (const r of rows) if (r.key === 'publish1-w20' && r.prefilled) r.key = 'publish1-full'
const get = (key, server, mode) =>
  rows.filter(r => r.key === key && r.server === server && r.mode === mode && !r.fatal)
const keys = [
  ...ORDER.filter(k => rows.some(r => r.key === k)),
  ...[...new Set(rows.map(r => r.key))].filter(k => !ORDER.includes(k) && !APART.includes(k))
]
function table(title, mode, cell) {
  console.log(`\n### ${title}\n`)
  console.log(`| scenario | ${servers.join(' | ')} |`)
  console.log(`|---|${servers.map(() => '---:').join('|')}|`)
  for (const k of keys) {
    const cells = servers.map(s => {
      const g = get(k, s, mode)
      const bad = rows.filter(r => r.key === k && r.server === s && r.mode === mode && r.fatal)
      return g.length
        ? cell(g, k) + (bad.length ? ` (${bad.length} failed)` : '')
        : bad.length
          ? 'failed'
          : ''
    })
    if (cells.some(c => c))
      console.log(`| ${k} (${rows.find(r => r.key === k && r.unit)?.unit ?? ''}) | ${cells.join(' | ')} |`)
  }
}
const m = (g, f) => med(g.map(r => r[f]))
for (const mode of ['pinned', 'unpinned']) {
  if (!rows.some(r => r.mode === mode)) continue
  const n = Math.max(...rows.filter(r => r.mode === mode).map(r => r.rep))
  table(`${mode}: rate, median of ${n}${n > 1 ? ' [lowest to highest]' : ''}`, mode, g => {
    const v = g.map(r => r.rate)
    return `**${fmt(med(v))}**${v.length > 1 ? ` [${fmt(Math.min(...v))} to ${fmt(Math.max(...v))}]` : ''}${g.some(r => r.errors) ? ' (errors)' : ''}`
  })
  table(
    `${mode}: latency in ms, p50 / p95 / p99 (medians)`,
    mode,
    g => `${fmt(m(g, 'p50'))} / ${fmt(m(g, 'p95'))} / ${fmt(m(g, 'p99'))}`
  )
  table(`${mode}: server CPU seconds per 1000 operations`, mode, g => fmt(m(g, 'cpu_s_per_1000')))
  table(
    `${mode}: server RSS in MB after the measured window (peak since start)`,
    mode,
    g => `${fmt(m(g, 'rss_mb'))} (${fmt(m(g, 'rss_peak_mb'))})`
  )
  table(
    `${mode}: CPU of server / generator / everybody else, % of one core`,
    mode,
    g =>
      `${fmt(m(g, 'server_cpu_pct'))} / ${fmt(m(g, 'client_cpu_pct'))} / ${fmt(Math.max(0, m(g, 'other_cpu_pct')))}`
  )
}
if (rows.some(r => r.key === 'fanout')) {
  console.log(
    '\n### fanout: completion of a publish (all 100 subscribers), ms p50 / p95 / p99, and publishes per second (pinned)\n'
  )
  console.log('| | ' + servers.join(' | ') + ' |\n|---|' + servers.map(() => '---:').join('|') + '|')
  console.log(
    '| completion | ' +
      servers
        .map(s => {
          const g = get('fanout', s, 'pinned')
          return g.length
            ? `${fmt(m(g, 'complete_p50'))} / ${fmt(m(g, 'complete_p95'))} / ${fmt(m(g, 'complete_p99'))}`
            : ''
        })
        .join(' | ') +
      ' |'
  )
  console.log(
    '| publishes/s | ' +
      servers
        .map(s => {
          const g = get('fanout', s, 'pinned')
          return g.length ? fmt(m(g, 'publishes_per_s')) : ''
        })
        .join(' | ') +
      ' |'
  )
}
if (rows.some(r => r.key === 'presence')) {
  console.log('\n### presence: one storm (51 users log in at once, rosters of 50), pinned\n')
  const ss = servers.filter(s => get('presence', s, 'pinned').length)
  console.log('| | ' + ss.join(' | ') + ' |\n|---|' + ss.map(() => '---:').join('|') + '|')
  console.log(
    '| storm complete, ms p50 / p95 | ' +
      ss
        .map(s => {
          const g = get('presence', s, 'pinned')
          return `${fmt(m(g, 'storm_p50'))} / ${fmt(m(g, 'storm_p95'))}`
        })
        .join(' | ') +
      ' |'
  )
  console.log(
    '| presence stanzas delivered/s | ' +
      ss.map(s => fmt(m(get('presence', s, 'pinned'), 'presence_deliveries_per_s'))).join(' | ') +
      ' |'
  )
}
// Scenarios with figures of their own
for (const [key, figures] of Object.entries({
  idle: IDLE,
  'idle-tls': IDLE,
  flood: [
    ['ping alone, ms p50', 'ping_alone_p50'],
    ['ping alone, ms p95', 'ping_alone_p95'],
    ['ping beside the flood, ms p50', 'p50'],
    ['ping beside the flood, ms p95', 'p95'],
    ['ping beside the flood, ms at most', 'max'],
    ['**p50 beside it / alone**', 'ping_ratio'],
    ['flooding messages delivered per second', 'rate'],
    ['CPU, %', 'server_cpu_pct'],
    ['RSS before, MB', 'rss_before_mb'],
    ['RSS more at most, MB', 'rss_growth_mb']
  ]
})) {
  for (const mode of ['pinned', 'unpinned']) {
    const ss = servers.filter(s => get(key, s, mode).length)
    if (!ss.length) continue
    const { connections, hold_s: hold } = get(key, ss[0], mode)[0]
    console.log(`\n### ${key}: ${connections} connections, ${mode}${hold ? `, hold ${hold} s` : ''}\n`)
    console.log('| | ' + ss.join(' | ') + ' |\n|---|' + ss.map(() => '---:').join('|') + '|')
    for (const [title, figure] of figures)
      console.log(`| ${title} | ${ss.map(s => fmt(m(get(key, s, mode), figure))).join(' | ')} |`)
  }
}
const bad = rows.filter(r => r.fatal || r.errors)
console.log(`\nruns: ${rows.length}; with errors: ${bad.length}`)
for (const b of bad)
  console.log(
    `- ${b.mode} ${b.rep} ${b.server} ${b.key}: ${b.fatal ?? `${b.errors} errors, first: ${b.first_error}`}`
  )
