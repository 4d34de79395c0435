// time limit: 300 s
import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { startTestServer } from '../lib/server'
import { PASSWORD } from '../lib/wire'

/*
 * A hundred connections that flood, a third of which never read. BALCONY_FLOOD_SECONDS=30 makes it as long as
 * docs/operating.md tells of; how fast the server answers meanwhile is printed, and measured in bench/.
 */

const SECONDS = Number(process.env.BALCONY_FLOOD_SECONDS ?? 4)
const CROWD = 100
const MEBIBYTE = 1024 * 1024

/** What the flood may take, beside what the server needs anyhow. */
const BOUND = 200 * MEBIBYTE

interface Outcome {
  sent: number
  returned: number
  faults: string[]
  cut: number
}

/** A program of lib/ that is talked to; it ends with the test. */
function helper(t: TestContext, name: string): ChildProcess {
  const child = fork(path.join(__dirname, 'lib', name), { execArgv: [] })
  t.after(() => child.kill())
  return child
}

async function asks<T>(child: ChildProcess, message: object | string | number): Promise<T> {
  child.send(message)
  const [answer] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`it ended with ${String(code)}`)))
  ])) as [T]
  return answer
}

function at(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}

function latency(name: string, took: readonly number[]): string {
  const [median, p95, max] = [0.5, 0.95, 1].map(part => at(took, part).toFixed(2))
  return `${name}: ${took.length} pings, median ${median} ms, 95 % ${p95} ms, slowest ${max} ms`
}

test('a hundred that flood lose nothing of theirs, take bounded memory, and others are answered', async t => {
  const server = await startTestServer(t, { modules: { limits: {} }, logLevel: 'warn' })
  const { metrics, accounts } = server.server
  await accounts.create('quiet', 'localhost', PASSWORD)
  for (let i = 0; i < CROWD; i++) await accounts.create(`flood${i}`, 'localhost', PASSWORD)
  const options = {
    host: '127.0.0.1',
    port: server.ports.tcp,
    domain: 'localhost',
    pass: PASSWORD,
    mech: 'scram'
  }
  const quiet = helper(t, 'quiet-user.mjs')
  const crowd = helper(t, 'flooders.mjs')
  await asks(quiet, { ...options, user: 'quiet' })
  await asks(crowd, { options, count: CROWD })

  const idle = await asks<number[]>(quiet, Math.max(2, SECONDS / 2) * 1000)
  const before = process.memoryUsage.rss()
  let highest = before
  const watch = setInterval(() => (highest = Math.max(highest, process.memoryUsage.rss())), 100)
  t.after(() => clearInterval(watch))
  crowd.send('go')
  const during = await asks<number[]>(quiet, SECONDS * 1000)
  clearInterval(watch)
  const { sent, returned, faults, cut } = await asks<Outcome>(crowd, 'stop')

  t.diagnostic(latency('alone', idle))
  t.diagnostic(latency('beside the flood', during))
  t.diagnostic(
    `median ${(at(during, 0.5) / at(idle, 0.5)).toFixed(1)} times, 95 % ${(at(during, 0.95) / at(idle, 0.95)).toFixed(1)} times`
  )
  t.diagnostic(`${sent} stanzas, ${returned} came back, ${cut} of those that do not read were cut off`)
  t.diagnostic(`memory: ${Math.round(before / MEBIBYTE)} MiB, at most ${Math.round(highest / MEBIBYTE)} MiB`)
  assert.deepEqual(faults, [])
  assert.ok(sent > 0)
  assert.equal(returned, sent)
  assert.ok(during.length > 0)
  assert.ok(highest - before < BOUND, `${Math.round((highest - before) / MEBIBYTE)} MiB more`)
  assert.match(await metrics.text(), /balcony_rate_pauses_total\{kind="c2s"\} [1-9]/)
  assert.deepEqual(server.errors(), [])
})
