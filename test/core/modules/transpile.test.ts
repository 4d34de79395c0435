import assert from 'node:assert/strict'
import test from 'node:test'
import { Transpiler } from '../../../core/modules/transpile'

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
