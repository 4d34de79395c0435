import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { acquireLock } from '../../../core/storage'

const STORAGE = path.resolve(__dirname, '../../../core/storage')
const REGISTER = path.resolve(__dirname, '../../../bin/register.js')

function folder(t: TestContext): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-lock-'))
  t.after(() => fs.rmSync(made, { recursive: true, force: true }))
  return path.join(made, 'data')
}

/** A process that takes the lock, says so, and stays. */
async function holder(t: TestContext, at: string): Promise<ChildProcess> {
  const script = `require(${JSON.stringify(REGISTER)})
    try { require(${JSON.stringify(STORAGE)}).acquireLock(${JSON.stringify(at)}, 'balcony start'); console.log('held') }
    catch (error) { console.log(error.code) }
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  assert.equal(said.toString().trim(), 'held')
  return child
}

test('a second one is told who holds the lock, until it is given back', t => {
  const at = folder(t)
  const lock = acquireLock(at, 'balcony start')
  assert.throws(() => acquireLock(at, 'balcony user add'), {
    code: 'ERR_LOCKED',
    message: new RegExp(`${at}.*'balcony start' \\(process ${process.pid}\\)`)
  })
  lock.release()
  lock.release()
  const next = acquireLock(at, 'balcony user add')
  assert.throws(() => acquireLock(at, 'x'), /'balcony user add'/)
  next.release()
})

test('the lock keeps another process out, and is free when that is killed', async t => {
  const at = folder(t)
  const child = await holder(t, at)
  assert.throws(() => acquireLock(at, 'here'), {
    code: 'ERR_LOCKED',
    message: new RegExp(`'balcony start' \\(process ${child.pid ?? 0}\\)`)
  })
  child.kill('SIGKILL')
  await once(child, 'exit')
  const lock = acquireLock(at, 'here')
  assert.match(
    fs.readFileSync(path.join(at, 'lock-holder'), 'utf8'),
    new RegExp(`^${process.pid} here$`, 'm')
  )
  lock.release()
  assert.equal(fs.existsSync(path.join(at, 'lock-holder')), false)
})

test('a refused attempt does not loosen the lock', async t => {
  const at = folder(t)
  await holder(t, at)
  for (let i = 0; i < 5; i++) assert.throws(() => acquireLock(at, 'here'), { code: 'ERR_LOCKED' })
})

test('locks of different folders are apart', t => {
  const a = acquireLock(folder(t), 'a')
  const b = acquireLock(folder(t), 'b')
  a.release()
  b.release()
  assert.ok(true, 'neither was refused')
})

test('a folder that cannot be used is named, with what is wrong with it', t => {
  const at = folder(t)
  fs.mkdirSync(at)
  const file = path.join(at, 'file')
  fs.writeFileSync(file, '')
  const refusal = (place: string): unknown => {
    try {
      acquireLock(place, 'balcony start').release()
    } catch (error) {
      return [(error as { code: unknown }).code, (error as Error).message]
    }
    return undefined
  }
  const refused = (place: string, why: string): unknown => [
    'ERR_DATA_FOLDER',
    `The data folder ${place} cannot be used: ${why}`
  ]
  assert.deepEqual(refusal(file), refused(file, 'it is no folder'))
  assert.deepEqual(
    refusal(path.join(file, 'x')),
    refused(path.join(file, 'x'), 'a part of its path is no folder')
  )
  if (process.getuid?.() === 0) return // root may write everywhere
  fs.chmodSync(at, 0o500)
  assert.match(String(refusal(at)), /ERR_DATA_FOLDER.*this user may not write there/)
})
