import assert from 'node:assert/strict'
import test from 'node:test'
import { StanzaError } from '../../../core/errors'
import type { Element } from '../../../core/xml/element'
import { el } from '../../../core/xml/element'
import { moduleText, Rig, type RigOptions } from './rig'

const CONFIG = 'hosts: { a.example: { modules: { one: {} } } }'

async function start(t: test.TestContext, body: string, more: Partial<RigOptions> = {}): Promise<Rig> {
  const rig = new Rig(t, {
    files: { 'mod_one/index.ts': moduleText('one', 'one', body) },
    config: CONFIG,
    ...more
  })
  await rig.manager.start()
  return rig
}

/** An iq on its way, as far as `ctx.iq` looks at it. */
function iq(rig: Rig, name: string): { replies: (Element | undefined)[]; result: unknown } {
  const replies: (Element | undefined)[] = []
  const stanza = el('iq', { type: 'get', id: '1' }, el(name, 'urn:test'))
  const event = { owner: undefined, stanza, reply: (payload?: Element) => replies.push(payload) }
  return { replies, result: rig.host().hooks.run(`iq-get/host urn:test ${name}`, event) }
}

test('ctx.iq answers with what the handler returns, at once or later; what it throws goes to the router', async t => {
  const rig = await start(
    t,
    `ctx.iq('get', 'host', 'urn:test', 'now', (event: any, child: any) => child)
    ctx.iq('get', 'host', 'urn:test', 'later', async (event: any, child: any) => { await null; return child })
    ctx.iq('get', 'host', 'urn:test', 'nothing', () => undefined)
    ctx.iq('get', 'host', 'urn:test', 'refused', () => { throw new Error('refused') })
    ctx.iq('get', 'host', 'urn:test', 'refused-later', () => Promise.reject(new Error('refused')))
    const remove = ctx.iq('get', 'host', 'urn:test', 'removed', () => undefined)
    remove()`
  )
  const now = iq(rig, 'now')
  assert.equal(now.replies[0]?.name, 'now')
  assert.equal(now.result, Symbol.for('balcony.handled'))
  const later = iq(rig, 'later')
  assert.equal(later.replies.length, 0)
  assert.equal(await later.result, Symbol.for('balcony.handled'))
  assert.equal(later.replies[0]?.name, 'later')
  assert.deepEqual(iq(rig, 'nothing').replies, [undefined])
  assert.throws(() => iq(rig, 'refused'), /refused/)
  await assert.rejects(async () => iq(rig, 'refused-later').result, /refused/)
  assert.equal(rig.host().hooks.has('iq-get/host urn:test removed'), false)
})

test('one module cannot answer the same iq twice', async t => {
  const once = `ctx.iq('get', 'host', 'urn:test', 'x', () => undefined)`
  const rig = new Rig(t, {
    files: { 'mod_one/index.ts': moduleText('one', 'one', `${once}\n${once}`) },
    config: CONFIG
  })
  await assert.rejects(
    rig.manager.start(),
    /iq-get\/host urn:test x is answered by one already \(ERR_IQ_TAKEN\)/
  )

  const later = await start(t, `${once}\nctx.hook('test/again', () => { ${once} })`)
  assert.throws(() => later.ask('test/again'), { code: 'ERR_IQ_TAKEN' })
})

test('what a callback throws, or its promise, is logged with module and host, and goes no further', async t => {
  const rig = await start(
    t,
    `ctx.on('config/reloaded', () => { throw new Error('in a listener') })
    ctx.on('config/reloaded', async () => { throw new Error('in a late listener') })
    ctx.watch('test/value', { added () { throw new Error('in a watcher') } })
    ctx.after(0, () => { throw new Error('in a timer') })
    ctx.after(0, async () => { throw new Error('in a late timer') })
    ctx.after(1, () => ctx.add('disco-feature', 'done'))`
  )
  rig.bus.emit('config/reloaded')
  while (rig.host().items.list('disco-feature').length === 0) await new Promise(setImmediate)
  const errors = rig.lines.filter(({ level }) => level === 'error').map(({ text }) => text)
  for (const where of ['listener', 'late listener', 'watcher', 'timer', 'late timer']) {
    assert.ok(
      errors.some(text => text.startsWith('one a.example: ') && text.endsWith(`Error: in a ${where}`)),
      where
    )
  }
})

test('a tick is not overtaken by the next; timers end when they are told to', async t => {
  const log: string[] = []
  let finish: () => void = () => undefined
  const until = new Promise<void>(resolve => (finish = resolve))
  await start(
    t,
    `const end = ctx.every(1, async () => { ctx.db.log.push('slow'); await ctx.db.until; end() })
    let n = 0
    const fast = ctx.every(1, () => { ctx.db.log.push('fast'); if (++n === 3) fast() })
    ctx.after(1, () => ctx.db.log.push('cancelled'))()`,
    { db: { log, until } as object }
  )
  while (log.filter(line => line === 'fast').length < 3) await new Promise(setImmediate)
  assert.equal(log.filter(line => line === 'slow').length, 1)
  finish()
  for (let i = 0; i < 50; i++) await new Promise(setImmediate)
  assert.deepEqual([...new Set(log)].sort(), ['fast', 'slow'])
  assert.equal(log.length, 4)
})

test('an interval that no timer can wait is refused instead of firing at once', async t => {
  const rig = await start(
    t,
    `ctx.hook('test/timer', (event: any) => {
      event.answer = [2 ** 31, -1, NaN].map(ms => { try { ctx.after(ms, () => {}); return 'set' } catch (error: any) { return error.code } })
    })`
  )
  assert.deepEqual(rig.ask('test/timer').answer, Array(3).fill('ERR_MODULE_TIMER'))
})

test('requests go out from the host with time limit and signal; one that nobody awaits harms nobody', async t => {
  const asked: unknown[] = []
  const rig = await start(
    t,
    `ctx.hook('test/request', async (event: any) => {
      ctx.request({ dropped: true })
      try { await ctx.request({}, { timeout: 5 }) } catch (error: any) { event.answer = error.condition }
    })
    ctx.hook('test/send', () => ctx.send('a stanza'))`,
    {
      outgoing: {
        send: (stanza, host) => asked.push([stanza, host.name]),
        request: (_iq, host, { timeout, signal }) => {
          asked.push([host.name, timeout, signal?.aborted])
          return Promise.reject(new StanzaError('item-not-found'))
        }
      }
    }
  )
  const request = rig.ask('test/request')
  await request.done
  assert.equal(request.answer, 'item-not-found')
  rig.ask('test/send')
  assert.deepEqual(asked, [
    ['a.example', undefined, false],
    ['a.example', 5, false],
    ['a stanza', 'a.example']
  ])
})

test('stores, items, chains and the server are those of the host', async t => {
  const stores: unknown[] = []
  const rig = await start(
    t,
    `ctx.store('words', null, { owner: 'user' })
    ctx.hook('test/inner', (event: any) => { event.answer = ctx.items('test/value'); return HANDLED })
    ctx.hook('test/outer', (event: any) => ctx.run('test/inner', event))
    ctx.hook('test/server', (event: any) => { event.answer = [ctx.server.isLocal('a.example'), ctx.server.version, ctx.server.modules.list().length] })`,
    {
      db: { store: (...args: unknown[]) => (stores.push(args), {}) } as object
    }
  )
  assert.deepEqual(stores, [['a.example', 'one', 'words', null, { owner: 'user' }]])
  assert.deepEqual(rig.ask('test/outer').answer, ['one'])
  assert.deepEqual(rig.ask('test/server').answer, [true, '1.2.3', 1])
})

test('an ad-hoc command keeps its module from being taken away under it', async t => {
  let finish: () => void = () => undefined
  const until = new Promise<void>(resolve => (finish = resolve))
  const rig = await start(
    t,
    `ctx.adhoc({
      node: 'n', name: 'N', access: 'any',
      stages: [{ form: () => ({ title: 'form' }), check: () => undefined }],
      finish: async () => { await ctx.db.until; ctx.db.log.push('finished') }
    })
    ctx.defer(() => { ctx.db.log.push('released') })`,
    { db: { until, log: [] as string[] } as object, limits: { drain: 60_000 } }
  )
  const [command] = rig.host().items.list('adhoc-command')
  assert.deepEqual(command?.stages[0]?.form({}, {} as never), { title: 'form' })
  assert.equal(command?.stages[0]?.check?.({}, {} as never), undefined)
  const done = Promise.resolve(command?.finish({}, {} as never))
  const unloading = rig.manager.unload('one')
  await new Promise(setImmediate)
  assert.deepEqual(rig.host().items.list('adhoc-command'), [])
  finish()
  await Promise.all([done, unloading])
  assert.deepEqual((rig.db as unknown as { log: string[] }).log, ['finished', 'released'])
})

test('an event whose name is misspelt is a fault at load, with its line; one of a module that is away is none', async t => {
  const starts = (body: string, more = ''): Promise<void> =>
    new Rig(t, {
      files: { 'mod_one/index.ts': moduleText('one', 'one', body, more) },
      config: CONFIG
    }).manager.start()
  await assert.rejects(
    starts(`ctx.hook('presence/hots', () => undefined)`),
    /there is no event 'presence\/hots'; did you mean "presence\/host"\? .*ERR_EVENT_UNKNOWN/s
  )
  // Declared by the module itself, or by another one
  const declares = `ctx.add('event', { name: 'test/came', when: '', payload: '', async: 'yes', handled: '' })`
  await assert.rejects(
    starts(`${declares}\nctx.hook('test/camee', () => undefined)`),
    /did you mean "test\/came"\?/
  )
  await starts(`${declares}\nctx.hook('test/came', () => undefined)`)
  await starts(`ctx.hook('elsewhere/happened', () => undefined)`)
  assert.throws(
    () => starts('', `guards: ['pre-mesage'],`),
    /guards: there is no event 'pre-mesage'; did you mean "pre-message"/
  )
})
