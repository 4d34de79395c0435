import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import test from 'node:test'
import { createLogger, SECRET_NAMES, type LogOptions } from '../../core/log'

function logged(options: LogOptions = {}) {
  const lines: string[] = []
  const destination = { write: (line: string) => lines.push(line), isTTY: false }
  return { log: createLogger({ ...options, destination }), lines }
}

function parsed(line: string | undefined): Record<string, unknown> {
  return JSON.parse(line ?? '{}') as Record<string, unknown>
}

test('JSON where nobody looks, with level, time and what the children carry', () => {
  const { log, lines } = logged()
  log.child({ host: 'localhost' }).child({ module: 'roster' }).warn({ count: 3 }, 'too many')
  assert.equal(lines.length, 1)
  const { time, ...rest } = parsed(lines[0])
  assert.deepEqual(rest, { level: 'warn', host: 'localhost', module: 'roster', count: 3, msg: 'too many' })
  assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/)
})

test('pretty on a terminal and where it is asked for', () => {
  const lines: string[] = []
  const terminal = { write: (line: string) => lines.push(line), isTTY: true }
  createLogger({ destination: terminal }).info('hello')
  assert.match(lines[0] ?? '', /hello/)
  assert.throws(() => parsed(lines[0]))

  const { log, lines: asked } = logged({ format: 'pretty' })
  log.child({ module: 'roster', host: 'localhost' }).error({ err: new Error('no'), id: 7 }, 'failed')
  assert.match(asked.join(''), /ERROR.*\[localhost roster\] failed.*"id":7/)
  assert.match(asked.join(''), /Error: no\n.*log\.test\.ts/)

  const { lines: json } = { lines: [] as string[] }
  createLogger({
    format: 'json',
    destination: { write: (line: string) => json.push(line), isTTY: true }
  }).info('x')
  assert.equal(parsed(json[0]).msg, 'x')
})

test('a change of level reaches the children that there are', () => {
  const { log, lines } = logged({ level: 'info' })
  const child = log.child({ module: 'a' }).child({ host: 'b' })
  child.debug('one')
  assert.equal(child.isLevelEnabled('debug'), false)
  log.level = 'debug'
  child.debug('two')
  assert.equal(child.isLevelEnabled('debug'), true)
  log.level = 'error'
  child.warn('three')
  assert.deepEqual(
    lines.map(line => parsed(line).msg),
    ['two']
  )
})

test('secrets are blacked out in data, errors and bindings', () => {
  for (const format of ['json', 'pretty'] as const) {
    const { log, lines } = logged({ format })
    for (const name of SECRET_NAMES) {
      const secret = { [name]: 'hunter2' }
      log.info({ ...secret, a: secret, b: { c: secret }, d: { e: { f: secret } }, list: [secret] }, 'data')
      log.error({ err: Object.assign(new Error('no'), secret, { config: secret }) }, 'error')
      log.child(secret).info('child')
    }
    assert.ok(lines.length >= SECRET_NAMES.length * 3)
    assert.ok(
      !lines.join('').includes('hunter2'),
      lines.find(line => line.includes('hunter2'))
    )
  }
})

test('text of strangers neither steers the terminal nor begins a line', () => {
  const { log, lines } = logged({ format: 'pretty' })
  const evil = '\u001b[2J\u0007\r\b\u009b31m\u202e\n[2030-01-01] INFO: forged'
  log.info({ nick: evil }, `nick ${evil}`)
  log.error({ err: new Error(evil) }, 'failed')
  const text = lines.join('')
  assert.doesNotMatch(text, /[^\P{C}\n\t]/u)
  assert.doesNotMatch(text, /^\[2030/m)
  assert.match(text, /nick \\u001b\[2J/)
})

test('a process ends at once after its last line, and the line is there', () => {
  const script = `
    const { createLogger } = require('./core/log')
    for (const format of ['pretty', 'json']) createLogger({ format }).info('last ' + format)
    process.exit(3)`
  const root = path.join(__dirname, '../..')
  const run = spawnSync(process.execPath, ['--require', './bin/register.js', '-e', script], {
    cwd: root,
    encoding: 'utf8'
  })
  assert.equal(run.status, 3, run.stderr)
  assert.match(run.stdout, /last pretty[^]*"msg":"last json"/)
})
