// What a server needs before it is measured: accounts, rosters, a full node. It is kept in the server's folder below
// run/ for later runs; the file `prepared` there names what has been done.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { MATRIX, takesPart } from './matrix.mjs'
import { Subject } from './subject.mjs'

/** Prepares a server for the scenarios of these keys. */
export async function prepare(name, server, keys, say) {
  if (server.volatile) return
  const scenarios = MATRIX.filter(one => keys.includes(one.key) && takesPart(name, server, one))
  const alone = scenarios.filter(one => !one.pair)
  if (alone.length > 0) await carryOut(new Subject(name, server), server, stepsFor(server, alone), say)
  if (alone.length < scenarios.length)
    await carryOut(new Subject(name, server, { pair: true }), server, stepsFor(server, []), say)
}

function stepsFor(server, scenarios) {
  const needs = scenarios.flatMap(one => one.needs ?? [])
  const steps = []
  if (!server.noRegister) steps.push(needs.includes('many-accounts') ? 'accounts-1000' : 'accounts')
  if (needs.includes('rosters')) steps.push('rosters')
  if (needs.includes('items')) steps.push(server.prepare === 'prosody-internal' ? 'items-offline' : 'items')
  return steps
}

const STEPS = {
  accounts: (subject, instance) => must(subject, instance, '--scenario register --users 120'),
  'accounts-1000': (subject, instance) => must(subject, instance, '--scenario register --users 1000'),
  rosters: (subject, instance) => must(subject, instance, '--scenario presence --seconds 2 --warmup 1'),
  items: (subject, instance) =>
    must(subject, instance, '--scenario items --preload 10000 --seconds 1 --warmup 0'),
  // Prosody's internal storage writes the whole node for each item.
  'items-offline': async (subject, instance) => {
    const node = 'bench-items-10000'
    await must(
      subject,
      instance,
      `--scenario items --preload 5 --fetch 5 --seconds 1 --warmup 0 --node ${node}`
    )
    subject.stop()
    const script = path.join(import.meta.dirname, '../preload-prosody-internal.py')
    const data = path.join(subject.folders[instance], 'data')
    const ran = spawnSync('python3', [script, data, node, '10000'], { encoding: 'utf8' })
    if (ran.status !== 0) throw new Error(`${script} failed: ${ran.stdout}${ran.stderr}`)
    subject.start()
  }
}

async function carryOut(subject, server, steps, say) {
  const marks = subject.folders.map(folder => path.join(folder, 'prepared'))
  const done = marks.every(mark => fs.existsSync(mark)) ? lines(marks[0]) : []
  const wanted = steps.filter(step => !done.includes(step))
  if (wanted.length === 0) return
  say(`prepare ${subject.name}${marks.length > 1 ? ', two of them' : ''}: ${wanted.join(', ')}`)
  subject.stop()
  if (done.length === 0) subject.destroy()
  subject.start()
  try {
    for (const step of wanted) {
      for (const instance of marks.keys()) await STEPS[step](subject, instance)
      done.push(step)
      for (const mark of marks) fs.writeFileSync(mark, `${done.join('\n')}\n`)
    }
  } finally {
    subject.stop()
  }
}

async function must(subject, instance, args) {
  const { code, lines, err } = await subject.bench(args, { instance })
  if (code !== 0 || lines.some(line => line.fatal || line.errors))
    throw new Error(`${subject.name}: ${args}: ${lines[0]?.fatal ?? lines[0]?.first_error ?? err}`)
}

function lines(file) {
  return fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)
}
