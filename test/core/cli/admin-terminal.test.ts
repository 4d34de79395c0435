// time limit: 300 s
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import type { SpawnedServer } from '../../lib/spawn'
import { Terminal } from '../../lib/terminal'
import { startWithThings } from './admin-commands'

const PROGRAM = path.resolve(__dirname, '../../../bin/balcony.js')

const skip = (process.env.PATH ?? '').split(':').some(folder => fs.existsSync(path.join(folder, 'tmux')))
  ? false
  : "not installed: tmux (Debian's package of that name)"

/** `balcony admin` in a terminal. */
async function opened(t: TestContext, server: SpawnedServer, args: string): Promise<Terminal> {
  const terminal = new Terminal()
  t.after(() => terminal.close())
  const command = `${process.execPath} ${PROGRAM} admin ${args} --config ${server.configFile}`
  await terminal.start(command)
  return terminal
}

test('on a terminal it asks for what is missing', { skip }, async t => {
  const server = await startWithThings(t)

  await t.test('every field, if nothing was given: choices, what is there, required again', async t => {
    const person = await opened(t, server, 'all --host localhost')
    const first = await person.shows(/A name \(name\):$/m)
    assert.match(first, /All kinds\nFill it in\.\nRead this\n/)
    await person.types('')
    await person.shows(/A value is required\.\nA name \(name\):$/m)
    await person.types('Juliet')
    await person.shows(/After whom \(after\):$/m)
    await person.types('')
    await person.shows(/A colour \(colour\)\n {2}r {6}Red\n {2}green\n\[r\], - for none:$/m)
    await person.types('blue')
    await person.shows(/It must be one of: r, green\n\[r\], - for none:$/m)
    await person.types('green')
    await person.shows(/People \(people\)\n {2}one a line, an empty one ends\n:$/m)
    await person.types('a@localhost')
    await person.types('b@localhost')
    await person.types('')
    await person.shows(/A text \(text\)\n.*\n:$/m)
    await person.types('')
    await person.shows(/Sure\? \(sure\), yes or no \[yes\]:$/m)
    await person.types('perhaps')
    await person.shows(/Yes or no\?\nSure\? \(sure\), yes or no \[yes\]:$/m)
    await person.types('n')
    await person.shows(/^number:$/m)
    await person.types('77')
    await person.shows(/number: must be at most 9\.\nnumber \[77\], - for none:$/m)
    await person.types('7')
    const end = await person.shows(/\[ended: 0\]/)
    // Lines of the terminal end where they are full
    const { said } = JSON.parse(/\{"ran".*\}/.exec(end.replaceAll('\n', ''))?.[0] ?? '') as { said: unknown }
    assert.deepEqual(said, {
      name: 'Juliet',
      colour: 'green',
      people: ['a@localhost', 'b@localhost'],
      sure: false,
      number: '7',
      token: 'kept'
    })
  })

  await t.test('only what is required, if some was given; nothing but secrets with --yes', async t => {
    const person = await opened(t, server, 'all --host localhost number=3')
    await person.shows(/A name \(name\):$/m)
    await person.types('x')
    assert.equal(await person.ends(), 0)
    const hasty = await opened(t, server, 'all --host localhost --yes')
    assert.match(await hasty.shows(/\[ended: 2\]/), /needed:\n {2}name=… \(A name\)/)
    const unknown = await opened(t, server, 'all --host localhost nonsense=1')
    assert.match(await unknown.shows(/\[ended: 2\]/), /^The command has no field nonsense/)
  })

  await t.test('a secret twice, without showing it, and again when it is refused', async t => {
    const person = await opened(t, server, 'secret --host localhost name=x')
    await person.shows(/Password \(password\), not shown:$/m)
    await person.types('weak')
    await person.shows(/The same again:$/m)
    await person.types('week')
    await person.shows(/The two are not the same\.\nPassword \(password\), not shown:$/m)
    await person.types('weak')
    await person.shows(/not the same\..*\n.*not shown:\nThe same again:$/m)
    await person.types('weak')
    await person.shows(/password: is too weak\.\nPassword \(password\), not shown:$/m)
    await person.types('swordfish')
    await person.shows(/too weak\.\n.*not shown:\nThe same again:$/m)
    // What was said before does not come back
    await person.presses('Up')
    await person.types('swordfish')
    const end = await person.shows(/\[ended: 0\]/)
    assert.match(end, /\nx 9\n/)
    assert.doesNotMatch(end, /swordfish|week|weak$/m)
  })

  await t.test('form after form; Ctrl-C and Ctrl-D end it, and nothing is done', async t => {
    const ran = async () => (await server.run(['admin', 'nothing', '--host', 'localhost'])).stdout
    assert.match(await ran(), /"ran":3,/, 'twice by the tests before')
    for (const key of ['C-c', 'C-d']) {
      const person = await opened(t, server, 'steps --host localhost')
      await person.shows(/Kind \(kind\):$/m)
      await person.types('cat')
      await person.shows(/About cat\nSize \(cat-size\):$/m)
      await person.presses(key)
      assert.match(await person.shows(/\[ended: 130\]/), /nothing was done\./)
    }
    assert.match(await ran(), /"ran":4,/)
    const person = await opened(t, server, 'steps --host localhost kind=none')
    await person.shows(/kind: there is no such kind\.\nKind \(kind\) \[none\]:$/m)
    await person.types('dog')
    await person.shows(/Size \(dog-size\):$/m)
    await person.types('2')
    await person.shows(/Note \(note\):$/m)
    await person.types('n')
    assert.equal(await person.ends(), 0)
  })

  await t.test('its module is unloaded, or its server ends, while somebody types', async t => {
    const person = await opened(t, server, 'steps --host other.localhost')
    await person.shows(/Kind \(kind\):$/m)
    assert.equal((await server.run(['module', 'unload', 'things', '--host', 'other.localhost'])).code, 0)
    await person.types('cat')
    assert.match(
      await person.shows(/\[ended: 1\]/),
      /there is no command urn:things#steps on other\.localhost/
    )
    const other = await opened(t, server, 'steps --host localhost')
    await other.shows(/Kind \(kind\):$/m)
    await server.stop()
    await other.types('cat')
    assert.match(await other.shows(/\[ended: 1\]/), /the server has ended meanwhile/)
  })
})
