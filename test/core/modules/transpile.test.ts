import assert from 'node:assert/strict'
import test from 'node:test'
import vm from 'node:vm'
import { transpile, Transpiler } from '../../../core/modules/transpile'

test('what was transpiled is remembered by file and content', () => {
  const transpiler = new Transpiler()
  const code = (value: string, file = '/m/a.ts'): string =>
    transpiler.transpile(`export const value: string = '${value}'\n`, file)
  const first = code('one')
  assert.match(first, /exports\.value = value/)
  assert.doesNotMatch(first, /: string/)
  assert.equal(code('one'), first)
  assert.match(code('two'), /'two'/, 'an edit is seen')
  assert.equal(code('one'), first, 'an edit that is taken back too')
  assert.match(code('three', '/m/b.ts'), /'three'/)
  assert.equal(code('one'), first)
})

test('a fault is told each time, and forgotten with it', () => {
  const transpiler = new Transpiler()
  const broken = (): string => transpiler.transpile('let a = ;', '/m/a.ts')
  const fault = { code: 'ERR_MODULE_SYNTAX', message: '/m/a.ts:1:9: Unexpected token' }
  assert.throws(broken, fault)
  assert.throws(broken, fault)
  assert.match(transpiler.transpile('export let a = 1', '/m/a.ts'), /1/)
  assert.throws(broken, fault)
})

test('a private name that the file also exports stays private', () => {
  const code = transpile(
    `export function changed() { return 'exported' }
     export let count = 7
     export class Counter {
       #changed = 0
       #count = 1
       turn() {
         this.#changed = 5
         this.#count += 2
         this.#count++
         this.#count--
         ++this.#count
         return [this.#changed, this.#count]
       }
     }
     export const made = new Counter().turn()`,
    'counter.ts'
  )
  const module = { exports: {} as Record<string, unknown> }
  vm.runInNewContext(code, module)
  assert.deepEqual([...(module.exports.made as number[])], [5, 4])
  assert.equal((module.exports.changed as () => string)(), 'exported')
  assert.equal(module.exports.count, 7)
})
