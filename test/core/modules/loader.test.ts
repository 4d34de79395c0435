import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { CodedError } from '../../../core/errors'
import { ModuleCatalogue } from '../../../core/modules/catalogue'
import type { ModuleDefinition } from '../../../core/modules/contract'
import { ModuleLoader } from '../../../core/modules/loader'
import { FACE, moduleText, tempFolder, write } from './rig'

function setUp(t: TestContext, files: Record<string, string>): { folder: string; loader: ModuleLoader } {
  const folder = tempFolder(t)
  write(folder, files)
  return { folder, loader: new ModuleLoader([folder], FACE) }
}

function refusal(loader: ModuleLoader, name: string): CodedError {
  try {
    loader.load(name)
  } catch (error) {
    assert.ok(error instanceof CodedError, String(error))
    return error
  }
  assert.fail('it was loaded')
}

/** A module whose description is an expression over what its head imports. */
function describing(head: string, expression: string): string {
  return `import { defineModule, z } from '#core'
${head}
export default defineModule({ name: 'x', description: String(${expression}), on: ['virtual'], config: z.object({}), setup () {} })`
}

test('a module in a folder of its own imports the running core by either name', t => {
  const { loader, folder } = setUp(t, {
    'mod_x/index.ts': describing(
      `import { CodedError } from 'balcony'\nimport { CodedError as same } from '#core'`,
      `CodedError === same && new CodedError('ERR_X', 'message').code`
    )
  })
  const loaded = loader.load('x')
  assert.equal(loaded.definition.description, 'ERR_X')
  assert.equal(loaded.folder, path.join(folder, 'mod_x'))
  assert.equal(loaded.version, 1)
  assert.equal(loaded.migrations, undefined)
  assert.equal(loader.load('x').version, 2)
})

test('the edit of a nested file, and of a library, is seen; what was loaded before keeps its own', t => {
  const { loader, folder } = setUp(t, {
    'mod_x/index.ts': describing(
      `import { deep } from './a'\nimport { lib } from '../lib_words'\nimport data from './data.json'`,
      '`${deep} ${lib} ${data.n}`'
    ),
    'mod_x/data.json': '{ "n": 1 }',
    'mod_x/a/index.ts': `export { deep } from './b/deep'`,
    'mod_x/a/b/deep.ts': `export const deep: string = 'old'`,
    'lib_words/index.ts': `export * from './words'`,
    'lib_words/words.ts': `export const lib = 'old'`
  })
  const first = loader.load('x')
  write(folder, {
    'mod_x/a/b/deep.ts': `export const deep: string = 'new'`,
    'lib_words/words.ts': `export const lib = 'new'`,
    'mod_x/data.json': '{ "n": 2 }'
  })
  assert.equal(loader.load('x').definition.description, 'new new 2')
  assert.equal(first.definition.description, 'old old 1')
})

test('a file that became a folder is found', t => {
  const { loader, folder } = setUp(t, {
    'mod_x/index.ts': describing(`import { n } from './part'`, 'n'),
    'mod_x/part.ts': 'export const n = 1'
  })
  assert.equal(loader.load('x').definition.description, '1')
  rmSync(path.join(folder, 'mod_x/part.ts'))
  write(folder, { 'mod_x/part/index.ts': 'export const n = 2' })
  assert.equal(loader.load('x').definition.description, '2')
})

test('each module has its own copy of a library', t => {
  const text = (name: string): string => `import { defineModule, z } from '#core'
    import { counter } from '../lib_count'
    counter.n++
    export default defineModule({ name: '${name}', description: String(counter.n), on: ['virtual'], config: z.object({}), setup () {} })`
  const { loader } = setUp(t, {
    'mod_x/index.ts': text('x'),
    'mod_y/index.ts': text('y'),
    'lib_count/index.ts': 'export const counter = { n: 0 }'
  })
  assert.equal(loader.load('x').definition.description, '1')
  assert.equal(loader.load('y').definition.description, '1')
})

test('a server that is installed as a package swaps its modules all the same; their packages stay', t => {
  const folder = path.join(tempFolder(t), 'node_modules', 'balcony', 'modules')
  write(folder, {
    'mod_x/index.ts': describing(
      `import { n } from './part'\nimport { calls } from 'counts'`,
      '`${n} ${calls()}`'
    ),
    'mod_x/part.ts': 'export const n = 1',
    'mod_x/node_modules/counts/index.js': 'let n = 0; exports.calls = () => ++n'
  })
  const loader = new ModuleLoader([folder], FACE)
  assert.equal(loader.load('x').definition.description, '1 1')
  write(folder, { 'mod_x/part.ts': 'export const n = 2' })
  assert.equal(loader.load('x').definition.description, '2 2')
})

test('files of a module may need each other in a circle', t => {
  const { loader } = setUp(t, {
    'mod_x/index.ts': describing(`import { a } from './a'`, 'a()'),
    'mod_x/a.ts': `import { b } from './b'\nexport const a = () => b()\nexport const name = 'circle'`,
    'mod_x/b.ts': `import { name } from './a'\nexport const b = () => name`
  })
  assert.equal(loader.load('x').definition.description, 'circle')
})

test('a file runs once for all that import it', t => {
  const { loader } = setUp(t, {
    'mod_x/index.ts': describing(`import { list } from './list'\nimport './more'`, 'list.length'),
    'mod_x/list.ts': 'export const list: number[] = []\nlist.push(1)',
    'mod_x/more.ts': `import { list } from './list'\nlist.push(2)`
  })
  assert.equal(loader.load('x').definition.description, '2')
})

const BROKEN: { what: string; part: string; code: string; says: (file: string) => string | RegExp }[] = [
  {
    what: 'a syntax error that the transpiler sees',
    part: '\nconst a = ;',
    code: 'ERR_MODULE_SYNTAX',
    says: file => `${file}:2:11: Unexpected token`
  },
  {
    what: 'a syntax error that only the engine sees',
    part: 'let a = 1\n\nlet a = 2',
    code: 'ERR_MODULE_SYNTAX',
    says: file => `${file}:3:5: Identifier 'a' has already been declared`
  },
  {
    what: 'an import of a file that is not there',
    part: `\nimport { x } from './nowhere'\nx()`,
    code: 'ERR_MODULE_IMPORT',
    says: file => `${file}:2: there is no file './nowhere'`
  },
  {
    what: 'an import of a package that is not there',
    part: `import { x } from 'no-such-package'\nx()`,
    code: 'ERR_MODULE_IMPORT',
    says: file => `${file}:1: Cannot find module 'no-such-package'`
  },
  {
    what: 'an import of the code of another module',
    part: `\n\nimport other from '../mod_other'\nother()`,
    code: 'ERR_MODULE_IMPORT',
    says: file => `${file}:3: '../mod_other' is code of another module: reach it by ctx.use('other')`
  },
  {
    what: 'code that throws',
    part: `\n\n\nthrow new RangeError('too far')`,
    code: 'ERR_MODULE_LOAD',
    says: file => `${file}:4: RangeError: too far`
  },
  {
    what: 'what belongs to ES modules only',
    part: `export const here = import.meta.url`,
    code: 'ERR_MODULE_SYNTAX',
    says: file => new RegExp(`^${file}:1.*import\\.meta`)
  }
]

for (const { what, part, code, says } of BROKEN) {
  test(`refused with file and line: ${what}`, t => {
    const { loader, folder } = setUp(t, {
      'mod_x/index.ts': `import './part'\n${moduleText('x', 'v')}`,
      'mod_x/part.ts': part,
      'mod_other/index.ts': moduleText('other', 'v')
    })
    const error = refusal(loader, 'x')
    assert.equal(error.code, code)
    const expected = says(path.join(folder, 'mod_x/part.ts'))
    if (typeof expected === 'string') assert.equal(error.message, expected)
    else assert.match(error.message, expected)
  })
}

test('refused: an entry that is an ES module, by its name or by its package', t => {
  const { loader, folder } = setUp(t, {
    'mod_x/index.mjs': 'export default {}',
    'mod_y/index.js': 'export default {}',
    'mod_y/package.json': '{ "type": "module" }',
    'mod_z/index.js': `const { defineModule, z } = require('balcony')
      exports.default = defineModule({ name: 'z', description: 'plain', on: ['virtual'], config: z.object({}), setup () {} })`
  })
  for (const [name, file] of [
    ['x', 'index.mjs'],
    ['y', 'index.js']
  ] as const) {
    const error = refusal(loader, name)
    assert.equal(error.code, 'ERR_MODULE_ESM')
    assert.ok(error.message.startsWith(path.join(folder, `mod_${name}`, file)), error.message)
    assert.match(error.message, /ES module.*CommonJS/)
  }
  assert.equal(loader.load('z').definition.description, 'plain')
})

test('refused: a package that is an ES module, where this Node cannot require one', t => {
  const { loader, folder } = setUp(t, {
    'mod_x/index.ts': describing(`import { a } from 'only-esm'`, 'a'),
    'node_modules/only-esm/package.json': '{ "name": "only-esm", "type": "module", "exports": "./index.js" }',
    'node_modules/only-esm/index.js': `export const a = 'loaded'`
  })
  if (process.features.require_module) {
    assert.equal(loader.load('x').definition.description, 'loaded')
    return
  }
  const error = refusal(loader, 'x')
  assert.equal(error.code, 'ERR_MODULE_ESM')
  assert.equal(
    error.message,
    `${path.join(folder, 'mod_x/index.ts')}:2: 'only-esm' is an ES module, which cannot be required`
  )
})

test('refused: a definition with faults, all of them told', t => {
  const { loader, folder } = setUp(t, {
    'mod_x/index.ts': `export default { name: 'y', description: '', on: ['nowhere'], config: {}, dependencies: 'z', setpu: 1 }`,
    'mod_y/index.ts': `export const setup = () => undefined`
  })
  const error = refusal(loader, 'x')
  assert.equal(error.code, 'ERR_MODULE_DEFINITION')
  for (const part of [
    "'y'",
    'description',
    'on must',
    'zod',
    'setup',
    'dependencies',
    'no \'setpu\'; did you mean "setup"?',
    path.join(folder, 'mod_x/index.ts')
  ]) {
    assert.ok(error.message.includes(part), `${part} is not in: ${error.message}`)
  }
  assert.match(refusal(loader, 'y').message, /default export/)
})

test('names that are none find nothing', t => {
  const { loader } = setUp(t, {
    'mod_x/index.ts': moduleText('x', 'v'),
    'elsewhere/index.ts': 'export default {}'
  })
  for (const name of ['y', '../elsewhere', 'x/../x', '', 'X', 'a'.repeat(64)]) {
    assert.equal(loader.find(name), undefined)
    assert.equal(refusal(loader, name).code, 'ERR_MODULE_UNKNOWN')
  }
})

test('a folder that comes first wins, and all names are listed', t => {
  const [own, shipped] = [tempFolder(t), tempFolder(t)]
  write(shipped, {
    'mod_x/index.ts': moduleText('x', 'v'),
    'mod_y/index.ts': moduleText('y', 'v'),
    'mod_empty/README.md': ''
  })
  write(own, { 'mod_x/index.js': 'module.exports = {}', 'lib_z/index.ts': '' })
  const loader = new ModuleLoader([own, shipped, path.join(own, 'missing')], FACE)
  assert.deepEqual(loader.names(), ['x', 'y'])
  assert.equal(loader.find('x'), path.join(own, 'mod_x'))
  assert.equal(loader.find('y'), path.join(shipped, 'mod_y'))
})

test('the catalogue tells the config what there is, and keeps the code that is in use', t => {
  const { loader, folder } = setUp(t, {
    'mod_x/index.ts': moduleText('x', 'v'),
    'mod_bad/index.ts': 'let a = ;'
  })
  const catalogue = new ModuleCatalogue(loader)
  const x = catalogue.get('x')
  assert.ok(x && 'schema' in x)
  assert.deepEqual(x.on, ['virtual', 'component', 'server'])
  const bad = catalogue.get('bad')
  assert.ok(bad && 'error' in bad)
  assert.equal(bad.error, `${path.join(folder, 'mod_bad/index.ts')}:1:9: Unexpected token`)
  assert.equal(catalogue.get('nothing'), undefined)
  assert.deepEqual(catalogue.names(), ['bad', 'x'])

  const used: ModuleDefinition = catalogue.load('x').definition
  write(folder, { 'mod_bad/index.ts': moduleText('bad', 'v') })
  assert.equal(catalogue.load('x').definition, used)
  assert.ok('schema' in (catalogue.get('bad') ?? {}))
  catalogue.forget('x')
  assert.notEqual(catalogue.load('x').definition, used)
})
