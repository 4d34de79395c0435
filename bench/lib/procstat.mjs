// CPU and memory of a set of processes (and all their descendants), and of the machine, from /proc.
import fs from 'node:fs'
import { execFileSync } from 'node:child_process'

let tck = 100
try {
  tck = +execFileSync('getconf', ['CLK_TCK']).toString() || 100
} catch {}

function readStat(pid) {
  try {
    const s = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
    const r = s.slice(s.lastIndexOf(')') + 2).split(' ')
    // r[0]=state r[1]=ppid ... utime=r[11] stime=r[12] cutime=r[13] cstime=r[14]
    return { ppid: +r[1], cpu: (+r[11] + +r[12] + +r[13] + +r[14]) / tck }
  } catch {
    return null
  }
}

export function descendants(pids) {
  const kids = new Map()
  for (const d of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(d)) continue
    const st = readStat(d)
    if (!st) continue
    if (!kids.has(st.ppid)) kids.set(st.ppid, [])
    kids.get(st.ppid).push(+d)
  }
  const out = new Set()
  const walk = p => {
    if (out.has(p)) return
    out.add(p)
    for (const k of kids.get(p) || []) walk(k)
  }
  for (const p of pids) walk(p)
  return [...out]
}

function field(pid, file, name) {
  try {
    const m = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(fs.readFileSync(`/proc/${pid}/${file}`, 'latin1'))
    return m ? +m[1] : 0
  } catch {
    return 0
  }
}

// { alive, cpu (s), rss (kB), peak (kB, high-water mark since process start), ioWrite (bytes to the block layer), syscw }
export function snapshot(pids) {
  if (!pids.length) return null
  let cpu = 0,
    rss = 0,
    peak = 0,
    ioWrite = 0,
    syscw = 0,
    alive = 0
  for (const p of descendants(pids)) {
    const st = readStat(p)
    if (!st) continue
    alive++
    cpu += st.cpu
    rss += field(p, 'status', 'VmRSS')
    peak += field(p, 'status', 'VmHWM')
    ioWrite += field(p, 'io', 'write_bytes')
    syscw += field(p, 'io', 'syscw')
  }
  return { alive, cpu, rss, peak, ioWrite, syscw }
}

// whole machine, in seconds of CPU since boot
export function machine() {
  const f = fs.readFileSync('/proc/stat', 'latin1').split('\n')[0].trim().split(/\s+/).slice(1).map(Number)
  const [user, nice, system, idle, iowait, irq, softirq, steal] = f
  return {
    busy: (user + nice + system + irq + softirq) / tck,
    iowait: iowait / tck,
    steal: (steal || 0) / tck
  }
}
