import assert from 'node:assert/strict'
import test from 'node:test'
import { Gate } from '../../../core/events/gate'
import { SenderQueue, type QueueLimits } from '../../../core/routing/queue'

interface Job {
  name: string
  /** Whether it may be handled while earlier writes are not committed. */
  joins?: boolean
  sync?: boolean
  /** Gives its turn away at once, as a write does. */
  writes?: boolean
}

/** A queue whose items end when the test says so. */
class Bench {
  readonly gate = new Gate()
  readonly started: string[] = []
  readonly fullness: boolean[] = []
  readonly #ends = new Map<string, () => void>()
  readonly queue: SenderQueue<Job>

  constructor(limits: QueueLimits = { count: 100, bytes: 10_000 }) {
    this.queue = new SenderQueue<Job>(
      {
        handle: (job, turn) => this.#handle(job, turn),
        joins: job => job.joins === true,
        full: full => void this.fullness.push(full)
      },
      this.gate,
      limits
    )
  }

  #handle(job: Job, turn: number): void | Promise<unknown> {
    this.started.push(job.name)
    if (job.sync) return
    const done = new Promise<void>(resolve => this.#ends.set(job.name, resolve))
    if (job.writes) this.queue.release(turn)
    return done
  }

  push(...jobs: (Job | string)[]): void {
    for (const job of jobs) this.queue.push(typeof job === 'string' ? { name: job } : job, 10)
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.()
    await new Promise(setImmediate)
  }
}

test('one after another, in order', async () => {
  const bench = new Bench()
  bench.push('a', { name: 'b', sync: true }, 'c')
  assert.deepEqual(bench.started, ['a'])
  await bench.end('a')
  assert.deepEqual(bench.started, ['a', 'b', 'c'])
  assert.equal(bench.queue.length, 0)
})

test('synchronous items pass at once', () => {
  const bench = new Bench()
  bench.push({ name: 'a', sync: true }, { name: 'b', sync: true })
  assert.deepEqual(bench.started, ['a', 'b'])
})

test('writes are under way together; what does not join waits for all of them', async () => {
  const bench = new Bench()
  bench.push({ name: 'w1', writes: true }, { name: 'w2', writes: true, joins: true }, 'read', {
    name: 'w3',
    writes: true,
    joins: true
  })
  assert.deepEqual(bench.started, ['w1', 'w2'])
  await bench.end('w1')
  assert.deepEqual(bench.started, ['w1', 'w2'])
  await bench.end('w2')
  assert.deepEqual(bench.started, ['w1', 'w2', 'read'])
  await bench.end('read')
  assert.deepEqual(bench.started, ['w1', 'w2', 'read', 'w3'])
})

test('a release that comes after the turn was over frees nothing', async () => {
  const bench = new Bench()
  bench.push('a')
  await bench.end('a')
  bench.push('b', 'c')
  bench.queue.release(1)
  assert.deepEqual(bench.started, ['a', 'b'])
})

test('whoever leaves holds nobody up, and counts again for nothing when it ends', async () => {
  const bench = new Bench({ count: 100, bytes: 25 })
  bench.push('waits for somebody', 'read')
  assert.deepEqual(bench.started, ['waits for somebody'])
  bench.queue.leave(1)
  bench.queue.leave(1)
  assert.deepEqual(bench.started, ['waits for somebody', 'read'])
  bench.push({ name: 'another', joins: true })
  await bench.end('waits for somebody')
  assert.deepEqual(bench.started, ['waits for somebody', 'read'], 'the one before is not done')
  await bench.end('read')
  assert.deepEqual(bench.started, ['waits for somebody', 'read', 'another'])
  bench.push('last')
  await bench.end('another')
  assert.deepEqual(bench.started.at(-1), 'last')
})

test('those who have left are bounded like what waits, in number and in bytes', async () => {
  for (const limits of [
    { count: 3, bytes: 10_000 },
    { count: 100, bytes: 25 }
  ]) {
    const bench = new Bench(limits)
    const names = Array.from({ length: 8 }, (_, at) => `l${at}`)
    for (const [at, name] of names.entries()) {
      bench.push(name)
      if (bench.started.length > at) bench.queue.leave(at + 1)
    }
    assert.deepEqual(bench.started, ['l0', 'l1', 'l2'])
    assert.deepEqual(bench.fullness, [true])
    await bench.end('l1')
    assert.deepEqual(bench.started, ['l0', 'l1', 'l2', 'l3'], 'one may come for each that has ended')
    bench.queue.leave(4)
    assert.equal(bench.started.length, 4)
    for (const name of ['l0', 'l2', 'l3']) await bench.end(name)
    for (const name of names) await bench.end(name)
    assert.deepEqual(bench.started, names)
    assert.deepEqual(bench.fullness, [true, false])
  }
})

test('what alone is larger than the limits has its turn', async () => {
  const bench = new Bench({ count: 100, bytes: 5 })
  bench.push('large', 'next')
  bench.queue.leave(1)
  assert.deepEqual(bench.started, ['large'])
  await bench.end('large')
  assert.deepEqual(bench.started, ['large', 'next'])
})

test('a closed gate holds what comes and what waits, and lets it go in order', async () => {
  const bench = new Bench()
  bench.push('under way', 'waiting')
  bench.gate.close()
  bench.push('new')
  await bench.end('under way')
  assert.deepEqual(bench.started, ['under way'])
  bench.gate.reopen()
  assert.deepEqual(bench.started, ['under way', 'waiting'])
  await bench.end('waiting')
  assert.deepEqual(bench.started, ['under way', 'waiting', 'new'])
})

test('a gate that closes again while a queue drains holds the rest', () => {
  const bench = new Bench()
  bench.gate.close()
  bench.push({ name: 'a', sync: true }, { name: 'b', sync: true })
  const other = new Bench()
  bench.gate.whenOpen(() => bench.gate.close())
  bench.push({ name: 'c', sync: true })
  bench.gate.reopen()
  bench.push({ name: 'd', sync: true })
  assert.deepEqual(bench.started, ['a', 'b', 'c'])
  bench.gate.reopen()
  assert.deepEqual(bench.started, ['a', 'b', 'c', 'd'])
  assert.deepEqual(other.started, [])
})

test('the limits of count and bytes pause the sender, half of them lets it go on', async () => {
  const count = new Bench({ count: 4, bytes: 10_000 })
  count.push('a', 'b', 'c', 'd')
  assert.deepEqual(count.fullness, [])
  count.push('e')
  assert.deepEqual(count.fullness, [true])
  for (const name of ['a', 'b']) await count.end(name)
  assert.deepEqual(count.fullness, [true, false])

  const bytes = new Bench({ count: 100, bytes: 20 })
  bytes.push('a', 'b', 'c')
  assert.deepEqual(bytes.fullness, [true])
  await bytes.end('a')
  assert.deepEqual(bytes.fullness, [true, false])
})

test('writes that have not been committed are bounded like what waits', async () => {
  const bench = new Bench({ count: 4, bytes: 10_000 })
  const jobs = Array.from({ length: 10 }, (_, i) => ({ name: `w${i}`, joins: true, writes: true }))
  bench.push(...jobs)
  assert.deepEqual(bench.started, ['w0', 'w1', 'w2', 'w3'])
  assert.deepEqual(bench.fullness, [true])
  for (const { name } of jobs) await bench.end(name)
  assert.equal(bench.started.length, 10)
  assert.deepEqual(bench.fullness, [true, false])

  const big = new Bench({ count: 100, bytes: 25 })
  big.push(...jobs)
  assert.deepEqual(big.started, ['w0', 'w1', 'w2'])
  for (const { name } of jobs) await big.end(name)
  assert.equal(big.started.length, 10)
})
