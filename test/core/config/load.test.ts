import assert from 'node:assert/strict'
import path from 'node:path'
import test from 'node:test'
import { z } from 'zod'
import { loadConfig } from '../../../core/config'
import { catalogue, faultsOf, load, loadGood } from './catalogue'

test('a file with one host is enough, everything else has defaults', () => {
  const config = loadGood('hosts:\n  localhost:\n')
  assert.deepEqual(config.server, {
    log: { level: 'info', format: 'auto' },
    data: '/srv/balcony/data',
    storage: { driver: 'sqlite', path: '/srv/balcony/data/balcony.sqlite', durability: 'full' },
    moduleFolders: [],
    operators: [],
    tls: { ca: [] },
    dns: { servers: [] },
    http: { listen: [], trustedProxies: [], proxyHeader: 'x-forwarded-for' },
    limits: {
      stanzaBytes: 262_144,
      stanzaBytesBeforeLogin: 16_384,
      depth: 100,
      elements: 16_384,
      attributes: 64,
      queueStanzas: 1000,
      queueBytes: 1_048_576,
      unreadBytes: 8_388_608,
      unreadBytesInAll: 268_435_456,
      loginSeconds: 60,
      stopSeconds: 10
    }
  })
  assert.deepEqual(
    [...config.hosts.values()],
    [{ name: 'localhost', type: 'virtual', admins: [], tls: undefined, modules: new Map(), line: 2 }]
  )
  assert.equal(config.modules.size, 0)
})

test('sections and keys that are left empty count as left out', () => {
  const config = loadGood('log:\nstorage:\n  path:\nmodules:\nhosts:\n  localhost: { admins: , modules: }\n')
  assert.equal(config.server.log.level, 'info')
  assert.equal(config.server.storage.driver, 'sqlite')
})

test('domains and accounts come out prepared, hosts in the order of the file', () => {
  const config = loadGood(`
operators: [Admin@LOCALHOST]
hosts:
  Zürich.Example: { admins: [ROMEO@example.org] }
  xn--caf-dma.example:
  channels.localhost: { type: component, modules: { channels: { topicDomains: [Topics.LocalHost] } } }
`)
  assert.deepEqual(config.server.operators, ['admin@localhost'])
  assert.deepEqual([...config.hosts.keys()], ['zürich.example', 'café.example', 'channels.localhost'])
  assert.deepEqual(config.hosts.get('zürich.example')?.admins, ['romeo@example.org'])
  assert.deepEqual(config.hosts.get('channels.localhost')?.modules.get('channels'), {
    topicDomains: ['topics.localhost'],
    policy: 'open'
  })
})

test('modules at the top are on where they can run, and hosts differ', () => {
  const config = loadGood(`
modules:
  c2s: {}
  disco: { name: all }
  roster: { maxContacts: 10, groups: { friends: { size: 1 } } }
  register: false
hosts:
  one.example: {}
  two.example:
    modules:
      disco: { name: two }
      register: true
      roster: { versioning: false, groups: { family: {} , friends: { open: true } } }
  three.example: { modules: { roster: false, disco: true } }
  four.example: { type: component }
`)
  const modules = (host: string) => Object.fromEntries(config.hosts.get(host)?.modules ?? [])
  assert.deepEqual(Object.fromEntries(config.modules), { c2s: { listen: [], tls: 'required' } })
  assert.deepEqual(modules('one.example'), {
    disco: { name: 'all' },
    roster: { maxContacts: 10, versioning: true, groups: { friends: { size: 1 } } }
  })
  assert.deepEqual(modules('two.example'), {
    disco: { name: 'two' },
    register: {},
    // Maps are merged, everything else is replaced
    roster: { maxContacts: 10, versioning: false, groups: { family: {}, friends: { size: 1, open: true } } }
  })
  assert.deepEqual(modules('three.example'), { disco: { name: 'all' } })
  assert.deepEqual(modules('four.example'), { disco: { name: 'all' } })
})

test('a module that needs another one is a fault where that one is off', () => {
  const text = `
modules:
  roster: {}
hosts:
  one.example: { modules: { archive: {} } }
  two.example:
    modules:
      archive:
      roster: false
  three.example: { type: component, modules: { archive: true } }
`
  assert.deepEqual(faultsOf(text), [
    '8:7 hosts["two.example"].modules.archive: "archive" needs the module "roster", which is off on "two.example"',
    '10:48 hosts["three.example"].modules.archive: "archive" needs the module "roster", which is off on "three.example"'
  ])
  assert.equal(faultsOf('hosts: { a: { modules: { archive: {}, broken: {} } } }').length, 2)
})

test('options are checked as merged, and the fault stands where the value does', () => {
  const text = `
modules:
  roster: { maxContacts: 0, groups: { a: { sise: 1 } } }
hosts:
  one.example:
  two.example: { modules: { roster: { maxContacts: 5 } } }
  three.example: { modules: { roster: { versioning: 1 } } }
`
  assert.deepEqual(faultsOf(text), [
    '3:26 modules.roster.maxContacts: expected a whole number of at least 1, got 0',
    '3:44 modules.roster.groups.a.sise: unknown key; did you mean "size"?',
    '7:53 hosts["three.example"].modules.roster.versioning: expected true or false, got 1'
  ])
})

test('a missing option is told at the host that turns the module on', () => {
  const text = 'hosts:\n  a.example:\n    type: component\n    modules:\n      push: { }\n'
  assert.deepEqual(faultsOf(text), ['5:13 hosts["a.example"].modules.push.key: missing; expected a string'])
  assert.deepEqual(faultsOf(text.replace('{ }', '')), [
    '5:7 hosts["a.example"].modules.push.key: missing; expected a string'
  ])
  assert.deepEqual(faultsOf(text.replace('{ }', '{ kee: x }')), [
    '5:15 hosts["a.example"].modules.push.kee: unknown key; did you mean "key"?'
  ])
})

test('unions are judged by the alternative that was meant', () => {
  const policy = (value: string) =>
    faultsOf(`hosts: { a: { type: component, modules: { channels: { policy: ${value} } } } }`).map(fault =>
      fault.replace(/^.*?policy/, 'policy')
    )
  assert.deepEqual(policy('{ allow: [x], until: soon }'), [
    'policy.until: expected a whole number, got "soon"'
  ])
  assert.deepEqual(policy('{ until: 1 }'), ['policy.allow: missing; expected a list'])
  assert.deepEqual(policy('opem'), ['policy: expected "open", or a map, got "opem"; did you mean "open"?'])
  assert.deepEqual(policy('{ allow: [] }'), [])
  assert.deepEqual(faultsOf('storage: { driver: mysql, prot: 1 }\nhosts: { a: }'), [
    '1:10 storage.user: missing; expected a string that is not empty',
    '1:10 storage.database: missing; expected a string that is not empty',
    '1:27 storage.prot: unknown key; did you mean "port"?'
  ])
})

test('a host whose type is a fault is not blamed for its modules too', () => {
  assert.deepEqual(faultsOf('hosts: { a: { type: componnt, modules: { channels: } } }'), [
    '1:21 hosts.a.type: expected "virtual" or "component", got "componnt"; did you mean "component"?'
  ])
})

test('a module that cannot be loaded may stand there, turned off', () => {
  assert.ok(load('modules: { broken: false }\nhosts: { a: }').ok)
  assert.deepEqual(faultsOf('modules: { brokn: false }\nhosts: { a: }'), [
    '1:12 modules.brokn: unknown module; did you mean "broken"?'
  ])
})

test("a schema of a module's own that fails does not hide the other faults", () => {
  assert.deepEqual(faultsOf('hosts: { a: { modules: { angry: , old: , roster: { maxContacts: x } } } }'), [
    '1:26 hosts.a.modules.angry: its schema failed: no',
    '1:35 hosts.a.modules.old: its options have no schema that can be read; it must be one of zod 4',
    '1:65 hosts.a.modules.roster.maxContacts: expected a whole number of at least 1, got "x"'
  ])
})

test('a later version of a module is checked against the file that is in force', () => {
  const config = loadGood(`
hosts:
  localhost: { modules: { roster: { maxContacts: 7 } } }
`)
  const fits = config.optionsFor(
    'roster',
    z.object({ maxContacts: z.number(), more: z.string().default('x') }),
    'localhost'
  )
  assert.deepEqual(fits, { ok: true, options: { maxContacts: 7, more: 'x' }, on: true })
  const narrower = config.optionsFor('roster', z.object({ limit: z.number().default(1) }), 'localhost')
  assert.ok(!narrower.ok)
  assert.deepEqual(
    narrower.faults.map(fault => [fault.line, fault.path]),
    [[3, 'hosts.localhost.modules.roster.maxContacts']]
  )
  const absent = config.optionsFor('ping', z.object({ every: z.number().default(3) }), 'localhost')
  assert.deepEqual(absent, { ok: true, options: { every: 3 }, on: false })
})

test('the file says where modules are, even where the rest of it has faults', () => {
  const asked: (readonly string[])[] = []
  const text = 'moduleFolders: [config, /no/such/folder, 7]\nhosts: { a: { modules: { roster: } } }\nx: 1'
  const result = loadConfig(
    { text, name: 'test.yaml', folder: path.join(__dirname, '..') },
    folders => {
      asked.push(folders)
      return catalogue
    },
    {}
  )
  assert.deepEqual(asked, [[__dirname]])
  assert.ok(!result.ok)
  assert.deepEqual(
    result.faults.map(fault => fault.path),
    ['moduleFolders[1]', 'moduleFolders[2]', 'x']
  )
})
