import test from 'node:test'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const RUN = path.resolve(__dirname, '../run.mjs')

/** Runs the runner over test files of these texts; resolves with its exit code and the lines it printed. */
function run(t: test.TestContext, files: Readonly<Record<string, string>>, ...args: string[]) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-runner-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text)
  const { status, stdout, stderr } = spawnSync(process.execPath, [RUN, '--in', folder, ...args], {
    encoding: 'utf8',
    timeout: 60_000
  })
  assert.equal(stderr, '')
  const lines = stdout.trimEnd().split('\n')
  return { status, text: stdout, last: lines.at(-1) }
}

const HEAD = "import test from 'node:test'\nimport assert from 'node:assert'\n"

/** Whether a process runs; one that ended and that nobody has asked for yet (a zombie) does not. */
function isAlive(pid: number): boolean {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()
  return state !== '' && !state.startsWith('Z')
}

test('runner: passes, with TypeScript, and counts', t => {
  const { status, last } = run(t, {
    'a.test.ts': `${HEAD}const n: number = 1\ntest('one', () => assert.equal(n, 1))\ntest('two', () => {})\n`,
    'b.test.mjs': `${HEAD}test('three', async t => { await t.test('inner', () => {}) })\n`,
    'helper.ts': 'export const no = 1\n'
  })
  assert.equal(last, '4 passed, 0 failed, 0 skipped')
  assert.equal(status, 0)
})

test('runner: a failure is named with its message and counted once', t => {
  const { status, text, last } = run(t, {
    'a.test.ts': `${HEAD}test('outer', async t => { await t.test('inner', () => assert.equal(1, 2)) })\ntest('good', () => {})\n`
  })
  assert.equal(last, '1 passed, 1 failed, 0 skipped')
  assert.match(text, /✗ outer › inner\n/)
  assert.match(text, /AssertionError .*: 1 == 2/)
  assert.equal(status, 1)
})

test('runner: skipped tests are listed with their reasons', t => {
  const { status, text, last } = run(t, {
    'a.test.ts': `${HEAD}test('good', () => {})\ntest('on MariaDB', { skip: 'mariadbd is not installed' }, () => {})\n`
  })
  assert.equal(last, '1 passed, 0 failed, 1 skipped')
  assert.match(text, /skipped, mariadbd is not installed:\n.*a\.test\.ts: on MariaDB/)
  assert.equal(status, 0)
})

test('runner: nothing but skipped tests is no success', t => {
  const { status, last } = run(t, { 'a.test.ts': `${HEAD}test('later', { skip: 'why' }, () => {})\n` })
  assert.equal(last, '0 passed, 0 failed, 1 skipped')
  assert.equal(status, 1)
})

test('runner: no file, no success', t => {
  const { status, last } = run(t, {}, 'nothing-like-it')
  assert.equal(last, '0 passed, 0 failed, 0 skipped')
  assert.equal(status, 1)
})

test('runner: a file without tests, one that throws, and one that exits are failures', t => {
  const { status, text, last } = run(t, {
    'empty.test.ts': 'export const nothing = 1\n',
    'throws.test.ts': `${HEAD}throw new Error('at load')\n`,
    'exits.test.ts': `${HEAD}test('good', () => {})\ntest('cut off', () => process.exit(0))\n`,
    'after.test.ts': `${HEAD}test('good', () => { setTimeout(() => { throw new Error('later') }, 20) })\n`
  })
  assert.equal(status, 1)
  assert.match(text, /✗ .*empty\.test\.ts[^]*it holds no test that ran/)
  assert.match(text, /✗ .*throws\.test\.ts[^]*at load/)
  assert.match(text, /✗ .*exits\.test\.ts/)
  assert.match(text, /✗ .*after\.test\.ts/)
  assert.match(last ?? '', /^\d passed, [4-9] failed, 0 skipped$/)
})

test('runner: a file that hangs is ended with what it started', t => {
  const child =
    "const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })"
  const { status, text, last } = run(t, {
    'hangs.test.ts':
      `// time limit: 2 s\n${HEAD}import { spawn } from 'node:child_process'\n` +
      `test('hangs', async () => { ${child}; console.log('pid=' + child.pid); await new Promise(() => {}) })\n`
  })
  assert.equal(status, 1)
  assert.equal(last, '0 passed, 1 failed, 0 skipped')
  assert.match(text, /not finished after 2 s/)
  const pid = Number(/pid=(\d+)/.exec(text)?.[1])
  assert.ok(pid > 0, 'the hanging test did not say what it started')
  assert.ok(!isAlive(pid), 'what the hanging test started still runs')
})

test('runner: --name and a part of the path choose', t => {
  const files = {
    'a.test.ts': `${HEAD}test('red', () => {})\ntest('blue', () => assert.fail())\n`,
    'b.test.ts': `${HEAD}test('green', () => assert.fail())\n`
  }
  assert.equal(run(t, files, 'a.test').last, '1 passed, 1 failed, 0 skipped')
  assert.equal(run(t, files, '--name', 'red').last, '1 passed, 0 failed, 0 skipped')
})
