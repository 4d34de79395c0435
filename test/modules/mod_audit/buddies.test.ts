import assert from 'node:assert/strict'
import test from 'node:test'
import { Abroad } from '../../lib/abroad'
import { IM_HOST } from '../../lib/config'
import { startTestServer } from '../../lib/server'
import { scenario } from '../../lib/wire'
import { OWN, rowsOf, run } from '../mod_adhoc_admin/helpers'

test('who approved and who refused a request of another server can be looked up, by its domain', async t => {
  const server = await startTestServer(t, {
    hosts: { localhost: { ...IM_HOST, admins: ['admin@localhost', 'second@localhost'] } },
    modules: { server_buddy: {}, audit: {} }
  })
  const cast = { admin: 'admin@localhost/a', second: 'second@localhost/b' }
  await scenario(server, cast, async ({ admin, second }) => {
    const abroad = new Abroad(server)
    for (const peer of ['a.example', 'b.example'])
      await abroad.says(`<presence from='${peer}' to='localhost' type='subscribe'/>`)
    const decide = (by: typeof admin, peers: string, decision: string): Promise<unknown> =>
      run(by, `${OWN}#server-buddy-pending`, { peers, decision, note: '' })
    await decide(second, 'a.example', 'refuse')
    await decide(admin, 'b.example', 'approve')
    // Too late
    await decide(admin, 'a.example', 'approve')
    const about = async (target: string): Promise<unknown[]> =>
      rowsOf(await run(admin, `${OWN}#audit`, { target })).map(({ actor, command, result }) => [
        actor,
        command,
        result
      ])
    assert.deepEqual(await about('a.example'), [
      [cast.admin, 'server-buddy-approve', 'item-not-found'],
      [cast.second, 'server-buddy-refuse', 'done']
    ])
    assert.deepEqual(await about('B.example'), [[cast.admin, 'server-buddy-approve', 'done']])
  })
})
