import assert from 'node:assert/strict'
import test from 'node:test'
import { Derivations } from '../../../../core/streams/rates/derivations'

/** Work that ends when it is told to. */
class Jobs {
  readonly started: string[] = []
  readonly #ends = new Map<string, () => void>()
  most = 0
  #active = 0

  job(name: string): () => Promise<string> {
    return () => {
      this.started.push(name)
      this.most = Math.max(this.most, ++this.#active)
      return new Promise(resolve => {
        this.#ends.set(name, () => {
          this.#active--
          resolve(name)
        })
      })
    }
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.()
    await new Promise(setImmediate)
  }
}

test('few at a time, one of each source, and sources take turns', async () => {
  const jobs = new Jobs()
  const derivations = new Derivations(2)
  const done = ['a1', 'a2', 'a3', 'b1', 'c1'].map(name =>
    derivations.run(name.charAt(0), true, jobs.job(name))
  )
  assert.deepEqual(jobs.started, ['a1', 'b1'])
  await jobs.end('a1')
  assert.deepEqual(jobs.started, ['a1', 'b1', 'c1'])
  await jobs.end('b1')
  assert.deepEqual(jobs.started, ['a1', 'b1', 'c1', 'a2'])
  for (const name of ['c1', 'a2', 'a3']) await jobs.end(name)
  assert.deepEqual(await Promise.all(done.map(one => Promise.resolve(one))), ['a1', 'a2', 'a3', 'b1', 'c1'])
  assert.equal(jobs.most, 2)
  assert.equal(derivations.waiting, 0)
})

test('a source that stands for many has several at a time', () => {
  const jobs = new Jobs()
  const derivations = new Derivations(2)
  for (const name of ['1', '2', '3']) void derivations.run('proxy', false, jobs.job(name))
  assert.deepEqual(jobs.started, ['1', '2'])
})

test('what fails is told, and the next has its turn', async () => {
  const derivations = new Derivations(1)
  const failing = derivations.run('a', true, () => Promise.reject(new Error('no')))
  const next = derivations.run('a', true, () => Promise.resolve('yes'))
  await assert.rejects(failing ?? Promise.resolve(), /no/)
  assert.equal(await next, 'yes')
})

test('those that wait are bounded, of one source and in all', () => {
  const derivations = new Derivations(1)
  const never = (): Promise<never> => new Promise(() => {})
  let taken = 0
  for (let i = 0; i < 1000; i++) if (derivations.run('a', true, never)) taken++
  assert.equal(taken, 201)
  assert.ok(derivations.run('b', true, never))
  for (let i = 0; i < 5000; i++) void derivations.run(`source ${i}`, true, never)
  assert.equal(derivations.waiting, 2000)
  assert.equal(derivations.run('last', true, never), undefined)
})
