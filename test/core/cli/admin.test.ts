// time limit: 300 s
import assert from 'node:assert/strict'
import fs from 'node:fs'
import test from 'node:test'
import { caller } from '../../../core/cli/caller'
import type { CommandInfo, Turn } from '../../../core/cli/admin/protocol'
import { SpawnedServer } from '../../lib/spawn'
import { ask, startWithThings } from './admin-commands'

interface Told {
  ran: number
  said: Record<string, unknown>
  actor: string
  role: string
  wire: boolean
}

test('without a running server it says so, and how to start it; --help is there anyway', async t => {
  const server = new SpawnedServer()
  t.after(() => fs.rmSync(server.folder, { recursive: true, force: true }))
  server.writeConfig({ data: 'data', hosts: { localhost: {} } })
  for (const args of [['admin'], ['admin', 'add-user', 'accountjid=a@b'], ['admin', 'add-user', '--help']]) {
    const { code, stderr } = await server.run(args)
    assert.equal(code, 1, args.join(' '))
    assert.match(stderr, /No server answers at .*control\.sock\. Start it with: balcony start/)
  }
  const help = await server.run(['admin', '--help'])
  assert.equal(help.code, 0)
  assert.match(help.stdout, /Usage: balcony admin \[options\] \[command\] \[field=value\.\.\.\]/)
  assert.match(help.stderr, /No server answers/)
  assert.equal((await server.run(['admin', 'add-user', 'nonsense'])).code, 2)
  assert.equal((await server.run(['admin', 'add-user', '=x'])).code, 2)
})

test('commands of the running server', async t => {
  const server = await startWithThings(t)
  const admin = (args: string[], input = '') => server.run(['admin', ...args], input)
  const done = async (args: string[], input = ''): Promise<string> => {
    const { code, stdout, stderr } = await admin(args, input)
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const told = async (args: string[], input = ''): Promise<Told> =>
    JSON.parse(await done(args, input)) as Told
  const refused = async (code: number, args: string[], input = ''): Promise<string> => {
    const ran = await admin(args, input)
    assert.deepEqual([ran.code, ran.stdout], [code, ''], `${args.join(' ')}: ${ran.stderr}`)
    return ran.stderr
  }
  const on = ['--host', 'localhost']

  await t.test('they are listed, with who may run them and where', async () => {
    const list = await done([])
    assert.match(list, /^COMMAND +FOR +WHAT +HOSTS\n/)
    assert.match(list, /\nall +admin +The all +localhost, other\.localhost\n/)
    assert.match(list, /\neverywhere +operator +The everywhere +\(any\)\n/)
    assert.match(list, /\nhere +admin +The here +localhost\n/)
    assert.match(list, /\nsilent +anybody /)
    assert.match(list, /\nurn:one#same .*\nurn:two#same /)
    assert.doesNotMatch(await done(['--host', 'other.localhost']), /\nhere/)
    assert.match(
      await refused(1, ['--host', 'elsewhere']),
      /elsewhere has no commands; these hosts have: localhost, other/
    )
    assert.match((await admin(['--help'])).stdout, /Usage: [^]*\nall +admin/)
    const json = JSON.parse(await done(['--json', ...on])) as CommandInfo[]
    assert.deepEqual(
      json.find(({ node }) => node === 'urn:things#steps'),
      {
        host: 'localhost',
        node: 'urn:things#steps',
        name: 'The steps',
        access: 'admin',
        serverWide: false,
        stages: 3
      }
    )
  })

  await t.test('which is meant: short and full names, hosts, accounts', async () => {
    assert.match(
      await refused(2, ['nothing']),
      /Several hosts have nothing; say which one: --host localhost, --host other/
    )
    assert.equal((await told(['nothing', ...on])).role, 'operator')
    assert.equal((await told(['urn:things#nothing', '--host', 'OTHER.localhost'])).ran, 1)
    assert.equal((await told(['everywhere'])).wire, false)
    assert.equal(await done(['account', 'accountjid=a@other.localhost']), 'other.localhost\n')
    assert.equal(await done(['account', 'accountjid=a@other.localhost', ...on]), 'localhost\n')
    await refused(2, ['account', 'accountjid=a@elsewhere'])
    await told(['here'])
    assert.match(
      await refused(2, ['here', '--host', 'other.localhost']),
      /has no command here; these have: localhost/
    )
    assert.match(await refused(2, ['nothign', ...on]), /no command nothign; did you mean "nothing"\?/)
    assert.match(await refused(2, ['same', ...on]), /several commands same.*: urn:one#same, urn:two#same/)
    await told(['urn:two#same', ...on])
  })

  await t.test('fields of every kind are filled in; the rest is as the form suggests it', async () => {
    const { said, actor } = await told([
      'all',
      ...on,
      'name=x=y',
      'after=z',
      'people=A@localhost',
      'people=b@localhost',
      'text=one',
      'text=two',
      'sure=No',
      'number=7'
    ])
    assert.deepEqual(said, {
      name: 'x=y',
      '{urn:things}after': 'z',
      colour: 'r',
      people: ['a@localhost', 'b@localhost'],
      text: 'one\ntwo',
      sure: false,
      number: '7',
      token: 'kept'
    })
    assert.equal(actor, `local:${caller()}`)
    const emptied = await told(['all', ...on, 'name=x', 'colour=', 'people='])
    assert.deepEqual(emptied.said, { name: 'x', colour: '', people: [], sure: true, token: 'kept' })
  })

  await t.test('what is missing, unknown or wrong is named, and nothing was done', async () => {
    const before = (await told(['all', ...on, 'name=x'])).ran
    assert.match(await refused(2, ['all', ...on]), /needed:\n {2}name=… \(A name\)\n/)
    assert.match(await refused(2, ['all', ...on, 'name=']), /name=…/)
    assert.match(
      await refused(2, ['all', ...on, 'name=x', 'nonsense=1', 'more=2']),
      /no field nonsense, more; there is: name, after, colour, people, text, sure, number\. Nothing was done/
    )
    assert.match(await refused(2, ['nothing', ...on, 'x=1']), /no field x; it takes none/)
    assert.match(await refused(2, ['all', ...on, 'name=x', 'number=70']), /number: must be at most 9/)
    assert.match(await refused(2, ['all', ...on, 'name=x', 'colour=blue']), /colour: must be one of r, green/)
    assert.match(await refused(2, ['all', ...on, 'name=x', 'name=y']), /name: one value/)
    assert.match(await refused(2, ['all', ...on, 'name=x', 'people=@@']), /people: /)
    assert.match(
      await refused(2, ['all', ...on, 'name=x', 'after=a', '{urn:things}after=b']),
      /given already/
    )
    assert.match(
      await refused(1, ['all', ...on, 'name=\u0007']),
      /name holds a character that cannot be sent/
    )
    assert.match(await refused(2, ['all', ...on, 'name=x', 'sure=perhaps']), /sure: must be 0, 1/)
    assert.match(await refused(2, ['late', ...on, 'name=x']), /name: was taken meanwhile/)
    assert.equal((await told(['all', ...on, 'name=x'])).ran, before + 1)
  })

  await t.test('several forms, of which a later one follows from an earlier answer', async () => {
    assert.deepEqual((await told(['steps', ...on, 'kind=cat', 'cat-size=9', 'note=n'])).said, {
      kind: 'cat',
      'cat-size': '9',
      note: 'n'
    })
    assert.match(await refused(2, ['steps', ...on, 'kind=none', 'cat-size=9']), /kind: there is no such kind/)
    assert.match(await refused(2, ['steps', ...on, 'kind=dog', 'note=n']), /needed:\n {2}dog-size=…/)
    assert.match(
      await refused(2, ['steps', ...on, 'kind=dog', 'dog-size=1', 'cat-size=9']),
      /no field cat-size; there is: kind, dog-size, note/
    )
    const help = await done(['steps', '--help'])
    assert.match(
      help,
      /steps: The steps\nurn:things#steps on localhost\n\n {2}kind=…\n {6}Kind\n {6}text-single, required\n/
    )
    assert.match(help, /Another form follows/)
    assert.match(
      await done(['steps', '--help', 'kind=dog', 'dog-size=1']),
      /About dog\n\n {2}dog-size=…[^]*note=…/
    )
  })

  await t.test('--help shows what a command takes', async () => {
    const help = await done(['all', '--help'])
    assert.match(help, /All kinds\nFill it in\.\n/)
    assert.match(help, / {2}colour=…\n {6}A colour\n {6}list-single\n {6}now: r\n {8}r {6}Red\n {8}green\n/)
    assert.match(help, /people=…\n {6}People\n {6}jid-multi, may be given several times\n/)
    assert.match(help, /sure=…\n.*\n {6}boolean\n {6}now: yes\n/)
    assert.doesNotMatch(help, /token|Read this/)
    assert.match(await done(['nothing', '--help']), /takes no fields/)
    assert.match(
      await done(['secret', '--help']),
      /password {2}\(asked for, or a line of standard input; never given\)/
    )
    const json = JSON.parse(await done(['all', '--help', '--json'])) as {
      forms: { fields: { var: string }[] }[]
    }
    assert.equal(json.forms[0]?.fields[1]?.var, 'name')
  })

  await t.test('a secret is a line of standard input, never an argument', async () => {
    assert.equal(await done(['secret', ...on, 'name=x'], 'swordfish\n'), 'x 9\n')
    assert.equal(await done(['secret', ...on, 'name=x', '--yes'], 'swordfish'), 'x 9\n')
    const seen = await refused(2, ['secret', ...on, 'name=x', 'password=swordfish'])
    assert.match(seen, /password is a secret.*standard input/)
    assert.doesNotMatch(seen, /swordfish/)
    assert.match(
      await refused(2, ['secret', ...on, 'name=x']),
      /needed:\n {2}password \(a line of standard input\)/
    )
    assert.match(await refused(2, ['secret', ...on, 'name=x'], 'weak\n'), /password: is too weak/)
    await refused(2, ['secret', ...on, 'name=x'], 'x'.repeat(100_000))
  })

  await t.test('what comes of it: notes, fields, tables, JSON', async () => {
    const { stdout, stderr, code } = await admin(['table', ...on])
    assert.deepEqual(
      [code, stdout, stderr],
      [0, 'Things:\nTHING         B\none\\u001b[2J  x, y\ntwo           z\n', 'There are more.\n']
    )
    assert.equal(await done(['empty', ...on]), '  (none)\n')
    assert.equal(await done(['silent', ...on]), 'Done.\n')
    assert.equal(
      await done(['fields', ...on]),
      'Facts:\nLines:\n  a\n  b\nyes: yes\nOne: single\njabber:iq:roster:\n' +
        'JID                     SUBSCRIPTION  GROUP\nromeo@montague.example  both          Friends, Verona\n'
    )
    const table = JSON.parse(await done(['table', '--json', ...on])) as unknown
    assert.deepEqual(table, {
      host: 'localhost',
      node: 'urn:things#table',
      notes: [{ type: 'warn', text: 'There are more.' }],
      form: {
        title: 'Things',
        fields: {},
        items: [
          { a: ['one\u001b[2J'], b: ['x', 'y'] },
          { a: ['two'], b: ['z'] }
        ]
      }
    })
    const fields = JSON.parse(await done(['fields', '--json', ...on])) as { form: unknown }
    assert.deepEqual(fields.form, {
      title: 'Facts',
      fields: { many: ['a', 'b'], yes: ['1'], one: ['single'] },
      others: [
        {
          name: 'jabber:iq:roster',
          items: [{ jid: 'romeo@montague.example', subscription: 'both', group: 'Friends, Verona' }]
        }
      ]
    })
  })

  await t.test('errors are told in words, and a fault of the server in its log alone', async () => {
    assert.equal(await refused(1, ['fails', ...on]), 'It did not work.\n')
    assert.equal(await refused(1, ['refuses', ...on]), 'that exists already\n')
    assert.equal(await refused(1, ['explains', ...on]), 'the name is taken\n')
    assert.equal(await refused(1, ['breaks', ...on]), 'a fault of the server: its log says more\n')
    assert.match(server.output, /swordfish/)
    const { code, stdout } = await admin(['fails', '--json', ...on])
    assert.equal(code, 1)
    assert.deepEqual((JSON.parse(stdout) as { notes: unknown }).notes, [
      { type: 'error', text: 'It did not work.' }
    ])
  })

  await t.test(
    'the server keeps nothing of a dialogue, and does nothing before all is answered',
    async () => {
      const turn = (node: string, answers: unknown, finish = false, host = 'localhost') =>
        ask(server, 'admin.turn', { host, node: `urn:things#${node}`, answers, finish }) as Promise<Turn>
      const before = (await told(['nothing', ...on])).ran
      const second = await turn('steps', [[['kind', ['cat']]]])
      assert.ok(second.state === 'form' && second.stage === 1 && !second.last)
      const all = [[['kind', ['cat']]], [['cat-size', ['9']]], [['note', []]]]
      await assert.rejects(turn('steps', all), { code: 'ERR_COMMAND_CHANGED' })
      await assert.rejects(turn('steps', all.slice(0, 2), true), { code: 'ERR_COMMAND_CHANGED' })
      await assert.rejects(turn('nothing', []), { code: 'ERR_COMMAND_CHANGED' })
      await assert.rejects(turn('gone', []), {
        code: 'ERR_NO_COMMAND',
        message: /unloaded; nothing was done/
      })
      await assert.rejects(turn('nothing', [], true, 'elsewhere'), { code: 'ERR_NO_HOST' })
      const wrong = await turn('steps', [[['kind', ['none']]], [['cat-size', ['9']]], [['note', []]]], true)
      assert.ok(wrong.state === 'form' && wrong.stage === 0)
      assert.deepEqual(wrong.fault, { message: 'kind: there is no such kind', field: 'kind' })
      for (const [answers, params] of [
        [Array.from({ length: 33 }, () => []), /answers: /],
        [[Array.from({ length: 257 }, (_, at) => [`f${at}`, []])], /answers/],
        [[[['kind', [7]]]], /answers/],
        [[[['x'.repeat(4000), []]]], /answers/]
      ] as const)
        await assert.rejects(turn('steps', answers), { code: 'ERR_CONTROL_PARAMS', message: params })
      for (const name of ['__proto__', 'constructor'])
        assert.equal(
          (
            await turn('steps', [
              [
                ['kind', ['cat']],
                [name, ['x']]
              ]
            ])
          ).state,
          'form'
        )
      assert.equal((await told(['nothing', ...on])).ran, before + 1)
    }
  )

  await t.test('a module that is unloaded takes its commands along', async () => {
    assert.equal((await server.run(['module', 'unload', 'things', '--host', 'other.localhost'])).code, 0)
    assert.match(await refused(2, ['nothing', '--host', 'other.localhost']), /has no command nothing/)
    await told(['nothing'])
  })

  await t.test('a command that ends the server is answered first', async () => {
    const ended = new Promise(resolve => server.process.once('exit', resolve))
    assert.equal(await done(['ends']), 'It ends.\n')
    assert.equal(await ended, 0)
    assert.match(await refused(1, ['nothing']), /No server answers/)
  })
})
