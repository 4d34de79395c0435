import assert from 'node:assert/strict'
import test from 'node:test'
import { operationsOf } from '../../../core/cli/operations'
import { perform } from '../../../core/cli/perform'
import type { Server } from '../../../core/server'
import { IM_HOST } from '../../lib/config'
import { startTestServer } from '../../lib/server'
import { PASSWORD, scenario } from '../../lib/wire'
import { OWN, rowsOf, run } from '../mod_adhoc_admin/helpers'

function asks(server: Server, op: string, params: unknown): ReturnType<typeof perform> {
  return perform(operationsOf(server), { op, params, user: 'romeo' }, () => undefined, server.log)
}

test('what the command line does is kept as local:USER: of accounts on their host, of the server apart', async t => {
  const server = await startTestServer(t, {
    hosts: { localhost: { ...IM_HOST, admins: ['admin@localhost'] } },
    modules: { adhoc_admin: {}, audit: {} },
    config: { operators: ['op@localhost'] }
  })
  await server.server.accounts.setPassword('op', 'localhost', PASSWORD)
  const password = 'a secret of juliet'
  for (const [op, params] of [
    ['user.add', { jid: 'juliet@localhost', password }],
    ['user.add', { jid: 'juliet@localhost', password }],
    ['user.list', {}],
    ['module.reload', { name: 'ping' }],
    ['module.load', { name: 'nothing' }],
    ['config.reload', {}]
  ] as const)
    await asks(server.server, op, params)
  await asks(server.server, 'admin.turn', {
    host: 'localhost',
    node: `${OWN}#module-reload`,
    answers: [[['modules', ['time']]]],
    finish: true
  })
  await scenario(server, { op: 'op@localhost' }, async ({ op }) => {
    const kept = async (scope: string): Promise<unknown[]> => {
      const answer = await run(op, `${OWN}#audit`, { scope, actor: 'local:romeo' })
      assert.equal(String(answer).includes(password), false)
      return rowsOf(answer).map(({ command, target, result }) => [command, target, result])
    }
    assert.deepEqual(await kept('host'), [
      ['user.add', 'juliet@localhost', 'failed'],
      ['user.add', 'juliet@localhost', 'done']
    ])
    assert.deepEqual(await kept('server'), [
      ['module-reload', 'time', 'done'],
      ['config.reload', server.configFile, 'done'],
      ['module.load', 'nothing', 'failed'],
      ['module.reload', 'ping', 'done']
    ])
  })
})
