import assert from 'node:assert/strict'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { z } from 'zod'
import { caller } from '../../../core/cli/caller'
import { askServer } from '../../../core/cli/control-client'
import {
  act,
  MAX_CONNECTIONS,
  MAX_REQUEST,
  operation,
  type ControlOperations
} from '../../../core/cli/control-protocol'
import { ControlServer } from '../../../core/cli/control-server'
import { CodedError } from '../../../core/errors'
import { createLogger } from '../../../core/log'

const OPERATIONS: ControlOperations = {
  echo: operation(z.strictObject({ text: z.string() }), ({ text }) => text),
  nothing: operation(z.strictObject({}), () => undefined),
  count: operation(z.strictObject({ to: z.int() }), async ({ to }, emit) => {
    for (let i = 1; i <= to; i++) await emit(`line ${i}`)
    return to
  }),
  change: act(
    z.strictObject({ jid: z.string(), password: z.string() }),
    ({ jid }) => jid,
    ({ jid }) => {
      if (jid === 'nobody') throw new CodedError('ERR_NOBODY', 'there is nobody')
      return jid === 'half' ? { ok: false, lines: ['one', 'two'] } : { ok: true }
    }
  ),
  refuse: operation(z.strictObject({}), () => {
    throw new CodedError('ERR_NOT_NOW', 'it cannot be done now')
  }),
  fail: operation(z.strictObject({ password: z.string() }), () => {
    throw new TypeError('a fault of ours')
  })
}

interface Fixture {
  path: string
  lines: string[]
}

function folder(t: TestContext): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-control-'))
  t.after(() => fs.rmSync(made, { recursive: true, force: true }))
  return made
}

async function open(t: TestContext, at = path.join(folder(t), 'control.sock')): Promise<Fixture> {
  const lines: string[] = []
  const log = createLogger({ format: 'json', destination: { write: line => lines.push(line) } })
  const server = await ControlServer.open(at, OPERATIONS, log)
  t.after(() => server.close(0))
  return { path: at, lines }
}

const ask = (at: string, op: string, params: unknown = {}, emit: (line: string) => void = () => undefined) =>
  askServer(at, op, params, emit)

/** Writes these bytes and resolves with all that comes until the end. */
function raw(at: string, ...chunks: (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(at)
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    // A server that has had enough drops the connection
    socket.on('error', error =>
      (error as NodeJS.ErrnoException).code === 'EPIPE' ? undefined : reject(error)
    )
    socket.on('close', () => resolve(text))
    for (const chunk of chunks) socket.write(chunk)
  })
}

test('an operation is asked for and answers; many lines come one by one', async t => {
  const { path: at } = await open(t)
  assert.deepEqual(await ask(at, 'echo', { text: 'wherefore\n"art" thou' }), {
    result: 'wherefore\n"art" thou'
  })
  assert.deepEqual(await ask(at, 'nothing'), { result: null })
  const lines: string[] = []
  assert.deepEqual(await ask(at, 'count', { to: 20_000 }, line => void lines.push(line)), { result: 20_000 })
  assert.deepEqual([lines.length, lines[0], lines.at(-1)], [20_000, 'line 1', 'line 20000'])
})

test('errors keep their code; a fault is told in the log alone, and no parameter is repeated', async t => {
  const { path: at, lines } = await open(t)
  await assert.rejects(ask(at, 'refuse'), { code: 'ERR_NOT_NOW', message: 'it cannot be done now' })
  await assert.rejects(ask(at, 'echo', { text: 7 }), { code: 'ERR_CONTROL_PARAMS', message: /^text: / })
  await assert.rejects(ask(at, 'echo', { text: '', more: 'swordfish' }), { code: 'ERR_CONTROL_PARAMS' })
  for (const op of ['nonsense', 'toString', '__proto__'])
    await assert.rejects(ask(at, op), { code: 'ERR_CONTROL_OPERATION' })
  await assert.rejects(ask(at, 'fail', { password: 'swordfish' }), { code: 'ERR_FAULT' })
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /a fault of ours/)
  assert.doesNotMatch(lines.join(''), /swordfish/)
})

test('what changes something is a line in the log, done or refused, without a password', async t => {
  const { path: at, lines } = await open(t)
  const password = 'swordfish'
  await ask(at, 'change', { jid: 'juliet', password })
  await ask(at, 'change', { jid: 'half', password })
  await assert.rejects(ask(at, 'change', { jid: 'nobody', password }), { code: 'ERR_NOBODY' })
  await ask(at, 'nothing')
  const told = lines.map(line => JSON.parse(line) as Record<string, unknown>)
  const by = `local:${caller()}`
  assert.deepEqual(
    told.map(({ by, command, on, result, detail }) => ({ by, command, on, result, detail })),
    [
      { by, command: 'change', on: 'juliet', result: 'done', detail: undefined },
      { by, command: 'change', on: 'half', result: 'failed', detail: 'one\ntwo' },
      { by, command: 'change', on: 'nobody', result: 'failed', detail: 'there is nobody' }
    ]
  )
  assert.doesNotMatch(lines.join(''), /swordfish/)
})

test('who asks is the user of the system, or whoever is that user by sudo; a name cannot be anything', async t => {
  assert.equal(caller({}), os.userInfo().username)
  assert.equal(caller({ SUDO_USER: 'romeo' }), 'romeo')
  assert.equal(caller({ SUDO_USER: 'a\nb c\u202e' }), 'a_b_c_')
  assert.equal(caller({ SUDO_USER: 'x'.repeat(200) }).length, 100)
  const { path: at, lines } = await open(t)
  for (const user of ['', 'a b', 'a\nb', 'x'.repeat(101)])
    assert.match(await raw(at, `${JSON.stringify({ op: 'nothing', user })}\n`), /ERR_CONTROL_REQUEST/)
  const params = { jid: 'juliet', password: 'swordfish' }
  await raw(at, `${JSON.stringify({ op: 'change', params, user: 'romeo' })}\n`)
  assert.match(lines[0] ?? '', /"by":"local:romeo"/)
})

test('only its owner may open it', async t => {
  const { path: at } = await open(t)
  assert.equal(fs.statSync(at).mode & 0o777, 0o600)
})

test('nobody there is told from somebody who does not answer', async t => {
  const at = path.join(folder(t), 'control.sock')
  assert.equal(await ask(at, 'nothing'), undefined)

  // What a killed server leaves behind
  const killed = net.createServer()
  await new Promise<void>(resolve => killed.listen(at, resolve))
  const kept = `${at}.kept`
  fs.renameSync(at, kept)
  await new Promise(resolve => killed.close(resolve))
  fs.renameSync(kept, at)
  assert.ok(fs.existsSync(at))
  assert.equal(await ask(at, 'nothing'), undefined)

  await open(t, at)
  assert.deepEqual(await ask(at, 'nothing'), { result: null })
})

test('a server that ends before its answer, and one that talks nonsense', async t => {
  const at = path.join(folder(t), 'control.sock')
  const answers = ['', 'nonsense\n']
  const server = net.createServer(socket => socket.end(answers.shift() ?? ''))
  await new Promise<void>(resolve => server.listen(at, resolve))
  t.after(() => server.close())
  await assert.rejects(ask(at, 'nothing'), { code: 'ERR_CONTROL', message: /ended before it answered/ })
  await assert.rejects(ask(at, 'nothing'), { code: 'ERR_CONTROL', message: /cannot be read/ })
})

test('requests that are none, cut anywhere, too long, or never finished', async t => {
  const { path: at } = await open(t)
  for (const bad of [
    'nonsense\n',
    '\n',
    '[]\n',
    '"x"\n',
    'null\n',
    '{"op":7}\n',
    '{"op":"echo","x":1}\n',
    '\u0000\n'
  ])
    assert.match(await raw(at, bad), /ERR_CONTROL_REQUEST/)
  assert.match(await raw(at, '{"op":"no', 'thing"', '}\n'), /"ok":true/)
  assert.match(await raw(at, '{"op":"nothing"}\n{"op":"refuse"}\n'), /^\{"ok":true,"result":null\}\n$/)
  assert.match(await raw(at, 'x'.repeat(MAX_REQUEST + 1)), /ERR_CONTROL_REQUEST/)
  assert.match(
    await raw(at, `{"op":"echo","params":{"text":"${'x'.repeat(MAX_REQUEST)}"}}\n`),
    /ERR_CONTROL_REQUEST/
  )
  const half = net.connect(at)
  half.end('{"op":"nothing"}')
  assert.equal(await new Promise<boolean>(resolve => half.on('close', resolve)), false)
  assert.deepEqual(await ask(at, 'nothing'), { result: null })
})

test('a server that is busy says so, and has room again when others have gone', async t => {
  const { path: at } = await open(t)
  const idle = (count: number): Promise<net.Socket[]> =>
    Promise.all(
      Array.from({ length: count }, async () => {
        const socket = net.connect(at)
        t.after(() => socket.destroy())
        socket.on('error', () => socket.destroy())
        await new Promise(resolve => socket.on('connect', resolve))
        return socket
      })
    )
  const busy = { code: 'ERR_CONTROL_BUSY', message: 'the server is busy with other commands: try again' }
  const first = await idle(MAX_CONNECTIONS)
  await assert.rejects(ask(at, 'nothing'), busy)
  await assert.rejects(ask(at, 'echo', { text: 'x'.repeat(MAX_REQUEST / 2) }), busy)
  const more = await idle(4)
  await Promise.all(more.map(socket => new Promise(resolve => socket.resume().on('close', resolve))))
  await assert.rejects(ask(at, 'nothing'), busy)
  const [gone] = first
  assert.ok(gone)
  gone.destroy()
  for (;;) {
    const answer = await ask(at, 'nothing').catch((error: unknown) => error)
    if (!(answer instanceof CodedError)) return assert.deepEqual(answer, { result: null })
    assert.equal(answer.code, 'ERR_CONTROL_BUSY')
  }
})

test('a path that is too long for a socket is refused by name, and nothing is cut off', async t => {
  const at = path.join(folder(t), 'x'.repeat(100), 'control.sock')
  const log = createLogger({ destination: { write: () => undefined } })
  await assert.rejects(ControlServer.open(at, {}, log), {
    code: 'ERR_CONTROL_SOCKET',
    message: /longer than/
  })
  const missing = path.join(folder(t), 'no', 'control.sock')
  await assert.rejects(ControlServer.open(missing, {}, log), { code: 'ERR_CONTROL_SOCKET' })
})
