import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import test from 'node:test'
import { askPassword, confirm } from '../../../core/cli/password'

/** Standard input as a pipe. */
function pipe(...chunks: (string | Buffer)[]): NodeJS.ReadStream {
  const input = new PassThrough()
  for (const chunk of chunks) input.write(chunk)
  input.end()
  return input as unknown as NodeJS.ReadStream
}

/** Standard input as a terminal on which somebody types, a chunk for each key or paste. */
function terminal(...keys: string[]): { input: NodeJS.ReadStream; modes: boolean[] } {
  const modes: boolean[] = []
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (on: boolean) => void modes.push(on)
  })
  for (const key of keys) input.write(key)
  return { input: input as unknown as NodeJS.ReadStream, modes }
}

async function quietly<T>(fn: () => Promise<T>): Promise<{ shown: string; result: T }> {
  const { write } = process.stderr
  let shown = ''
  process.stderr.write = (text: string | Uint8Array) => {
    shown += String(text)
    return true
  }
  try {
    return { result: await fn(), shown }
  } finally {
    process.stderr.write = write
  }
}

test('from a pipe: the first line, whatever follows, cut anywhere', async () => {
  assert.equal(await askPassword('x', pipe('swordfish\n')), 'swordfish')
  assert.equal(await askPassword('x', pipe('swordfish')), 'swordfish')
  assert.equal(await askPassword('x', pipe('sword', 'fish\r\nmore\n')), 'swordfish')
  const bytes = Buffer.from('schlüssel 🗝\n')
  assert.equal(await askPassword('x', pipe(...[...bytes].map(byte => Buffer.of(byte)))), 'schlüssel 🗝')
})

test('from a pipe: nothing, an empty line, far too much', async () => {
  await assert.rejects(askPassword('x', pipe()), /password is empty/)
  await assert.rejects(askPassword('x', pipe('\nswordfish\n')), /password is empty/)
  await assert.rejects(askPassword('x', pipe('x'.repeat(10_000))), /longer than/)
})

test('on a terminal: asked for twice, never shown, what was typed wrong can be taken back', async () => {
  const { input, modes } = terminal(
    'sword',
    'g',
    '\u007f',
    '\u001b[D',
    'fi',
    'sh',
    '\r',
    'nonsense\u0015swordfish\r'
  )
  const { result, shown } = await quietly(() => askPassword('Password for juliet', input))
  assert.equal(result, 'swordfish')
  assert.equal(shown, 'Password for juliet: \nThe same again: \n')
  assert.deepEqual(modes, [true, false, true, false])
})

test('on a terminal: pasted with its line ends', async () => {
  const { result } = await quietly(() => askPassword('x', terminal('swordfish\nswordfish\n').input))
  assert.equal(result, 'swordfish')
})

test('on a terminal: two that differ, none, and Ctrl-C', async () => {
  await quietly(async () => {
    await assert.rejects(askPassword('x', terminal('swordfish\rcodfish\r').input), /not the same/)
    await assert.rejects(askPassword('x', terminal('\r').input), /is empty/)
    const { input, modes } = terminal('sword\u0003')
    await assert.rejects(askPassword('x', input), { exitCode: 130 })
    assert.deepEqual(modes, [true, false])
  })
})

test('a question is asked where somebody can answer', async () => {
  assert.equal(await confirm('Sure?', pipe('yes\n')), undefined)
  const { result, shown } = await quietly(() => confirm('Sure?', terminal('yes\n').input))
  assert.deepEqual([result, shown], [true, 'Sure? [yes/no] '])
  assert.equal((await quietly(() => confirm('Sure?', terminal('y\n').input))).result, false)
})
