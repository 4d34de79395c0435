import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import test from 'node:test'
import { formatDiff, diffConfig, formatFaults } from '../../../core/config'
import { expand } from '../../../core/config/environment'
import { faultsOf, load, loadGood } from './catalogue'

const MYSQL = `
storage:
  driver: mysql
  port: \${DB_PORT:-3307}
  user: balcony
  database: balcony
  password: \${DB_PASSWORD}
hosts:
  localhost:
`

test('variables are put into strings', () => {
  const of = (text: string) => expand(text, { A: 'a', EMPTY: '', B: '${A}' })
  assert.equal(of('x${A}y${A}').text, 'xaya')
  assert.equal(of('${NONE:-d}${EMPTY:-e}${A:-f}${NONE:-}').text, 'dea')
  assert.equal(of('${EMPTY}').text, '')
  // What a variable holds is not looked at again
  assert.equal(of('${B}').text, '${A}')
  assert.equal(of('$${A} $A $').text, '${A} $A $')
  assert.deepEqual(of('$${A}').used, false)
  assert.deepEqual(of('${NONE}').problems, ['the environment variable NONE is not set'])
  for (const text of ['${}', '${a b}', '${A', '${1}']) assert.equal(of(text).problems.length, 1, text)
})

test('the type that the key asks for is made of them', () => {
  const storage = loadGood(MYSQL, { DB_PASSWORD: '12345', DB_PORT: '3310' }).server.storage
  assert.ok(storage.driver === 'mysql')
  assert.strictEqual(storage.password, '12345')
  assert.strictEqual(storage.port, 3310)
  const roster = loadGood('hosts: { a: { modules: { roster: { versioning: "${V}" } } } }', { V: 'false' })
  assert.deepEqual(roster.hosts.get('a')?.modules.get('roster'), {
    maxContacts: 1000,
    versioning: false,
    groups: {}
  })
})

test('a missing variable is a fault with its line, and one fault only', () => {
  assert.deepEqual(faultsOf(MYSQL), [
    '7:13 storage.password: the environment variable DB_PASSWORD is not set'
  ])
  assert.deepEqual(faultsOf('http: { listen: [{ address: "${A}", port: "${P}" }] }\nhosts: { a: }'), [
    '1:29 http.listen[0].address: the environment variable A is not set',
    '1:43 http.listen[0].port: the environment variable P is not set'
  ])
})

test('inside { } a reference must be quoted, and the fault says so', () => {
  const [fault] = faultsOf('storage: { driver: mysql, password: ${X} }\nhosts: { a: }', { X: 'x' })
  assert.match(fault ?? '', /^1:\d+ : not YAML: .*in quotes$/)
})

test('secrets are never shown', () => {
  const secret = 'hunter2hunter2'
  const env = { S: secret, DB_PASSWORD: secret, DB_PORT: secret }
  const wrong = load(
    `
storage: { driver: "\${S}", password: [${secret}] }
operators: ["\${S}@a/b"]
moduleFolders: ["/nowhere/\${S}"]
http: { listen: [{ address: "\${S}", port: "\${S}" }] }
modules:
  register: { password: ${secret.slice(0, 7)} }
hosts:
  "localhost": { type: "\${S}" }
`,
    env
  )
  assert.ok(!wrong.ok)
  assert.ok(wrong.faults.length >= 6)
  assert.ok(!formatFaults(wrong.faults).includes('hunter2'), formatFaults(wrong.faults))

  for (const value of [
    `!${secret}`,
    `*${secret}`,
    `@${secret}`,
    `"\\q${secret}"`,
    `[${secret}`,
    `{${secret}: &a`
  ]) {
    const result = load(`storage: { driver: mysql }\n  password: ${value}\nhosts: { a: }`)
    const block = load(`storage:\n  password: ${value}\nhosts: { a: }`)
    assert.ok(!result.ok && !block.ok)
    assert.ok(!formatFaults([...result.faults, ...block.faults]).includes('hunter2'), value)
  }

  const before = loadGood(MYSQL, { ...env, DB_PORT: '1' })
  const after = loadGood(MYSQL, { DB_PASSWORD: 'other', DB_PORT: '1' })
  assert.deepEqual(formatDiff(diffConfig(before, after)), ['storage: changed, not applied: needs restart'])
  const push = loadGood(`hosts: { a: { type: component, modules: { push: { key: "\${S}" } } } }`, env)
  assert.ok(
    inspect({ ...push, hosts: undefined }, { depth: 10, showHidden: true }).includes(secret) === false
  )
})
