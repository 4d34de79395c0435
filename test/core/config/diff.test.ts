import assert from 'node:assert/strict'
import test from 'node:test'
import { diffConfig, formatDiff } from '../../../core/config'
import { loadGood } from './catalogue'

const BEFORE = `
log: { level: info, format: json }
operators: [admin@localhost]
http: { listen: [{ address: 127.0.0.1, port: 5280 }] }
modules:
  c2s: { tls: required }
  disco: { name: x }
hosts:
  localhost: { modules: { roster: { maxContacts: 5 }, register: } }
  gone.example:
  turned.example:
  same.example: { admins: [a@same.example] }
`

test('nothing differs', () => {
  const diff = diffConfig(loadGood(BEFORE), loadGood(`${BEFORE}# a comment\n`))
  assert.ok(diff.empty)
  assert.deepEqual(formatDiff(diff), [])
})

test('what is written out as it was by default is no difference', () => {
  const before = loadGood('hosts: { a: }')
  const after = loadGood('log: { level: info }\nlimits: { depth: 100 }\nhosts: { a: { type: virtual } }')
  assert.ok(diffConfig(before, after).empty)
})

test('differences by server, module and host', () => {
  const diff = diffConfig(
    loadGood(BEFORE),
    loadGood(`
log: { level: debug, format: pretty }
operators: [romeo@localhost]
http: { listen: [{ address: 127.0.0.1, port: 5281 }] }
data: elsewhere
limits: { depth: 90 }
modules:
  c2s: { tls: optional, listen: [] }
hosts:
  localhost: { admins: [juliet@localhost], modules: { roster: { maxContacts: 6 }, disco: { name: y } } }
  turned.example: { type: component }
  same.example: { admins: [a@same.example], modules: { disco: { name: x } } }
  new.example:
`)
  )
  assert.deepEqual(diff, {
    live: ['log.level', 'operators', 'http.listen', 'limits.depth'],
    restart: ['log.format', 'data', 'storage'],
    modules: { added: [], removed: [], changed: [{ name: 'c2s', keys: ['tls', 'listen'] }] },
    hosts: {
      added: ['turned.example', 'new.example'],
      removed: ['gone.example', 'turned.example'],
      changed: [
        {
          name: 'localhost',
          keys: ['admins'],
          modules: {
            added: [],
            removed: ['register'],
            changed: [
              { name: 'roster', keys: ['maxContacts'] },
              { name: 'disco', keys: ['name'] }
            ]
          }
        }
      ]
    },
    empty: false
  })
  assert.deepEqual(formatDiff(diff), [
    'log.level: changed',
    'operators: changed',
    'http.listen: changed',
    'limits.depth: changed',
    'log.format: changed, not applied: needs restart',
    'data: changed, not applied: needs restart',
    'storage: changed, not applied: needs restart',
    'modules.c2s: changed (tls, listen)',
    'hosts["gone.example"]: removed',
    'hosts["turned.example"]: removed',
    'hosts["turned.example"]: added',
    'hosts["new.example"]: added',
    'hosts.localhost.admins: changed',
    'hosts.localhost.modules.register: removed',
    'hosts.localhost.modules.roster: changed (maxContacts)',
    'hosts.localhost.modules.disco: changed (name)'
  ])
})

test('a variable of the environment that changed is a difference', () => {
  const text = 'hosts: { a: { type: component, modules: { push: { key: "${K}" } } } }'
  const diff = diffConfig(loadGood(text, { K: '1' }), loadGood(text, { K: '2' }))
  assert.deepEqual(formatDiff(diff), ['hosts.a.modules.push: changed (key)'])
})

test('what needs a restart is told until then; what was taken back is not', () => {
  const config = (level: string, data: string) =>
    loadGood(`log: { level: ${level} }\ndata: ${data}\nhosts: { a: }`)
  const started = config('info', 'here')
  const moved = config('info', 'there')
  assert.deepEqual(formatDiff(diffConfig(moved, config('debug', 'there'), started)), [
    'log.level: changed',
    'data: changed, not applied: needs restart',
    'storage: changed, not applied: needs restart'
  ])
  assert.ok(!diffConfig(moved, moved, started).empty)
  assert.ok(diffConfig(moved, started, started).empty)
})
