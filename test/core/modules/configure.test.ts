import assert from 'node:assert/strict'
import test from 'node:test'
import type { ConfigureReport } from '../../../core/modules/configure'
import { moduleText, Rig } from './rig'

const TAKES = `
    ctx.hook('test/config', (event: any) => { event.answer = ctx.config.word })
    ctx.reconfigure((config: any, old: any) => {
      if (config.word === 'throw') throw new Error('not that word')
      ctx.db.log.push(old.word + '>' + config.word)
      return config.word !== 'reload me'
    })`

function rigFor(
  t: test.TestContext,
  config: string,
  files: Record<string, string> = {}
): { rig: Rig; log: string[] } {
  const log: string[] = []
  const rig = new Rig(t, {
    files: {
      'mod_one/index.ts': moduleText('one', 'one', TAKES),
      'mod_two/index.ts': moduleText(
        'two',
        'two',
        `ctx.hook('test/two', (event: any) => { event.answer = [ctx.config.word, saved] }); ctx.save(() => 'state')`
      ),
      'mod_needs/index.ts': moduleText('needs', 'needs', '', `dependencies: ['one'],`),
      ...files
    },
    config,
    db: { log } as object
  })
  return { rig, log }
}

function configure(rig: Rig, text: string): Promise<ConfigureReport> {
  return rig.manager.configure(rig.read(text))
}

test('changed options are handed over, or the module is swapped; what is gone is stopped, what is new started', async t => {
  const { rig, log } = rigFor(t, 'hosts: { a.example: { modules: { one: { word: a }, two: { word: a } } } }')
  await rig.manager.start()
  assert.deepEqual(
    await configure(rig, 'hosts: { a.example: { modules: { one: { word: b }, two: { word: b } } } }'),
    {
      applied: ['one on a.example: options changed', 'two on a.example: restarted with changed options'],
      failed: []
    }
  )
  assert.equal(rig.ask('test/config').answer, 'b')
  assert.deepEqual(rig.ask('test/two').answer, ['b', 'state'])
  assert.deepEqual(log, ['a>b'])

  assert.deepEqual(
    await configure(
      rig,
      'hosts: { a.example: { modules: { one: { word: b }, needs: {} } }, b.example: { modules: { one: {} } } }'
    ),
    {
      applied: ['two on a.example: stopped', 'needs on a.example: started', 'one on b.example: started'],
      failed: []
    }
  )
  assert.deepEqual(rig.values('a.example'), ['one', 'needs'])
  assert.deepEqual(rig.values('b.example'), ['one'])

  assert.deepEqual(await configure(rig, 'hosts: { b.example: { modules: { one: {} } } }'), {
    applied: ['needs on a.example: stopped', 'one on a.example: stopped'],
    failed: []
  })
  assert.deepEqual(
    rig.manager.list().map(({ host, name }) => `${host} ${name}`),
    ['b.example one']
  )
  assert.deepEqual(await configure(rig, 'hosts: { b.example: { modules: { one: {} } } }'), {
    applied: [],
    failed: []
  })
})

test('options that a module does not take leave it with those it had', async t => {
  const { rig } = rigFor(t, 'hosts: { a.example: { modules: { one: { word: a } } } }')
  await rig.manager.start()
  const report = await configure(rig, 'hosts: { a.example: { modules: { one: { word: throw } } } }')
  assert.deepEqual(report, {
    applied: [],
    failed: [`one on a.example: ${rig.file('mod_one/index.ts')}:13: not that word`]
  })
  assert.equal(rig.ask('test/config').answer, 'a')

  assert.deepEqual(
    (await configure(rig, 'hosts: { a.example: { modules: { one: { word: reload me } } } }')).applied,
    ['one on a.example: restarted with changed options']
  )
  assert.equal(rig.ask('test/config').answer, 'reload me')
})

test('nothing is changed when something that is to start is wrong, or something that is to stop is needed', async t => {
  const { rig } = rigFor(t, 'hosts: { a.example: { modules: { one: {}, two: {} } } }', {
    'mod_lost/index.ts': moduleText('lost', 'lost', '', `dependencies: ['nobody'],`)
  })
  await rig.manager.start()
  const lost = await configure(rig, 'hosts: { a.example: { modules: { one: { word: b }, lost: {} } } }')
  assert.deepEqual(lost.applied, [])
  assert.match(lost.failed.join(), /^lost on a\.example needs nobody/)
  assert.deepEqual(rig.values(), ['one', 'two'])
  assert.equal(rig.ask('test/config').answer, '')

  // Loaded by hand, it needs what the config takes away
  await rig.manager.load('needs', 'a.example')
  const needed = await configure(rig, 'hosts: { a.example: { modules: { two: {} } } }')
  assert.deepEqual(needed, {
    applied: [],
    failed: ['one on a.example cannot be turned off: needs on a.example needs it']
  })
  assert.deepEqual(rig.values(), ['one', 'two', 'needs'])
})

test('a module that fails to start is told; the rest is applied, and the next time it is tried again', async t => {
  const { rig } = rigFor(t, 'hosts: { a.example: { modules: { two: {} } } }', {
    'mod_bad/index.ts': moduleText('bad', 'bad', `throw new Error('not yet')`),
    'mod_later/index.ts': moduleText('later', 'later', '', `dependencies: ['bad'],`)
  })
  await rig.manager.start()
  const text = 'hosts: { a.example: { modules: { two: { word: b }, bad: {}, later: {}, one: {} } } }'
  const first = await configure(rig, text)
  assert.deepEqual(first.applied, [
    'one on a.example: started',
    'two on a.example: restarted with changed options'
  ])
  assert.deepEqual(first.failed, [
    `bad on a.example: ${rig.file('mod_bad/index.ts')}:10: not yet`,
    'later on a.example: waits for bad'
  ])
  rig.write({ 'mod_bad/index.ts': moduleText('bad', 'bad') })
  assert.deepEqual(await configure(rig, text), {
    applied: ['bad on a.example: started', 'later on a.example: started'],
    failed: []
  })
})

test('what an operator unloaded stays away, what was loaded by hand stays', async t => {
  const { rig } = rigFor(t, 'hosts: { a.example: { modules: { one: {} } } }')
  await rig.manager.start()
  await rig.manager.unload('one')
  await rig.manager.load('two', 'a.example')
  assert.deepEqual(await configure(rig, 'hosts: { a.example: { modules: { one: { word: b } } } }'), {
    applied: [],
    failed: []
  })
  assert.deepEqual(rig.values(), ['two'])
})
