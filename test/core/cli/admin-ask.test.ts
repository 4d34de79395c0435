import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import test, { type TestContext } from 'node:test'
import { Asker, InputLines } from '../../../core/cli/admin/asker'
import { fill, mend } from '../../../core/cli/admin/fill'
import type { AskedField, AskedForm } from '../../../core/cli/admin/protocol'

/** A terminal on which somebody types, and what it shows. */
function terminal(
  t: TestContext,
  ...keys: string[]
): { asker: Asker; input: PassThrough; shown: () => string } {
  let shown = ''
  t.mock.method(process.stderr, 'write', (text: string | Uint8Array) => {
    shown += String(text)
    return true
  })
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined })
  const asker = new Asker(input as unknown as NodeJS.ReadStream)
  for (const key of keys) input.write(key)
  return { asker, input, shown: () => shown }
}

function pipe(...chunks: string[]): InputLines {
  const input = new PassThrough()
  for (const chunk of chunks) input.write(chunk)
  input.end()
  return new InputLines(input as unknown as NodeJS.ReadStream)
}

function field(name: string, more: Partial<AskedField> = {}): AskedField {
  return { var: name, type: 'text-single', required: false, open: false, values: [], ...more }
}

function form(...fields: AskedField[]): AskedForm {
  return { instructions: [], fields }
}

const NOTHING = new Map<string, string[]>()

test('what is pasted at once answers one question after another', async t => {
  const { asker, shown } = terminal(t, 'Juliet\rswordfish\rsword', 'fish\ry\r')
  const filled = await fill(
    form(
      field('name', { required: true }),
      field('key', { type: 'text-private' }),
      field('sure', { type: 'boolean' })
    ),
    NOTHING,
    { asker, lines: undefined, yes: false }
  )
  asker.close()
  assert.deepEqual(
    [...filled],
    [
      ['name', ['Juliet']],
      ['key', ['swordfish']],
      ['sure', ['1']]
    ]
  )
  assert.match(shown(), /name: Juliet/)
  assert.doesNotMatch(shown(), /sword/)
})

test('Ctrl-C between two questions counts, too', async t => {
  const { asker, input } = terminal(t, 'one\r')
  assert.equal(await asker.line('first: '), 'one')
  input.write('\u0003')
  await new Promise(setImmediate)
  await assert.rejects(asker.line('second: '), { exitCode: 130, message: /nothing was done/ })
  await assert.rejects(asker.line('third: '), { exitCode: 130 })
  assert.throws(() => asker.close(), { exitCode: 130 })
})

test('what a form suggests is kept by Enter as it is, empty lines too, and emptied by -', async t => {
  const asked = form(
    field('text', { type: 'text-multi', values: ['a', '', 'b'] }),
    field('none', { values: [''] }),
    field('list', { type: 'jid-multi', values: ['a@b'] }),
    field('one', { values: ['x'] })
  )
  const { asker, shown } = terminal(t, '\r', '\r', '-\r', '-\r')
  const filled = await fill(asked, NOTHING, { asker, lines: undefined, yes: false })
  asker.close()
  assert.deepEqual(Object.fromEntries(filled), { text: ['a', '', 'b'], none: [''], list: [''], one: [''] })
  assert.match(shown(), /none: /)
})

test('secrets are lines of standard input, in the order of their fields; the same again is none', async () => {
  const asked = form(
    field('old', { type: 'text-private', required: true }),
    field('new', { type: 'text-private', required: true }),
    field('new-verify', { type: 'text-private', required: true }),
    field('hint', { type: 'text-private' })
  )
  const sources = { asker: undefined, yes: false }
  const filled = await fill(asked, NOTHING, { ...sources, lines: pipe('on', 'e\r\ntwo\n') })
  assert.deepEqual(Object.fromEntries(filled), { old: ['one'], new: ['two'], 'new-verify': ['two'] })
  await assert.rejects(fill(asked, NOTHING, { ...sources, lines: pipe('one\n') }), {
    exitCode: 2,
    message: /needed:\n {2}new \(a line of standard input\)\n {2}new-verify/
  })
})

test('a secret that was refused is asked for again with what wants it twice', async t => {
  const asked = form(
    field('password', { type: 'text-private' }),
    field('password-verify', { type: 'text-private' })
  )
  const { asker } = terminal(t, 'better\r', 'better\r')
  const fault = { message: 'password-verify: is another.', field: 'password-verify' }
  const before = new Map([
    ['password', ['bad']],
    ['password-verify', ['bad']]
  ])
  const turn = { state: 'form', stage: 0, last: true, form: asked, fault } as const
  const filled = await mend(turn, before, { asker, lines: undefined, yes: true })
  asker.close()
  assert.deepEqual(Object.fromEntries(filled), { password: ['better'], 'password-verify': ['better'] })
  await assert.rejects(mend(turn, before, { asker: undefined, lines: undefined, yes: false }), {
    exitCode: 2,
    message: 'password-verify: is another. Nothing was done.'
  })
})
