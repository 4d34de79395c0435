import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import fc from 'fast-check'
import { formatFaults, loadConfig } from '../../../core/config'
import { MAX_CONFIG_BYTES } from '../../../core/config/source'
import { catalogue, faultsOf, load } from './catalogue'

const GOOD = fs.readFileSync(path.join(__dirname, '../../../config/balcony.yaml'), 'utf8')

function has(faults: string[], pattern: RegExp): void {
  assert.ok(
    faults.some(fault => pattern.test(fault)),
    `${String(pattern)} in\n${faults.join('\n')}`
  )
}

test('text that is no YAML has its line', () => {
  has(faultsOf('hosts:\n\tlocalhost: {}\n'), /^2:\d+ : not YAML: Tabs/)
  has(faultsOf('hosts:\n  a: {\n  b: 1\n'), /^\d:\d+ : not YAML/)
  has(faultsOf('hosts:\n  a: {}\n b: 1\n'), /^3:\d+ : not YAML/)
  has(faultsOf('hosts: "a\n'), /not YAML: Missing closing/)
  has(faultsOf('hosts: !weird {}\n'), /^1:8 : not YAML: Unresolved tag/)
  has(faultsOf('hosts: {}\n---\nhosts: {}\n'), /^2:\d+ : a second YAML document/)
})

test('one slip in a line is one fault, and the harmless ones do not hide others', () => {
  const faults = faultsOf('log: { level: @info }\nhosts: { a: { typ: 1 } }\n')
  assert.equal(faults.length, 3)
  has(faults, /^1:15 : not YAML: Plain value cannot start with reserved character @/)
  has(faults, /^2:15 hosts.a.typ: unknown key/)
})

test('keys that are no words', () => {
  has(faultsOf('? [a, b]\n: 1\nhosts: { a: }'), /a key must be a plain word/)
  has(faultsOf('hosts: { a: , : 1 }'), /a key is missing/)
  has(faultsOf('hosts: { a: , __proto__: { type: component } }'), /cannot be used as a key/)
  has(faultsOf('x: &x { a: 1 }\nhosts: { a: { <<: *x } }'), /merge keys/)
  assert.equal(({} as Record<string, unknown>).type, undefined)
  assert.ok(load('hosts: { 127.0.0.1: , 5222: , true: , null: }').ok)
})

test('files that are none, are empty, too big or binary', t => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-config-'))
  t.after(() => fs.rmSync(folder, { recursive: true }))
  const of = (name: string, content?: string | Buffer) => {
    const file = path.join(folder, name)
    if (content !== undefined) fs.writeFileSync(file, content)
    const result = loadConfig(file, catalogue, {})
    assert.ok(!result.ok)
    return formatFaults(result.faults).replace(folder, '')
  }
  assert.equal(of('none.yaml'), '/none.yaml:1:1  cannot be read: there is no such file')
  assert.equal(of('.'), ':1:1  this is not a file')
  assert.equal(
    of('empty.yaml', '# nothing\n'),
    '/empty.yaml:1:1  the file is empty; a config needs at least "hosts"'
  )
  assert.equal(
    of('big.yaml', 'a'.repeat(MAX_CONFIG_BYTES + 1)),
    `/big.yaml:1:1  the file is bigger than ${MAX_CONFIG_BYTES} bytes`
  )
  assert.equal(
    of('latin1.yaml', Buffer.from('log:\n# caf\xe9\n', 'latin1')),
    '/latin1.yaml:2:1  this line is not UTF-8; save the file as UTF-8'
  )
  assert.match(of('binary.yaml', fs.readFileSync(process.execPath).subarray(0, 100_000)), /not UTF-8/)
  fs.writeFileSync(path.join(folder, 'bom.yaml'), '\uFEFFhosts:\n  localhost:\n')
  assert.ok(loadConfig(path.join(folder, 'bom.yaml'), catalogue, {}).ok)
})

test('aliases work, and cannot grow without bound', () => {
  const shared = load('hosts: { a: &a { modules: { roster: { maxContacts: 3 } } }, b: *a }')
  assert.ok(shared.ok)
  assert.deepEqual(shared.config.hosts.get('b')?.modules, shared.config.hosts.get('a')?.modules)
  has(faultsOf('hosts: { a: *nothing }'), /there is no &nothing above/)
  has(faultsOf('hosts: &h { a: *h }'), /there is no &h above/)

  let bomb = 'a0: &a0 [x, x]\n'
  for (let i = 1; i < 60; i++) bomb += `a${i}: &a${i} [*a${i - 1}, *a${i - 1}]\n`
  has(faultsOf(bomb), /more than 100000 values/)
  has(faultsOf(`a: &a [${'x,'.repeat(1000)}]\nb: [${'*a,'.repeat(1000)}]\n`), /more than 100000 values/)
})

test('depth is bounded before anything calls itself', () => {
  const size = 20_000
  for (const text of [
    '['.repeat(size),
    '{a: '.repeat(size),
    '- '.repeat(size),
    '? '.repeat(size),
    'a: '.repeat(size)
  ]) {
    has(faultsOf(text), /nested deeper than 50 levels/)
  }
  const indented = Array.from({ length: 200 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')
  has(faultsOf(indented), /nested deeper than 50 levels/)
})

test('very many keys and very many faults', () => {
  const keys = Array.from({ length: 5000 }, (_, i) => `k${i}: 1`).join('\n')
  const result = load(`${keys}\nhosts: { a: }`)
  assert.ok(!result.ok)
  assert.equal(result.faults.length, 5000)
  const lines = formatFaults(result.faults).split('\n')
  assert.equal(lines.length, 201)
  assert.equal(lines.at(-1), 'and 4800 more')
})

test('what a terminal would obey is shown as its number', () => {
  const result = load('"\\e[2Jhosts": 1\nhosts: { a: { type: "\\u202ev\\x07" } }')
  assert.ok(!result.ok)
  const told = formatFaults(result.faults)
  assert.doesNotMatch(told, /[^\P{C}\n]/u)
  assert.match(told, /\\u202ev\\u0007/)
})

test('whatever is done to a file, the answer is a config or faults with lines', () => {
  const edit = fc.record({
    at: fc.nat({ max: GOOD.length }),
    cut: fc.nat({ max: 40 }),
    put: fc.oneof(
      fc.string({ maxLength: 20 }),
      fc.constantFrom(
        '\t',
        '\n',
        '{',
        '}',
        '[',
        ']',
        ': ',
        '- ',
        '&a ',
        '*a',
        '? ',
        '|\n',
        '"',
        "'",
        '${',
        '!!',
        '#',
        '---\n',
        '\0'
      )
    )
  })
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), edits => {
      const text = edits.reduce((all, { at, cut, put }) => all.slice(0, at) + put + all.slice(at + cut), GOOD)
      const result = load(text)
      if (result.ok) return
      const lines = text.split('\n').length
      assert.ok(result.faults.length > 0)
      for (const fault of result.faults) {
        assert.ok(
          fault.line >= 1 && fault.line <= lines && fault.column >= 1,
          `${fault.line}:${fault.column}`
        )
        assert.notEqual(fault.message, '')
        assert.doesNotMatch(fault.message, /schema failed|undefined|\[object/)
      }
    }),
    { numRuns: 300 }
  )
})
