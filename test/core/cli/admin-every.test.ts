// time limit: 120 s
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import type { Answer, AskedField, CommandInfo, Turn } from '../../../core/cli/admin/protocol'
import type { Answer as Answered } from '../../../core/cli/control-protocol'
import { operationsOf } from '../../../core/cli/operations'
import { perform } from '../../../core/cli/perform'
import { IM_HOST } from '../../lib/config'
import { startTestServer, type TestServer } from '../../lib/server'
import { scenario } from '../../lib/wire'

const MODULES = path.resolve(__dirname, '../../../modules')

/** These would end the server, or half of it: their forms are looked at alone. */
const ONLY_SHOWN = /#(?:restart|shutdown|module-(?:load|unload|reload)|s2s-close)$/

/** One that is there, of somebody whom no command deletes. */
const CHANNEL = 'square@topics.localhost'

/** Two services do not share a host. */
const SERVICES = ['channels', 'pubsub']

/** Those whose code registers a command. */
function modulesWithCommands(): string[] {
  return fs
    .readdirSync(MODULES)
    .filter(name => name.startsWith('mod_'))
    .filter(name =>
      fs
        .readdirSync(path.join(MODULES, name), { recursive: true, encoding: 'utf8' })
        .filter(file => file.endsWith('.ts'))
        .some(file => fs.readFileSync(path.join(MODULES, name, file), 'utf8').includes('ctx.adhoc('))
    )
    .map(name => name.slice('mod_'.length))
}

async function asked(server: TestServer, op: string, params: unknown = {}): Promise<Answered> {
  const { server: own } = server
  return perform(operationsOf(own), { op, params, user: 'tester' }, () => undefined, own.log)
}

function result<T>(answer: Answered, what: string): T {
  assert.ok(answer.ok, `${what}: ${JSON.stringify(answer)}`)
  return answer.result as T
}

/** Something that such a field could hold. */
function plausible(command: string, field: AskedField): string[] {
  if (field.values.length > 0) return field.values
  if (command === 'add-user' && field.var === 'accountjid') return ['new@localhost']
  if (/^channels?$/.test(field.var)) return [CHANNEL]
  if (/account|user/.test(field.var)) return ['juliet@localhost']
  if (field.type === 'text-private') return ['a password for tests']
  const [option] = field.options ?? []
  if (option) return [option.value]
  if (!field.required) return []
  if (field.type.startsWith('jid')) return ['far.example']
  return field.type === 'boolean' ? ['0'] : ['1']
}

test('every command of a server that has them all runs from the command line', async t => {
  const names = modulesWithCommands()
  assert.ok(names.length >= 4, names.join(', '))
  const server = await startTestServer(t, {
    hosts: {
      localhost: { ...IM_HOST, admins: ['boss@localhost'] },
      ...Object.fromEntries(
        SERVICES.map(name => [`${name}.localhost`, { type: 'component', modules: { [name]: {} } }])
      )
    },
    modules: {
      ...Object.fromEntries(names.filter(name => !SERVICES.includes(name)).map(name => [name, {}])),
      s2s: { listen: [], directTls: [] }
    }
  })
  await scenario(server, { owner: 'owner@localhost/here' }, async ({ owner }) => {
    const made = await owner.request(
      `<iq type='set' to='channels.localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub'>
         <create node='/user/${CHANNEL}/posts'/></pubsub></iq>`
    )
    assert.equal(made.attrs.type, 'result')
  })
  const commands = result<CommandInfo[]>(await asked(server, 'admin.list'), 'admin.list')
  assert.ok(commands.length > 40, String(commands.length))
  for (const module of names) {
    const { domains } = server.server
    const known = new Set<string>()
    for (const { items } of domains.list())
      items.watch('adhoc-command', { added: (_, by) => void known.add(by) })()
    assert.ok(known.has(module), module)
  }

  const refused: string[] = []
  for (const { host, node, stages } of commands) {
    await t.test(`${node} on ${host}`, async () => {
      await server.addUser('juliet@localhost', 'a password for tests')
      const answers: Answer[] = []
      const name = node.slice(node.indexOf('#') + 1)
      // An error that is meant for people: there is no such account, nothing is planned
      const mayRefuse = (answer: Answered & { ok: false }): void => {
        assert.equal(answer.error.code, 'ERR_COMMAND', JSON.stringify(answer))
        refused.push(name)
      }
      const turn = async (finish: boolean): Promise<Answered> =>
        asked(server, 'admin.turn', { host, node, answers, finish })
      for (let at = 0; at < stages; at++) {
        const first = await turn(false)
        if (at === 0 && !first.ok) return mayRefuse(first)
        const shown = result<Turn>(first, node)
        assert.ok(shown.state === 'form' && shown.stage === at && !shown.fault, JSON.stringify(shown))
        assert.equal(shown.last, at === stages - 1)
        const fields = shown.form.fields.filter(({ type }) => type !== 'fixed')
        answers.push(fields.map(field => [field.var, plausible(name, field)] as const))
      }
      if (ONLY_SHOWN.test(node)) return
      const done = await turn(true)
      if (!done.ok) return mayRefuse(done)
      const { state, ...more } = done.result as Turn
      assert.ok(state === 'completed' || 'fault' in more, JSON.stringify(done))
      if (state !== 'completed') refused.push(name)
    })
  }
  // What has nothing to do on a server that was just made
  t.diagnostic(`refused: ${[...new Set(refused)].join(', ')}`)
  assert.ok(refused.length < commands.length / 4, refused.join(', '))
  assert.deepEqual(server.errors(), [])
})
