import test from 'node:test'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

const BENCH = path.resolve(__dirname, '../../bench')

function run(script: string, ...args: string[]) {
  return spawnSync(process.execPath, [path.join(BENCH, script), ...args], {
    encoding: 'utf8',
    timeout: 30_000
  })
}

test('bench: what it does not know is named with what there is', () => {
  const scenario = run('compare.mjs', '--scenarios', 'chat,gossip')
  assert.equal(scenario.status, 2)
  assert.match(scenario.stderr, /no scenario gossip; there are: chat, iq-ping/)
  const server = run('compare.mjs', '--servers', 'balcony,openfire')
  assert.equal(server.status, 2)
  assert.match(server.stderr, /no server openfire; there are: balcony, prosody/)
})

test('bench: the load generator goes for loopback only', () => {
  const { status, stderr } = run('bench.mjs', '--host', '192.0.2.1', '--scenario', 'chat')
  assert.equal(status, 2)
  assert.match(stderr, /only loopback is allowed/)
})

test('bench: every server has a script with all verbs', () => {
  const scripts = fs.readdirSync(BENCH).filter(file => /^setup-\w+\.sh$/.test(file))
  assert.deepEqual(scripts, ['setup-balcony.sh', 'setup-ejabberd.sh', 'setup-prosody.sh', 'setup-stub.sh'])
  const frame = fs.readFileSync(path.join(BENCH, 'lib/setup.sh'), 'utf8')
  for (const verb of ['needs', 'init', 'start', 'stop', 'pid', 'env', 'destroy'])
    assert.match(frame, new RegExp(`^ +${verb}\\)`, 'm'), `no ${verb}`)
  for (const script of scripts) {
    const text = frame + fs.readFileSync(path.join(BENCH, script), 'utf8')
    for (const step of ['needs', 'init', 'launch', 'is_up', 'complaints'])
      assert.match(text, new RegExp(`^${step}\\(\\)`, 'm'), `${script} has no ${step}`)
    assert.match(text, /^run_verb /m, `${script} runs nothing`)
    assert.equal(spawnSync('bash', ['-n', script], { cwd: BENCH }).status, 0, `${script} is no bash`)
    assert.ok((fs.statSync(path.join(BENCH, script)).mode & 0o111) !== 0, `${script} has no run bit`)
  }
})
