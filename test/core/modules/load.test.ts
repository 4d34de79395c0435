import assert from 'node:assert/strict'
import test from 'node:test'
import { moduleText, Rig } from './rig'

const FILES = {
  'mod_base/index.ts': moduleText('base', 'base', `return { word: () => 'base' }`),
  'mod_user/index.ts': moduleText('user', 'user', '', `dependencies: ['base'],`),
  'mod_caller/index.ts': moduleText('caller', 'caller', `ctx.use('base')`, `after: ['base'],`),
  'mod_maybe/index.ts': moduleText(
    'maybe',
    'maybe',
    `const base = ctx.use('base', { optional: true })
    ctx.hook('test/maybe', (event: any) => { event.answer = base.available ? base.word() : 'alone' })
    ctx.hook('test/force', () => base.word())
    ctx.hook('test/nothing', () => base.nothing())`
  )
}
const ALL = 'hosts: { a.example: { modules: { base: {}, user: {}, caller: {}, maybe: {} } } }'

test('a module that others need is not unloaded; one that they can do without is', async t => {
  const rig = new Rig(t, { files: FILES, config: ALL })
  await rig.manager.start()
  assert.deepEqual(await rig.manager.unload('base'), {
    ok: false,
    message: 'base was not unloaded: user on a.example and caller on a.example need it'
  })
  assert.equal((await rig.manager.unload('user')).message, 'user unloaded on a.example')
  assert.equal(
    (await rig.manager.unload('base')).message,
    'base was not unloaded: caller on a.example needs it'
  )
  assert.equal((await rig.manager.unload('caller')).ok, true)
  assert.equal(rig.ask('test/maybe').answer, 'base')
  assert.equal((await rig.manager.unload('base')).ok, true)
  assert.deepEqual(rig.values(), ['maybe'])
  assert.equal(rig.ask('test/maybe').answer, 'alone')
  assert.throws(() => rig.ask('test/force'), { code: 'ERR_MODULE_GONE', message: 'base is not running' })
  assert.deepEqual(
    rig.manager.list().map(({ name, state }) => [name, state]),
    [
      ['base', 'unloaded'],
      ['user', 'unloaded'],
      ['caller', 'unloaded'],
      ['maybe', 'running']
    ]
  )
  assert.deepEqual(await rig.manager.unload('base'), { ok: false, message: 'base is not loaded' })

  // What it needs is started with it
  assert.equal((await rig.manager.load('user')).message, 'user loaded on a.example')
  assert.deepEqual(rig.values(), ['maybe', 'base', 'user'])
  assert.equal(rig.ask('test/maybe').answer, 'base')
  assert.throws(() => rig.ask('test/nothing'), { code: 'ERR_MODULE_API' })
})

test('unloading undoes everything that was registered, newest first', async t => {
  const body = `
    const log = (what: string) => { ctx.db.log.push(what) }
    ctx.hook('test/a', () => HANDLED)
    ctx.iq('get', 'host', 'urn:x', 'query', () => undefined)
    ctx.on('config/reloaded', () => log('heard'))
    ctx.every(1, () => { log('tick') })
    ctx.after(1000, () => { log('never') })
    ctx.watch('test/value', { removed: (item: string) => log('-' + item) })
    ctx.adhoc({ node: 'n', name: 'N', access: 'any', stages: [], finish () {} })
    ctx.defer(() => log('one'))
    ctx.defer(() => log('two'))
    ctx.signal.addEventListener('abort', () => { log('aborted'); throw new Error('caught') })
    const never = () => log('never')
    ctx.signal.addEventListener('abort', never)
    ctx.signal.removeEventListener('abort', never)`
  const log: string[] = []
  const rig = new Rig(t, {
    files: {
      'mod_one/index.ts': moduleText('one', 'one', body),
      'mod_two/index.ts': moduleText('two', 'two')
    },
    config: 'hosts: { a.example: { modules: { one: {}, two: {} } } }',
    db: { log } as object
  })
  await rig.manager.start()
  const host = rig.host()
  assert.deepEqual(host.hooks.list().length, 2)
  assert.equal(host.items.list('adhoc-command').length, 1)
  rig.bus.emit('config/reloaded')
  while (!log.includes('tick')) await new Promise(setImmediate)
  await rig.manager.unload('one')
  const [, ...after] = log.splice(0).filter(line => line !== 'tick')
  // Its own item goes while it still watches
  assert.deepEqual(after, ['-one', 'aborted', 'two', 'one'])
  assert.deepEqual(host.hooks.list(), [])
  assert.deepEqual(host.items.list('adhoc-command'), [])
  assert.deepEqual(rig.values(), ['two'])
  rig.bus.emit('config/reloaded')
  await rig.manager.unload('two')
  for (let i = 0; i < 20; i++) await new Promise(setImmediate)
  assert.deepEqual(log, [])
})

test('an unload cancels requests and waits for handlers, but not for ever', async t => {
  const body = `
    ctx.hook('test/request', async (event: any) => {
      try { await ctx.request({}) } catch (error: any) { event.answer = error.message }
    })
    ctx.hook('test/hang', () => new Promise(() => {}))
    ctx.hook('test/late', async (event: any) => {
      await event.until
      event.answer = []
      for (const attempt of [() => ctx.hook('x', () => {}), () => ctx.add('test/value', 'late'), () => ctx.every(1, () => {}),
        () => ctx.defer(() => {}), () => ctx.watch('test/value', {}), () => ctx.iq('get', 'host', 'a', 'b', () => {})]) {
        try { attempt(); event.answer.push('no error') } catch (error: any) { event.answer.push(error.code) }
      }
    })`
  const rig = new Rig(t, {
    files: { 'mod_one/index.ts': moduleText('one', 'one', body) },
    config: 'hosts: { a.example: { modules: { one: {} } } }',
    limits: { drain: 50 },
    outgoing: {
      request: (_iq, _host, { signal }) =>
        new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('cancelled'))))
    }
  })
  await rig.manager.start()
  const requesting = rig.ask('test/request')
  rig.ask('test/hang')
  let finish: () => void = () => undefined
  const late = rig.ask('test/late', { until: new Promise<void>(resolve => (finish = resolve)) })
  assert.equal((await rig.manager.unload('one')).ok, true)
  await requesting.done
  assert.equal(requesting.answer, 'cancelled')
  assert.ok(rig.lines.some(({ text }) => text.includes('2 handlers have not ended after 0.05 s')))
  finish()
  await late.done
  assert.deepEqual(late.answer, Array(6).fill('ERR_MODULE_CLOSED'))
  assert.deepEqual(rig.values(), [])
})

test('a module is loaded where the config has it, or where the operator says', async t => {
  const rig = new Rig(t, {
    files: { ...FILES, 'mod_extra/index.ts': moduleText('extra', 'extra') },
    config: 'hosts: { a.example: { modules: { base: {} } }, b.example: { modules: { base: {} } } }'
  })
  await rig.manager.start()
  assert.equal(
    (await rig.manager.load('base')).message,
    'base runs already on a.example and b.example: reload it to take up changes'
  )
  assert.equal((await rig.manager.unload('base', 'b.example')).message, 'base unloaded on b.example')
  assert.deepEqual(rig.values('a.example'), ['base'])
  assert.equal((await rig.manager.load('base')).message, 'base loaded on b.example')

  assert.equal(
    (await rig.manager.load('extra')).message,
    'the config has extra on no host: say on which one to load it'
  )
  assert.equal((await rig.manager.load('extra', 'c.example')).message, 'there is no host c.example')
  assert.equal((await rig.manager.load('extra', 'b.example')).message, 'extra loaded on b.example')
  assert.equal((await rig.manager.load('extra', '')).message, 'extra loaded on the server')
  assert.equal(
    (await rig.manager.reload('extra')).message,
    'extra reloaded (version 2) on b.example and the server'
  )
  assert.match(
    (await rig.manager.load('nothing', 'a.example')).message,
    /^nothing was not loaded: there is no module 'nothing'; no mod_nothing is in the module folders/
  )
})

test('a guard that cannot be loaded refuses what it guards, until an operator unloads it', async t => {
  const guard = (body = ''): string => moduleText('one', 'one', body, `guards: ['pre-message', 'pre-iq'],`)
  const rig = new Rig(t, {
    files: { 'mod_one/index.ts': guard() },
    config: 'hosts: { a.example: { modules: { one: {} } } }'
  })
  await rig.manager.start()
  const { hooks } = rig.host()
  assert.equal(hooks.refusedBy('pre-iq'), undefined)
  await rig.manager.unload('one')
  assert.equal(hooks.refusedBy('pre-iq'), undefined)

  rig.write({ 'mod_one/index.ts': guard(`throw new Error('broken')`) })
  assert.equal((await rig.manager.load('one')).ok, false)
  assert.equal(rig.manager.list()[0]?.state, 'failed')
  assert.match(rig.manager.list()[0]?.error ?? '', /mod_one\/index\.ts:10: broken/)
  assert.equal(hooks.refusedBy('pre-iq'), 'one')
  assert.throws(() => rig.ask('pre-message'), { name: 'StanzaError', condition: 'service-unavailable' })

  await rig.manager.unload('one')
  assert.equal(hooks.refusedBy('pre-iq'), undefined)
  assert.equal(hooks.refusedBy('pre-message'), undefined)
})

test('modules reach each other across hosts and on the server', async t => {
  const rig = new Rig(t, {
    files: {
      'mod_base/index.ts': moduleText('base', 'base', `return { where: () => ctx.host.name }`),
      'mod_user/index.ts': moduleText(
        'user',
        'user',
        `const there = ctx.use('base', { host: 'b.example' })
        const near = ctx.use('base')
        ctx.hook('test/where', (event: any) => { event.answer = [near.where(), there.available && there.where()] })`,
        `dependencies: ['base'],`
      )
    },
    config:
      'modules: { base: {} }\nhosts: { a.example: { modules: { base: false, user: {} } }, b.example: {} }'
  })
  await rig.manager.start()
  assert.deepEqual(rig.ask('test/where').answer, ['', 'b.example'])
  assert.equal(
    (await rig.manager.unload('base', 'b.example')).message,
    'base was not unloaded: user on a.example needs it'
  )
  assert.equal(
    (await rig.manager.unload('base', '')).message,
    'base was not unloaded: user on a.example needs it'
  )

  rig.write({ 'mod_user/index.ts': moduleText('user', 'user', `ctx.use('base', { host: 'c.example' })`) })
  assert.match(
    (await rig.manager.reload('user')).message,
    /:10: base is not enabled on c\.example, or use it with \{ optional: true \}/
  )
  rig.write({ 'mod_user/index.ts': moduleText('user', 'user', `ctx.use('nobody')`) })
  assert.match(
    (await rig.manager.reload('user')).message,
    /:10: nobody is not running; list it in 'dependencies'/
  )
})
