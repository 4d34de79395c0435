import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import test from 'node:test'

const DEMO = path.resolve(__dirname, '../../demo/index.mjs')

test('npm run demo tells each step, and ends well', async () => {
  const child = spawn(process.execPath, [DEMO], { stdio: ['ignore', 'pipe', 'pipe'] })
  let told = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (told += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  assert.equal(code, 0, told)
  const steps = [...told.matchAll(/^ {2,3}(\d+) {2}\S/gm)].map(([, step]) => Number(step))
  assert.deepEqual(
    steps,
    steps.map((_, at) => at + 1)
  )
  for (const scene of ['own', 'square', 'no trace', 'town hall'])
    assert.match(told, new RegExp(`Act I, .*${scene}`))
  assert.match(told, new RegExp(`${steps.length} steps, and nothing was lost`))
})
