import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import path from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'

const REGISTER = path.resolve(__dirname, '../../../bin/register.js')

/** Bytes by which the heap grows with each reload of a module that does `wrong` beside everything else. */
async function growth(wrong = ''): Promise<number> {
  const child = path.join(__dirname, 'leak-child.ts')
  const args = ['--expose-gc', '--no-warnings', '--require', REGISTER, child, wrong]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 110_000 })
  const bytes = Number(stdout)
  assert.ok(Number.isFinite(bytes), stdout)
  return bytes
}

test('a reload with an edited nested file leaves less than 2 KiB', async () => {
  const bytes = await growth()
  assert.ok(bytes < 2048, `${Math.round(bytes)} bytes a reload`)
})

test('the measurement sees what a module registers outside its scope', async () => {
  const bytes = await growth(`process.setMaxListeners(0); process.on('exit', () => helper.size)`)
  assert.ok(bytes > 2048, `${Math.round(bytes)} bytes a reload`)
})
