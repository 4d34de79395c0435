import assert from 'node:assert/strict'
import test from 'node:test'
import { CodedError } from '../../../core/errors'
import { moduleText, Rig } from './rig'

const ONE_HOST = 'hosts: { a.example: { modules: { one: {}, two: {}, three: {} } } }'

async function startFault(rig: Rig): Promise<string> {
  const error: unknown = await rig.manager.start().then(
    () => assert.fail('it started'),
    (reason: unknown) => reason
  )
  assert.ok(error instanceof CodedError, String(error))
  assert.equal(error.code, 'ERR_MODULES_START')
  return error.message
}

test('what is needed is started first, what is on the server last', async t => {
  const rig = new Rig(t, {
    files: {
      'mod_one/index.ts': moduleText('one', 'one', '', `dependencies: ['three'], after: ['two'],`),
      'mod_two/index.ts': moduleText('two', 'two', '', `after: ['not here'],`),
      'mod_three/index.ts': moduleText('three', 'three', '', `dependencies: ['base'],`),
      'mod_base/index.ts': moduleText('base', 'base').replace(`'virtual', 'component', `, ''),
      'mod_ports/index.ts': moduleText('ports', 'ports').replace(`'virtual', 'component', `, '')
    },
    config: `modules: { ports: {}, base: {} }\n${ONE_HOST}`
  })
  const order: string[] = []
  rig.bus.on('module/loaded', (host, name) => void order.push(`${host}:${name}`))
  let open: boolean | undefined
  rig.bus.on('module/loaded', () => void (open = rig.gate.open))
  await rig.manager.start()
  assert.deepEqual(order, [':base', 'a.example:three', 'a.example:two', 'a.example:one', ':ports'])
  assert.equal(open, false, 'stanzas wait while modules start')
  assert.ok(rig.gate.open)
  assert.deepEqual(rig.values(), ['three', 'two', 'one'])
  for (const { name, state, version } of rig.manager.list())
    assert.deepEqual([name, state, version], [name, 'running', 1])
  assert.equal(rig.manager.list().length, 5)

  const stopped: string[] = []
  rig.bus.on('module/unloaded', (_, name) => void stopped.push(name))
  await rig.manager.stop()
  assert.deepEqual(stopped, ['ports', 'one', 'two', 'three', 'base'])
  assert.deepEqual(rig.values(), [])
})

test('all that keeps modules from starting is told at once, and nothing stays running', async t => {
  const rig = new Rig(t, {
    files: {
      'mod_one/index.ts': moduleText('one', 'one', `\n\nthrow new Error('no luck')`),
      'mod_two/index.ts': moduleText('two', 'two', '', `dependencies: ['one'],`),
      'mod_three/index.ts': moduleText('three', 'three', 'return new Promise(() => {})'),
      'mod_good/index.ts': moduleText('good', 'good')
    },
    config: 'hosts: { a.example: { modules: { good: {}, one: {}, two: {}, three: {} } } }'
  })
  const message = await startFault(rig)
  assert.deepEqual(message.split('\n').slice(1), [
    `  one on a.example: ${rig.file('mod_one/index.ts')}:12: no luck (ERR_MODULE_SETUP)`,
    '  three on a.example: its setup has not ended after 0.3 s (ERR_MODULE_TIMEOUT)'
  ])
  assert.deepEqual(rig.values(), [])
  assert.ok(rig.gate.open)
})

test('a cycle is named, and so is what is missing', async t => {
  const rig = new Rig(t, {
    files: {
      'mod_one/index.ts': moduleText('one', 'one', '', `dependencies: ['two'],`),
      'mod_two/index.ts': moduleText('two', 'two', '', `after: ['three'],`),
      'mod_three/index.ts': moduleText('three', 'three', '', `dependencies: ['one', 'four'],`),
      'mod_four/index.ts': moduleText('four', 'four')
    },
    config: ONE_HOST
  })
  const message = await startFault(rig)
  assert.match(
    message,
    /one on a\.example: modules wait for each other: one -> two -> three -> one \(ERR_MODULE_CYCLE\)/
  )
  assert.match(
    message,
    /three on a\.example needs four, which is not enabled on a\.example or on the server.*\(ERR_MODULE_MISSING\)/
  )
  assert.deepEqual(rig.manager.list(), [])
})

test('a module that cannot be loaded, and one that cannot run there, are faults of the start', async t => {
  const rig = new Rig(t, {
    files: {
      'mod_one/index.ts': moduleText('one', 'one'),
      'mod_two/index.ts': moduleText('two', 'two', '', `dependencies: ['one'],`)
    },
    config: 'hosts: { a.example: { modules: { one: {}, two: {} } }, b.example: { modules: { one: {} } } }'
  })
  // Edited after the config was checked
  rig.catalogue.forget('one')
  rig.write({ 'mod_one/index.ts': 'let a = ;' })
  const message = await startFault(rig)
  assert.deepEqual(message.split('\n').slice(1), [
    `  ${rig.file('mod_one/index.ts')}:1:9: Unexpected token (ERR_MODULE_SYNTAX)`
  ])
})

test('migrations run once per module, before its first setup; one that fails keeps the module from starting', async t => {
  const rig = new Rig(t, {
    files: {
      'mod_one/index.ts': moduleText('one', 'one'),
      'mod_one/migrations/001_table.ts': '',
      'mod_two/index.ts': moduleText('two', 'two')
    },
    config: 'hosts: { a.example: { modules: { one: {}, two: {} } }, b.example: { modules: { one: {} } } }'
  })
  await rig.manager.start()
  assert.deepEqual(rig.migrated, ['mod_one'])

  const broken = new Rig(t, {
    files: { 'mod_one/index.ts': moduleText('one', 'one'), 'mod_one/migrations/001_table.ts': '' },
    config: 'hosts: { a.example: { modules: { one: {} } } }',
    db: { migrate: () => Promise.reject(new CodedError('ERR_MIGRATION', '001_table.ts: no such column')) }
  })
  assert.match(await startFault(broken), /one: 001_table\.ts: no such column \(ERR_MIGRATION\)/)
})

test('two modules that answer the same iq: the second is told by whom and where', async t => {
  const iq = `ctx.iq('get', 'host', 'urn:x', 'query', () => undefined)`
  const rig = new Rig(t, {
    files: {
      'mod_one/index.ts': moduleText('one', 'one', iq),
      'mod_two/index.ts': moduleText('two', 'two', iq)
    },
    config: 'hosts: { a.example: { modules: { one: {}, two: {} } } }'
  })
  const message = await startFault(rig)
  assert.ok(
    message.includes(
      `${rig.file('mod_two/index.ts')}:10: iq-get/host urn:x query is answered by one already (ERR_IQ_TAKEN)`
    ),
    message
  )
})

test('nothing that setup registers is seen before it has succeeded', async t => {
  const rig = new Rig(t, {
    files: {
      'mod_one/index.ts': moduleText(
        'one',
        'one',
        `ctx.hook('test/seen', () => HANDLED)
        return Promise.resolve().then(() => { throw new Error('too late') })`
      )
    },
    config: 'hosts: { a.example: { modules: { one: {} } } }'
  })
  const seen: string[] = []
  rig.host().items.watch('test/value', { added: item => seen.push(item) })
  await startFault(rig)
  assert.deepEqual(seen, [])
  assert.equal(rig.host().hooks.has('test/seen'), false)
})
