import assert from 'node:assert/strict'
import test from 'node:test'
import { isStanzaError } from '../../../core/errors'
import { HANDLED, Hooks, isPromise, type HandlerOwner, type Traced } from '../../../core/events/hooks'

function owner(module: string, rank = 0): HandlerOwner & { running: number } {
  return {
    module,
    host: 'a.example',
    rank,
    running: 0,
    begin() {
      this.running++
    },
    end() {
      this.running--
    }
  }
}

const event = (): Traced => ({ owner: undefined })

test('handlers run by priority, then rank, then order of registration', () => {
  const hooks = new Hooks()
  const ran: string[] = []
  const add = (name: string, priority: number, rank: number) =>
    hooks.add('x', () => void ran.push(name), owner(name, rank), { priority })
  add('late', -1, 1)
  add('second', 0, 2)
  add('first', 0, 1)
  add('guard', 100, 3)
  add('first again', 0, 1)
  assert.equal(hooks.run('x', event()), undefined)
  assert.deepEqual(ran, ['guard', 'first', 'first again', 'second', 'late'])
  assert.deepEqual(
    hooks.list().map(({ module, priority }) => [module, priority]),
    [
      ['guard', 100],
      ['first', 0],
      ['first again', 0],
      ['second', 0],
      ['late', -1]
    ]
  )
})

test('only HANDLED ends a chain', async () => {
  const hooks = new Hooks()
  const ran: number[] = []
  const by = owner('m')
  hooks.add('x', () => true as never, by)
  hooks.add('x', () => Promise.resolve(1 as never), by)
  hooks.add('x', () => void ran.push(1), by)
  hooks.add('x', () => HANDLED, by)
  hooks.add('x', () => void ran.push(2), by)
  assert.equal(await hooks.run('x', event()), HANDLED)
  assert.deepEqual(ran, [1])
})

test('a synchronous chain makes no promise; a promise is awaited and counted', async () => {
  const hooks = new Hooks()
  const by = owner('m')
  hooks.add('sync', () => undefined, by)
  assert.equal(hooks.run('sync', event()), undefined)
  assert.equal(hooks.run('nobody', event()), undefined)

  let finish: (() => void) | undefined
  hooks.add('async', () => new Promise<void>(resolve => (finish = resolve)), by)
  let after = false
  hooks.add('async', () => void (after = true), by)
  const result = hooks.run('async', event())
  assert.ok(isPromise(result))
  assert.equal(by.running, 1)
  assert.equal(after, false)
  finish?.()
  await result
  assert.equal(by.running, 0)
  assert.equal(after, true)
})

test('what a handler throws ends the chain, and the event tells whose it was', async () => {
  const hooks = new Hooks()
  const [good, bad] = [owner('good'), owner('bad')]
  hooks.add('x', () => undefined, good)
  hooks.add(
    'x',
    () => {
      throw new Error('boom')
    },
    bad
  )
  hooks.add('x', () => assert.fail('the chain went on'), good)
  const thrown = event()
  assert.throws(() => hooks.run('x', thrown), /boom/)
  assert.equal(thrown.owner, bad)

  hooks.add('y', () => Promise.reject(new Error('later')), bad)
  const rejected = event()
  await assert.rejects(async () => hooks.run('y', rejected), /later/)
  assert.equal(rejected.owner, bad)
  assert.equal(bad.running, 0)
})

test('a chain raised by a handler with the same event gives the event back', async () => {
  const hooks = new Hooks()
  const [outer, inner] = [owner('outer'), owner('inner')]
  const seen: unknown[] = []
  hooks.add('inner', () => undefined, inner)
  hooks.add('inner async', () => Promise.resolve(), inner)
  hooks.add(
    'outer',
    async e => {
      void hooks.run('inner', e as Traced)
      seen.push((e as Traced).owner)
      await hooks.run('inner async', e as Traced)
      seen.push((e as Traced).owner)
    },
    outer
  )
  const one = event()
  await hooks.run('outer', one)
  assert.deepEqual(seen, [outer, outer])
  assert.equal(one.owner, undefined)
})

test('adding and removing while a chain runs does not change that run', () => {
  const hooks = new Hooks()
  const ran: string[] = []
  const by = owner('m')
  const remove = hooks.add(
    'x',
    () => {
      ran.push('one')
      remove()
      hooks.add('x', () => void ran.push('new'), by)
    },
    by
  )
  hooks.add('x', () => void ran.push('two'), by)
  void hooks.run('x', event())
  assert.deepEqual(ran, ['one', 'two'])
  void hooks.run('x', event())
  assert.deepEqual(ran, ['one', 'two', 'two', 'new'])
  remove()
  assert.equal(hooks.list().length, 2)
})

test('a chain whose last handler is removed is gone', () => {
  const hooks = new Hooks()
  const remove = hooks.add('x', () => undefined, owner('m'))
  assert.ok(hooks.has('x'))
  assert.deepEqual(
    hooks.ownersOf('x').map(one => one.module),
    ['m']
  )
  remove()
  assert.ok(!hooks.has('x'))
  assert.deepEqual(hooks.ownersOf('x'), [])
})

test('what a guard guards is refused while any of its guards is away', () => {
  const hooks = new Hooks()
  hooks.add('x', () => undefined, owner('m'))
  hooks.refuse('x', 'limits')
  hooks.refuse('x', 'limits')
  hooks.refuse('x', 'blocking')
  assert.ok(hooks.has('x'))
  assert.equal(hooks.refusedBy('x'), 'limits')
  assert.throws(
    () => hooks.run('x', event()),
    (error: unknown) =>
      isStanzaError(error) && error.condition === 'service-unavailable' && error.type === 'wait'
  )
  hooks.permit('x', 'limits')
  assert.equal(hooks.refusedBy('x'), 'blocking')
  hooks.permit('x', 'blocking')
  assert.equal(hooks.refusedBy('x'), undefined)
  assert.equal(hooks.run('x', event()), undefined)
  hooks.refuse('nobody hooks this', 'limits')
  assert.ok(hooks.has('nobody hooks this'))
})
