import test from 'node:test'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Linter } from 'eslint'
import tseslint from 'typescript-eslint'

/** A small house with one file per place; the rules look at paths, so the files must be there. */
const HOUSE: Readonly<Record<string, string>> = {
  'core/index.ts': "export { jid } from './jid'\n",
  'core/jid.ts': 'export const jid = 1\n',
  'core/xml/element.ts': 'export const element = 1\n',
  'core/streams/connection.ts': 'export const connection = 1\n',
  'core/routing/router.ts': 'export const router = 1\n',
  'core/server.ts': 'export const server = 1\n',
  'core/attic/box.ts': 'export const box = 1\n',
  'modules/mod_roster/index.ts': 'export const roster = 1\n',
  'modules/mod_roster/items.ts': 'export const items = 1\n',
  'modules/mod_presence/index.ts': 'export const presence = 1\n',
  'modules/lib_pubsub/index.ts': 'export const engine = 1\n',
  'modules/stray/index.ts': 'export const stray = 1\n',
  'test/lib/wire.ts': 'export const wire = 1\n',
  'core/hosts/a.ts': "import { b } from './b'\nexport const a = b\n",
  'core/hosts/b.ts': "import { c } from './c'\nexport const b = c\n",
  'core/hosts/c.ts': "import { a } from './a'\nexport const c = () => a\n",
  'core/hosts/d.ts': "import type { E } from './e'\nexport type D = E\n",
  'core/hosts/e.ts': "import { type D } from './d'\nexport type E = D | 1\n"
}

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-lint-'))
for (const [file, text] of Object.entries(HOUSE)) {
  fs.mkdirSync(path.join(root, path.dirname(file)), { recursive: true })
  fs.writeFileSync(path.join(root, file), text)
}
test.after(() => fs.rmSync(root, { recursive: true, force: true }))

/** The messages of one of our rules on a file of that house. */
async function lint(
  rule: string,
  file: string,
  code = HOUSE[file] ?? '',
  more: object = {}
): Promise<string[]> {
  const { default: plugin } = await import('../../tools/eslint/index.mjs')
  const takesRoot = rule === 'import-walls' || rule === 'no-circles'
  const linter = new Linter({ cwd: root })
  const found = linter.verify(
    code,
    {
      files: ['**/*.ts'],
      plugins: { balcony: plugin },
      languageOptions: { parser: tseslint.parser },
      linterOptions: { reportUnusedDisableDirectives: 'off' },
      rules: { [`balcony/${rule}`]: takesRoot ? ['error', { root, ...more }] : 'error' }
    },
    path.join(root, file)
  )
  return found.map(message => message.message)
}

interface Wall {
  where: string
  code: string
  says?: RegExp
}

const WALLS: Wall[] = [
  { where: 'core/jid.ts', code: "import { element } from './xml/element'" },
  { where: 'core/jid.ts', code: "import './streams/connection'", says: /Floor 1 .* floor 2/ },
  { where: 'core/jid.ts', code: "import type { X } from './streams/connection'", says: /Floor 1 .* floor 2/ },
  {
    where: 'core/jid.ts',
    code: "export { connection } from './streams/connection'",
    says: /Floor 1 .* floor 2/
  },
  { where: 'core/jid.ts', code: "export * from './streams/connection'", says: /Floor 1 .* floor 2/ },
  { where: 'core/jid.ts', code: "const s = import('./streams/connection')", says: /Floor 1 .* floor 2/ },
  { where: 'core/jid.ts', code: "const s = require('./streams/connection')", says: /Floor 1 .* floor 2/ },
  { where: 'core/jid.ts', code: "type S = import('./streams/connection').S", says: /Floor 1 .* floor 2/ },
  { where: 'core/jid.ts', code: "import s = require('./streams/connection')", says: /Floor 1 .* floor 2/ },
  { where: 'core/jid.ts', code: "import fs from 'node:fs'", says: /'fs' reaches outside/ },
  { where: 'core/jid.ts', code: "import fs from 'fs/promises'", says: /'fs\/promises' reaches outside/ },
  { where: 'core/jid.ts', code: "import { isIP } from 'node:net'" },
  { where: 'core/jid.ts', code: "import { isIP, connect } from 'node:net'", says: /'net' reaches outside/ },
  { where: 'core/jid.ts', code: "import { createHash } from 'node:crypto'" },
  { where: 'core/jid.ts', code: "import knex from 'knex'", says: /'knex' is a database/ },
  { where: 'core/jid.ts', code: "import { x } from './nowhere'", says: /'\.\/nowhere' is no file/ },
  { where: 'core/streams/connection.ts', code: "import net from 'node:net'" },
  { where: 'core/streams/connection.ts', code: "import '../routing/router'", says: /Floor 2 .* floor 3/ },
  { where: 'core/routing/router.ts', code: "import '../streams/connection'" },
  { where: 'core/routing/router.ts', code: "import '../server'", says: /Floor 3 .* floor 4/ },
  { where: 'core/routing/router.ts', code: "import '../index'", says: /own public face/ },
  { where: 'core/routing/router.ts', code: "import '#core'", says: /own public face/ },
  {
    where: 'core/routing/router.ts',
    code: "import '../../modules/mod_roster'",
    says: /knows no module by name/
  },
  {
    where: 'core/routing/router.ts',
    code: "import '../../modules/lib_pubsub'",
    says: /knows no module by name/
  },
  { where: 'core/routing/router.ts', code: "import '../../test/lib/wire'", says: /not shipped/ },
  { where: 'core/server.ts', code: "import './routing/router'" },
  { where: 'core/index.ts', code: "export { router } from './routing/router'" },
  { where: 'core/index.ts', code: "export { server } from './server'", says: /stands on floor 4/ },
  { where: 'core/attic/box.ts', code: '', says: /stands on no floor/ },
  { where: 'modules/stray/index.ts', code: '', says: /'stray' is neither/ },
  { where: 'modules/mod_roster/index.ts', code: "import { jid } from '#core'" },
  { where: 'modules/mod_roster/index.ts', code: "import { z } from 'zod'" },
  { where: 'modules/mod_roster/index.ts', code: "import fs from 'node:fs'" },
  { where: 'modules/mod_roster/index.ts', code: "import { items } from './items'" },
  { where: 'modules/mod_roster/index.ts', code: "import { engine } from '../lib_pubsub'" },
  { where: 'modules/mod_roster/index.ts', code: "import type { X } from '../mod_presence'" },
  { where: 'modules/mod_roster/index.ts', code: "import { type X, type Y } from '../mod_presence'" },
  {
    where: 'modules/mod_roster/index.ts',
    code: "import { type X, presence } from '../mod_presence'",
    says: /ctx\.use\('presence'\)/
  },
  { where: 'modules/mod_roster/index.ts', code: "import '../mod_presence'", says: /ctx\.use\('presence'\)/ },
  {
    where: 'modules/mod_roster/index.ts',
    code: "import { jid } from '../../core'",
    says: /imports '#core', not/
  },
  {
    where: 'modules/mod_roster/index.ts',
    code: "import { jid } from '../../core/jid'",
    says: /imports '#core', not/
  },
  {
    where: 'modules/mod_roster/index.ts',
    code: "import type { J } from '../../core/jid'",
    says: /imports '#core', not/
  },
  { where: 'modules/mod_roster/index.ts', code: "import '../../test/lib/wire'", says: /not shipped/ },
  { where: 'modules/lib_pubsub/index.ts', code: "import { jid } from '#core'" },
  {
    where: 'modules/lib_pubsub/index.ts',
    code: "import type { X } from '../mod_roster'",
    says: /must not import a module/
  },
  {
    where: 'modules/lib_pubsub/index.ts',
    code: "import net from 'node:net'",
    says: /a library is pure code/
  },
  { where: 'modules/lib_pubsub/index.ts', code: "import knex from 'knex'", says: /a library knows none/ },
  { where: 'modules/lib_pubsub/index.ts', code: "import type { Knex } from 'knex'" },
  { where: 'test/lib/wire.ts', code: "import '../../core/server'" }
]

for (const { where, code, says } of WALLS)
  test(`import walls: ${where}: ${code || '(the file)'} ${says ? 'is refused' : 'is allowed'}`, async () => {
    const messages = await lint('import-walls', where, code)
    if (!says) return assert.deepEqual(messages, [])
    assert.equal(messages.length, 1, messages.join('\n'))
    assert.match(messages[0] ?? '', says)
  })

test('circles: every file of a circle of values is named with the way', async () => {
  for (const file of ['core/hosts/a.ts', 'core/hosts/b.ts', 'core/hosts/c.ts']) {
    const messages = await lint('no-circles', file)
    assert.equal(messages.length, 1, file)
    assert.match(messages[0] ?? '', /Circular import: .*[abc]\.ts → .*[abc]\.ts → .*[abc]\.ts → .*[abc]\.ts$/)
  }
})

test('circles: of types alone are none where types do not count', async () => {
  for (const file of ['core/hosts/d.ts', 'core/hosts/e.ts']) {
    assert.deepEqual(await lint('no-circles', file), [])
    assert.equal((await lint('no-circles', file, HOUSE[file], { types: true })).length, 1, file)
  }
  assert.deepEqual(await lint('no-circles', 'core/jid.ts', HOUSE['core/jid.ts'], { types: true }), [])
})

const STATE: [code: string, says?: RegExp][] = [
  ['let count = 0', /'let' at the top level/],
  ['var count = 0', /'var' at the top level/],
  ['export let count = 0', /'let' at the top level/],
  ['const cache = new Map<string, string>()', /'cache' is mutable/],
  ['export const cache = new Set()', /'cache' is mutable/],
  ['const seen = new WeakMap()', /'seen' is mutable/],
  ['const list = []', /'list' is mutable/],
  ["const list: string[] = ['a']", /'list' is mutable/],
  ['const table: Record<string, string> = {}', /'table' is mutable/],
  ['const state = { count: 0 }\nexport function add() { state.count++ }', /'state' stands at the top level/],
  [
    'const state = { a: { b: 1 } }\nexport const f = () => { state.a.b = 2 }',
    /'state' stands at the top level/
  ],
  [
    'const state = { a: 1 }\nexport const f = (k: string) => delete state[k]',
    /'state' stands at the top level/
  ],
  ['export class Cache { static entries = 1 }', /static field/],
  ['export class Cache { static readonly entries = new Map() }', /static field/],
  ["const NS = 'urn:x'"],
  ["const KINDS = ['a', 'b'] as const"],
  ["const KINDS: readonly string[] = ['a']"],
  ["const KINDS: ReadonlySet<string> = new Set(['a'])"],
  ['const TABLE: ReadonlyMap<string, number> = new Map([[`a`, 1]])'],
  ["const KINDS = Object.freeze(['a'])"],
  ['const TABLE: Readonly<Record<string, number>> = {}'],
  ['const TABLE = { a: 1 }\nexport const f = () => TABLE.a'],
  ['const PATTERN = /x/'],
  ['export class Node { static readonly LIMIT = 5 }'],
  ['export function f() { let count = 0; const all = []; all.push(count++); return all }'],
  ['declare let injected: string']
]

for (const [code, says] of STATE)
  test(`module state: ${code.replace('\n', ' ')} ${says ? 'is refused' : 'is allowed'}`, async () => {
    const messages = await lint('no-module-state', 'modules/mod_roster/items.ts', code)
    if (!says) return assert.deepEqual(messages, [])
    assert.equal(messages.length, 1, messages.join('\n'))
    assert.match(messages[0] ?? '', says)
  })

const DISABLES: [code: string, says?: RegExp][] = [
  ['// eslint-disable-next-line no-console\nconsole.log(1)', /Say why/],
  ['console.log(1) // eslint-disable-line no-console', /Say why/],
  ['/* eslint-disable no-console */', /Say why/],
  ['// eslint-disable-next-line no-console -- \nconsole.log(1)', /Say why/],
  ['// eslint-disable-next-line -- because\nconsole.log(1)', /Name the rule/],
  ['// eslint-disable-next-line no-console -- the command line speaks\nconsole.log(1)'],
  ['/* eslint-enable no-console */']
]

for (const [code, says] of DISABLES)
  test(`disabled rules: ${code.replace('\n', ' ')} ${says ? 'is refused' : 'is allowed'}`, async () => {
    const messages = await lint('explained-disable', 'core/jid.ts', code)
    if (!says) return assert.deepEqual(messages, [])
    assert.equal(messages.length, 1, messages.join('\n'))
    assert.match(messages[0] ?? '', says)
  })
