import assert from 'node:assert/strict'
import test from 'node:test'
import { SenderQueue } from '../../../core/routing/queue'
import { moduleText, Rig } from './rig'

const ON_ONE = 'hosts: { a.example: { modules: { one: {} } } }'
const ON_TWO = 'hosts: { a.example: { modules: { one: {} } }, b.example: { modules: { one: {} } } }'

/** Counts what it is asked, and hands the count on. */
const COUNTER = `
    let n = saved ?? 0
    ctx.save(() => n)
    ctx.hook('test/count', (event: any) => { event.answer = ++n; return HANDLED })`

function counter(value: string, extra = ''): string {
  return moduleText('one', value, COUNTER + extra)
}

test('a swap puts the new code in place, with the state of the old, nested edits and libraries', async t => {
  const withNested = (text: string): string =>
    `import { word } from './deep/word'\nimport { lib } from '../lib_word'\n${text}`.replace(
      `'test/value', "v"`,
      `'test/value', word + lib`
    )
  const rig = new Rig(t, {
    files: {
      'mod_one/index.ts': withNested(counter('v')),
      'mod_one/deep/word.ts': `export const word = 'old '`,
      'lib_word/index.ts': `export const lib = 'old'`
    },
    config: ON_ONE
  })
  await rig.manager.start()
  rig.ask('test/count')
  assert.equal(rig.ask('test/count').answer, 2)
  rig.write({
    'mod_one/deep/word.ts': `export const word = 'new '`,
    'lib_word/index.ts': `export const lib = 'new'`
  })
  const report = await rig.manager.reload('one')
  assert.deepEqual(report, { ok: true, message: 'one reloaded (version 2) on a.example' })
  assert.deepEqual(rig.values(), ['new new'])
  assert.equal(rig.ask('test/count').answer, 3)
  assert.equal(rig.manager.list()[0]?.version, 2)
  assert.equal(rig.host().hooks.list().length, 1)
})

const REFUSED: { what: string; text: (old: string) => string; says: (file: string) => string }[] = [
  { what: 'a syntax error', text: () => '\n\nlet a = ;', says: file => `${file}:3:9: Unexpected token` },
  {
    what: 'code that throws when it is loaded',
    text: old => `${old}\nnull.x`,
    says: file => `${file}:17: TypeError: Cannot read properties of null (reading 'x')`
  },
  {
    what: 'a setup that throws',
    text: () => counter('new', `\n\nthrow new Error('boom')`),
    says: file => `one on a.example: ${file}:15: boom`
  },
  {
    what: 'a setup that fails later',
    text: () => counter('new', `\n\nreturn (async () => { await null; throw new Error('boom') })()`),
    says: file => `one on a.example: ${file}:15: boom`
  },
  {
    what: 'a setup that hangs',
    text: () => counter('new', `\nreturn new Promise(() => {})`),
    says: () => 'one on a.example: its setup has not ended after 0.3 s'
  },
  {
    what: 'a config that no longer fits',
    text: old => old.replace(`z.string().default('')`, 'z.number()'),
    says: () => 'test.yaml:1:47  hosts["a.example"].modules.one.word: expected a number, got "hello"'
  },
  {
    what: 'another name',
    text: old => old.replace(`name: 'one'`, `name: 'two'`),
    says: file => `${file}: its name is 'two', its folder says 'one': they must be equal`
  },
  {
    what: 'a host that it no longer runs on',
    text: old => old.replace(`'virtual', 'component', `, ''),
    says: () => 'one cannot run on a.example, which is a virtual host: it runs on server'
  },
  {
    what: 'a need for what is not there',
    text: old => old.replace('setup (', `dependencies: ['nothing'], setup (`),
    says: () =>
      'one on a.example needs nothing, which is not enabled on a.example or on the server: add it to the config'
  },
  {
    what: 'an iq that another module answers',
    text: () => counter('new', `\nctx.iq('get', 'host', 'urn:x', 'query', () => undefined)`),
    says: file => `one on a.example: ${file}:14: iq-get/host urn:x query is answered by other already`
  }
]

for (const { what, text, says } of REFUSED) {
  test(`the version before runs on, and the reason is told: ${what}`, async t => {
    const rig = new Rig(t, {
      files: {
        'mod_one/index.ts': counter('old'),
        'mod_other/index.ts': moduleText(
          'other',
          'other',
          `ctx.iq('get', 'host', 'urn:x', 'query', () => undefined)`
        )
      },
      config: 'hosts: { a.example: { modules: { one: { word: hello }, other: {} } } }'
    })
    await rig.manager.start()
    rig.ask('test/count')
    rig.write({ 'mod_one/index.ts': text(counter('old')) })
    const report = await rig.manager.reload('one')
    assert.equal(report.ok, false)
    assert.equal(
      report.message,
      `one was not reloaded: ${says(rig.file('mod_one/index.ts'))}; version 1 goes on running`
    )
    assert.deepEqual(rig.values().sort(), ['old', 'other'])
    assert.equal(rig.ask('test/count').answer, 2)
    assert.ok(rig.gate.open)
    const [status] = rig.manager.list()
    assert.equal(status?.state, 'running')
    assert.match(status?.error ?? '', /^not reloaded: /)

    rig.write({ 'mod_one/index.ts': counter('repaired') })
    assert.equal((await rig.manager.reload('one')).ok, true)
    assert.deepEqual(rig.values().sort(), ['other', 'repaired'])
    assert.equal(rig.ask('test/count').answer, 3)
    assert.equal(rig.manager.list()[0]?.error, undefined)
  })
}

test('on all its hosts or on none', async t => {
  const rig = new Rig(t, { files: { 'mod_one/index.ts': counter('old') }, config: ON_TWO })
  await rig.manager.start()
  rig.ask('test/count', {}, 'a.example')
  rig.ask('test/count', {}, 'b.example')
  rig.write({
    'mod_one/index.ts': counter('new', `\nif (ctx.host.name === 'b.example') throw new Error('not here')`)
  })
  const report = await rig.manager.reload('one')
  assert.equal(report.ok, false)
  assert.match(report.message, /one on b\.example: .*:14: not here; version 1 goes on running$/)
  for (const host of ['a.example', 'b.example']) {
    assert.deepEqual(rig.values(host), ['old'])
    assert.equal(rig.ask('test/count', {}, host).answer, 2)
  }
  rig.write({ 'mod_one/index.ts': counter('new') })
  assert.equal(
    (await rig.manager.reload('one')).message,
    'one reloaded (version 3) on a.example and b.example'
  )
  assert.deepEqual([...rig.values('a.example'), ...rig.values('b.example')], ['new', 'new'])
})

test('where the version before cannot be started again either, what it guards is refused', async t => {
  const once = `\nif (saved?.again) throw new Error('not twice')\nctx.save(() => ({ again: true }))`
  const rig = new Rig(t, {
    files: { 'mod_one/index.ts': moduleText('one', 'old', once, `guards: ['pre-message'],`) },
    config: ON_TWO
  })
  await rig.manager.start()
  rig.write({
    'mod_one/index.ts': moduleText('one', 'new', `throw new Error('no')`, `guards: ['pre-message'],`)
  })
  const report = await rig.manager.reload('one')
  assert.equal(report.ok, false)
  assert.match(
    report.message,
    /:10: no; it does not run on a\.example \(.*not twice\); it does not run on b\.example/
  )
  assert.deepEqual(
    rig.manager.list().map(one => one.state),
    ['failed', 'failed']
  )
  assert.deepEqual(rig.values(), [])
  assert.equal(rig.host().hooks.refusedBy('pre-message'), 'one')

  rig.write({ 'mod_one/index.ts': moduleText('one', 'new', '', `guards: ['pre-message'],`) })
  assert.equal((await rig.manager.reload('one')).ok, true)
  assert.equal(rig.host().hooks.refusedBy('pre-message'), undefined)
  assert.deepEqual(rig.values('b.example'), ['new'])

  await rig.manager.unload('one')
  assert.equal(rig.host().hooks.refusedBy('pre-message'), undefined)
})

test('what a module hands over must be plain data, and the next version gets a copy', async t => {
  const rig = new Rig(t, {
    files: { 'mod_one/index.ts': counter('old', `\nctx.save(() => ({ list: [1, { fn () {} }] }))`) },
    config: ON_ONE
  })
  await rig.manager.start()
  const report = await rig.manager.reload('one')
  assert.equal(
    report.message,
    'one was not reloaded: the running version cannot hand over its state: TypeError: the saved state.list[1].fn must be ' +
      'plain data, it is a function. Reload it once more to go on without; version 1 goes on running'
  )
  assert.equal(rig.ask('test/count').answer, 1)
  assert.ok(rig.gate.open)
  const again = await rig.manager.reload('one')
  assert.match(
    again.message,
    /^one reloaded \(version 3\) on .*, without what the version before knew, .*a function$/
  )
  // What it counts is not known any more
  assert.equal(rig.ask('test/count').answer, 1)
  assert.match(
    (await rig.manager.reload('one')).message,
    /cannot hand over its state/,
    'asked anew of each version'
  )

  const kept = `\nconst state = saved ?? { list: new Map([[1, new Set(['a'])]]), at: new Date(5) }
    ctx.save(() => state)
    ctx.hook('test/state', (event: any) => { event.answer = state })`
  rig.write({ 'mod_one/index.ts': counter('new', kept) })
  assert.equal((await rig.manager.unload('one')).ok, true)
  assert.equal((await rig.manager.load('one')).ok, true)
  const before = rig.ask('test/state').answer
  rig.write({ 'mod_one/index.ts': counter('newer', `${kept}\nstate.list.clear(); throw new Error('no')`) })
  assert.equal((await rig.manager.reload('one')).ok, false)
  const after = rig.ask('test/state').answer
  assert.notEqual(after, before)
  assert.deepEqual(after, before)
})

const SLOW = `
    ctx.hook('test/slow', async (event: any) => { await event.until; event.answer = '%'; return HANDLED })
    ctx.hook('test/network', async (event: any) => { await ctx.request(event.iq); event.answer = '%'; return HANDLED })`

function slow(value: string): string {
  return moduleText('one', value, SLOW.replaceAll('%', value))
}

function promise<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  return { promise: new Promise<T>(done => (resolve = done)), resolve }
}

test('a handler that computes or stores is waited for; stanzas wait meanwhile, in order', async t => {
  const rig = new Rig(t, {
    files: { 'mod_one/index.ts': slow('old') },
    config: ON_ONE,
    limits: { drain: 5000 }
  })
  await rig.manager.start()
  const until = promise<void>()
  const under = rig.ask('test/slow', { until: until.promise })
  rig.write({ 'mod_one/index.ts': slow('new') })
  const reloading = rig.manager.reload('one')
  await new Promise(setImmediate)
  assert.equal(rig.gate.open, false)

  const handled: string[] = []
  const queue = (): SenderQueue<string> =>
    new SenderQueue(
      {
        handle: item => void handled.push(`${item} ${rig.values()[0]}`),
        joins: () => false,
        full: () => undefined
      },
      rig.gate,
      { count: 10, bytes: 1000 }
    )
  const [juliet, romeo] = [queue(), queue()]
  juliet.push('juliet 1', 1)
  romeo.push('romeo 1', 1)
  juliet.push('juliet 2', 1)
  assert.deepEqual(handled, [])
  until.resolve()
  await reloading
  await under.done
  assert.equal(under.answer, 'old')
  assert.deepEqual(handled, ['juliet 1 new', 'juliet 2 new', 'romeo 1 new'])
})

test('one that takes too long finishes on the old code, and is named', async t => {
  const rig = new Rig(t, {
    files: { 'mod_one/index.ts': slow('old') },
    config: ON_ONE,
    limits: { drain: 20 }
  })
  await rig.manager.start()
  const until = promise<void>()
  const under = rig.ask('test/slow', { until: until.promise })
  rig.write({ 'mod_one/index.ts': slow('new') })
  assert.equal((await rig.manager.reload('one')).ok, true)
  assert.deepEqual(rig.values(), ['new'])
  assert.ok(
    rig.lines.some(
      ({ level, text }) => level === 'warn' && text.startsWith('one a.example: 1 handlers are still at work')
    )
  )
  until.resolve()
  await under.done
  assert.equal(under.answer, 'old')
  const next = rig.ask('test/slow', { until: Promise.resolve() })
  await next.done
  assert.equal(next.answer, 'new')
})

test('one that waits for the network is not waited for, and gets its answer on the old code', async t => {
  const answer = promise<never>()
  let signal: AbortSignal | undefined
  const rig = new Rig(t, {
    files: { 'mod_one/index.ts': slow('old') },
    config: ON_ONE,
    limits: { drain: 60_000 },
    outgoing: {
      request: (_iq, _host, options) => {
        signal = options.signal
        return answer.promise
      }
    }
  })
  await rig.manager.start()
  const under = rig.ask('test/network')
  rig.write({ 'mod_one/index.ts': slow('new') })
  assert.equal((await rig.manager.reload('one')).ok, true)
  assert.deepEqual(rig.values(), ['new'])
  assert.equal(signal?.aborted, false)
  answer.resolve(undefined as never)
  await under.done
  assert.equal(under.answer, 'old')
  await new Promise(setImmediate)
  assert.equal(signal?.aborted, true, 'its scope is closed after the last handler')
})

test('one that waits for the network through another module is not waited for either', async t => {
  const answer = promise<never>()
  const rig = new Rig(t, {
    files: {
      'mod_one/index.ts': moduleText(
        'one',
        'old',
        `ctx.hook('test/ask', async (event: any) => { event.answer = await ctx.use('asker').ask() })`
      ),
      'mod_asker/index.ts': moduleText(
        'asker',
        'asker',
        `return { ask: async () => { await null; await ctx.request({}); return 'answered' } }`
      )
    },
    config: 'hosts: { a.example: { modules: { asker: {}, one: {} } } }',
    limits: { drain: 60_000 },
    outgoing: { request: () => answer.promise }
  })
  await rig.manager.start()
  const under = rig.ask('test/ask')
  assert.equal((await rig.manager.reload('one')).ok, true)
  assert.equal((await rig.manager.reload('asker')).ok, true)
  answer.resolve(undefined as never)
  await under.done
  assert.equal(under.answer, 'answered')
})

test('under traffic nothing is lost, nothing handled twice, and every sender keeps its order', async t => {
  const text = (n: number): string =>
    moduleText(
      'one',
      `version ${n}`,
      `let count = saved ?? 0
      ctx.save(() => count)
      ctx.hook('test/traffic', async (event: any) => {
        for (let i = 0; i < event.n % 3; i++) await null
        if (event.n % 11 === 0) await new Promise(resolve => ctx.after(0, resolve))
        if (event.n % 5 === 0) await ctx.request({})
        count++
        event.told()
        return HANDLED
      })
      ctx.hook('test/count', (event: any) => { event.answer = count })`
    )
  const rig = new Rig(t, {
    files: { 'mod_one/index.ts': text(0) },
    config: ON_ONE,
    limits: { drain: 60_000 },
    outgoing: {
      request: () => new Promise<never>(resolve => setImmediate(() => resolve(undefined as never)))
    }
  })
  await rig.manager.start()
  const senders = Array.from({ length: 20 }, () => {
    const handled: number[] = []
    const queue = new SenderQueue<number>(
      {
        handle: n => rig.ask('test/traffic', { n, told: () => handled.push(n) }).done,
        joins: () => false,
        full: () => undefined
      },
      rig.gate,
      { count: 10_000, bytes: 1_000_000 }
    )
    return { handled, queue }
  })
  const each = 150
  const sending = (async () => {
    for (let n = 0; n < each; n++) {
      for (const { queue } of senders) queue.push(n, 10)
      await new Promise(setImmediate)
    }
  })()
  for (let n = 1; n <= 40; n++) {
    rig.write({ 'mod_one/index.ts': text(n) })
    assert.equal((await rig.manager.reload('one')).message, `one reloaded (version ${n + 1}) on a.example`)
  }
  await sending
  while (senders.some(({ handled }) => handled.length < each)) await new Promise(setImmediate)
  const expected = Array.from({ length: each }, (_, n) => n)
  for (const { handled } of senders) assert.deepEqual(handled, expected)
  assert.deepEqual(
    rig.lines.filter(({ level }) => level === 'error' || level === 'warn'),
    []
  )
})

test('a handler may reload its own module, or the one whose handler waits for it', async t => {
  const asks = `
    ctx.hook('test/reload', async (event: any) => {
      event.report = await ctx.server.modules.reload('one', event)
      event.answer = '%'
      return HANDLED
    })
    ctx.hook('test/through', async (event: any) => { await ctx.use('helper').reload(event); event.answer = '%' })`
  const helper = `return { reload: async (event: any) => { event.report = await ctx.server.modules.reload('one', event) } }`
  const rig = new Rig(t, {
    files: {
      'mod_one/index.ts': moduleText('one', 'old', asks.replaceAll('%', 'old')),
      'mod_helper/index.ts': moduleText('helper', 'helper', helper)
    },
    config: 'hosts: { a.example: { modules: { helper: {}, one: {} } } }',
    limits: { drain: 60_000 }
  })
  await rig.manager.start()
  rig.write({ 'mod_one/index.ts': moduleText('one', 'new', asks.replaceAll('%', 'new')) })
  const own = rig.ask('test/reload')
  await own.done
  assert.deepEqual(
    [own.answer, own.report],
    ['old', { ok: true, message: 'one reloaded (version 2) on a.example' }]
  )
  assert.deepEqual(rig.values(), ['helper', 'new'])
  const through = rig.ask('test/through')
  await through.done
  assert.deepEqual(
    [through.answer, through.report],
    ['new', { ok: true, message: 'one reloaded (version 3) on a.example' }]
  )
})

test('what is deferred runs before the next setup, newest first, and says why', async t => {
  const body = (value: string): string => `
    ctx.db.log.push('setup ${value}')
    ctx.defer(({ why }: any) => { ctx.db.log.push('first ${value} ' + why) })
    ctx.defer(async ({ why }: any) => { await null; ctx.db.log.push('second ${value} ' + why) })
    ctx.defer(() => { throw new Error('cannot let go') })`
  const log: string[] = []
  const rig = new Rig(t, {
    files: { 'mod_one/index.ts': moduleText('one', 'old', body('old')) },
    config: ON_ONE,
    db: { log } as object
  })
  await rig.manager.start()
  rig.write({ 'mod_one/index.ts': moduleText('one', 'new', body('new')) })
  assert.equal((await rig.manager.reload('one')).ok, true)
  await rig.manager.unload('one')
  assert.deepEqual(log, [
    'setup old',
    'second old swap',
    'first old swap',
    'setup new',
    'second new unload',
    'first new unload'
  ])
  assert.equal(rig.lines.filter(({ text }) => text.includes('cannot let go')).length, 2)
})

test('timers do not fire while their module is swapped, and only those of the version that runs', async t => {
  const body = (value: string): string => `
    ctx.after(5, () => { ctx.db.log.push('${value}') })
    ctx.save(() => ctx.db.state)
    if (ctx.db.fail && '${value}' === 'new') return new Promise(() => {})`
  const log: string[] = []
  const db = { log, fail: false, state: undefined as unknown }
  const rig = new Rig(t, {
    files: { 'mod_one/index.ts': moduleText('one', 'old', body('old')) },
    config: ON_ONE,
    db: db as object
  })
  await rig.manager.start()
  rig.write({ 'mod_one/index.ts': moduleText('one', 'new', body('new')) })
  // State that cannot be handed over: the old version goes on with its timers
  db.state = () => undefined
  assert.equal((await rig.manager.reload('one')).ok, false)
  db.state = undefined
  const fired = async (count: number): Promise<void> => {
    while (log.length < count) await new Promise(setImmediate)
  }
  await fired(1)
  assert.deepEqual(log, ['old'])
  assert.equal((await rig.manager.reload('one')).ok, true)
  await fired(2)
  assert.deepEqual(log, ['old', 'new'])
})

test('among equal priorities a swapped module keeps its place', async t => {
  const hook = (value: string): string =>
    `ctx.hook('test/order', (event: any) => { event.answer = [...(event.answer ?? []), '${value}'] })`
  const rig = new Rig(t, {
    files: {
      'mod_one/index.ts': moduleText('one', 'one', hook('one')),
      'mod_two/index.ts': moduleText('two', 'two', hook('two'))
    },
    config: 'hosts: { a.example: { modules: { one: {}, two: {} } } }'
  })
  await rig.manager.start()
  assert.deepEqual(rig.ask('test/order').answer, ['one', 'two'])
  await rig.manager.reload('one')
  assert.deepEqual(rig.ask('test/order').answer, ['one', 'two'])
  await rig.manager.unload('one')
  await rig.manager.load('one')
  assert.deepEqual(rig.ask('test/order').answer, ['one', 'two'])
})

test('who depends on it keeps running: handles find the new version, watchers see items go and come', async t => {
  const offers = (value: string): string =>
    `return { word: (s: string) => s + ' ${value}', later: async () => '${value}', data: 5 }`
  const user = `
    const one = ctx.use('one')
    ctx.watch('test/value', {
      added: (item: string) => { ctx.db.log.push('+' + item) },
      removed: (item: string) => { ctx.db.log.push('-' + item); throw new Error('caught') }
    })
    ctx.hook('test/use', async (event: any) => {
      event.answer = [one.available, one.word('hello'), await one.later(), typeof one.then, typeof one[Symbol.iterator]]
    })`
  const log: string[] = []
  const rig = new Rig(t, {
    files: {
      'mod_one/index.ts': moduleText('one', 'old', offers('old')),
      'mod_user/index.ts': moduleText('user', 'user', user, `dependencies: ['one'],`)
    },
    config: 'hosts: { a.example: { modules: { user: {}, one: {} } } }',
    db: { log } as object
  })
  await rig.manager.start()
  const use = async (): Promise<unknown> => {
    const asked = rig.ask('test/use')
    await asked.done
    return asked.answer
  }
  assert.deepEqual(await use(), [true, 'hello old', 'old', 'undefined', 'undefined'])
  rig.write({ 'mod_one/index.ts': moduleText('one', 'new', offers('new')) })
  assert.equal((await rig.manager.reload('one')).ok, true)
  assert.deepEqual(await use(), [true, 'hello new', 'new', 'undefined', 'undefined'])
  assert.deepEqual(log, ['+old', '+user', '-old', '+new'])
})

test('the version before answers calls until the next one has taken effect', async t => {
  const go = promise<void>()
  const rig = new Rig(t, {
    files: {
      'mod_one/index.ts': moduleText('one', 'old', `return { word: () => 'old' }`),
      'mod_user/index.ts': moduleText(
        'user',
        'user',
        `const one = ctx.use('one', { optional: true }); ctx.hook('test/use', (event: any) => { event.answer = one.word() })`
      )
    },
    config: 'hosts: { a.example: { modules: { user: {}, one: {} } } }',
    db: { go: go.promise } as object
  })
  await rig.manager.start()
  rig.write({
    'mod_one/index.ts': moduleText('one', 'new', `return ctx.db.go.then(() => ({ word: () => 'new' }))`)
  })
  const reloading = rig.manager.reload('one')
  await new Promise(setImmediate)
  assert.equal(rig.gate.open, false)
  assert.equal(rig.ask('test/use').answer, 'old')
  assert.deepEqual(rig.values(), ['user', 'old'])
  go.resolve()
  assert.equal((await reloading).ok, true)
  assert.equal(rig.ask('test/use').answer, 'new')
})

test('reloads that are asked for together are done one after another', async t => {
  const rig = new Rig(t, { files: { 'mod_one/index.ts': counter('v') }, config: ON_TWO })
  await rig.manager.start()
  const reports = await Promise.all([1, 2, 3, 4].map(() => rig.manager.reload('one')))
  assert.deepEqual(
    reports.map(({ message }) => message),
    [2, 3, 4, 5].map(n => `one reloaded (version ${n}) on a.example and b.example`)
  )
  assert.equal(rig.host().hooks.list().length, 1)
})

test('the migrations of the new version run first; when they fail, nothing is swapped', async t => {
  let fail = false
  const rig = new Rig(t, {
    files: { 'mod_one/index.ts': counter('old') },
    config: ON_ONE,
    db: { migrate: () => (fail ? Promise.reject(new Error('disk full')) : Promise.resolve({ ran: ['001'] })) }
  })
  await rig.manager.start()
  rig.write({ 'mod_one/index.ts': counter('new'), 'mod_one/migrations/001.ts': '' })
  fail = true
  assert.equal(
    (await rig.manager.reload('one')).message,
    'one was not reloaded: one: disk full; version 1 goes on running'
  )
  fail = false
  assert.equal((await rig.manager.reload('one')).ok, true)
  assert.deepEqual(rig.values(), ['new'])
})

test('a reload that would make modules wait for each other is refused', async t => {
  const rig = new Rig(t, {
    files: {
      'mod_one/index.ts': moduleText('one', 'one'),
      'mod_two/index.ts': moduleText('two', 'two', '', `dependencies: ['one'],`)
    },
    config: 'hosts: { a.example: { modules: { one: {}, two: {} } } }'
  })
  await rig.manager.start()
  rig.write({ 'mod_one/index.ts': moduleText('one', 'new', '', `dependencies: ['two'],`) })
  const report = await rig.manager.reload('one')
  assert.match(report.message, /modules wait for each other: one -> two -> one; version 1 goes on/)
})

test('a module that is not there, or not loaded, is not reloaded', async t => {
  const rig = new Rig(t, { files: { 'mod_one/index.ts': counter('v') }, config: ON_ONE })
  await rig.manager.start()
  assert.deepEqual(await rig.manager.reload('nothing'), { ok: false, message: 'nothing is not loaded' })
  await rig.manager.unload('one')
  assert.deepEqual(await rig.manager.reload('one'), { ok: false, message: 'one is not loaded' })
})
