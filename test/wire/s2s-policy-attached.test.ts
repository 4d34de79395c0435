import assert from 'node:assert/strict'
import fs from 'node:fs'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { parse } from 'yaml'
import { IM_HOST } from '../lib/config'
import { startTestServer, type TestServer } from '../lib/server'
import { scenario, type Player } from '../lib/wire'
import { agrees, NODES, runs } from '../modules/mod_server_buddy/hosts'

/** The policy of a host that is attached to another server (XEP-0114): what comes and goes there is held as well. */

const SERVICE = 'channels.localhost'
const SECRET = 'moves to the music'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const POLICY = 'urn:balcony:admin#federation-policy'

/** A Balcony with people, and one with a service that is attached to it. */
async function pair(t: TestContext, policy: object): Promise<{ people: TestServer; service: TestServer }> {
  const component = { secret: SECRET, listen: [{ address: '127.0.0.1', port: 0 }] }
  const people = await startTestServer(t, {
    hosts: {
      localhost: {
        admins: ['admin@localhost'],
        modules: { ...(IM_HOST.modules as object), server_buddy: {} }
      },
      [SERVICE]: { type: 'component', modules: { component } }
    }
  })
  const port = people.server.components.listeners.ports()[0]?.port
  const modules = { upstream: { port, secret: SECRET }, server_buddy: {}, s2s_policy: policy }
  const service = await startTestServer(t, {
    hosts: { [SERVICE]: { type: 'component', admins: ['admin@localhost'], modules } },
    modules: { c2s: false, websocket: false },
    config: { http: { listen: [] } }
  })
  return { people, service }
}

async function pings(player: Player): Promise<string> {
  return String(await player.request(`<iq type='get' to='${SERVICE}'><ping xmlns='urn:xmpp:ping'/></iq>`))
}

test('a blocked domain gets policy-violation through the other server, and is let in again at once', async t => {
  const { people, service } = await pair(t, {})
  await scenario(people, { juliet: 'juliet@localhost/r' }, async ({ juliet }) => {
    assert.match(await pings(juliet), /type="result"/)
    const reload = async (block: string[]): Promise<void> => {
      const config = parse(fs.readFileSync(service.configFile, 'utf8')) as {
        hosts: Record<string, { modules: Record<string, object> }>
      }
      Object.assign(config.hosts[SERVICE]?.modules ?? {}, { s2s_policy: { block } })
      service.writeConfig(config)
      assert.equal((await service.server.reloadConfig()).ok, true)
    }
    await reload(['localhost'])
    assert.match(await pings(juliet), /<error type="modify"><policy-violation/)
    await juliet.sends(`<message to='${SERVICE}' id='m'><body>hark</body></message>`)
    await juliet.finds(
      `<message from='${SERVICE}' id='m' type='error'><error type='modify'><policy-violation xmlns='${STANZAS}'/></error></message>`
    )
    await reload([])
    assert.match(await pings(juliet), /type="result"/)
  })
  assert.deepEqual([people.errors(), service.errors()], [[], []])
})

test('an attached host becomes a buddy of the server it is attached to, over the same stream', async t => {
  const { people, service } = await pair(t, { policy: 'buddies' })
  await scenario(people, { juliet: 'juliet@localhost/r', admin: 'admin@localhost/r' }, async players => {
    const { juliet, admin } = players
    assert.match(await pings(juliet), /<policy-violation/)
    await runs(admin, 'localhost', NODES.request, { peerjid: SERVICE })
    // The administrator of the service lives on the server that it does not trust yet
    const { modules } = service.server.api
    assert.match(String(await runs(admin, SERVICE, NODES.pending)), /<policy-violation/)
    assert.equal((await modules.unload('s2s_policy')).ok, true)
    await runs(admin, SERVICE, NODES.pending, { peers: ['localhost'], decision: 'approve' })
    await agrees(admin, 'localhost', { [SERVICE]: 'both' })
    await agrees(admin, SERVICE, { localhost: 'both' })
    assert.equal((await modules.load('s2s_policy')).ok, true)

    assert.match(await pings(juliet), /type="result"/)
    // Neither may they shut out themselves by command
    const refused = String(await runs(admin, SERVICE, POLICY, { policy: 'listed' }))
    assert.match(refused, /localhost, where you are, would be refused/)
    await runs(admin, 'localhost', NODES.remove, { peers: [SERVICE] })
    await agreesThat(async () => /<policy-violation/.test(await pings(juliet)))
  })
  assert.deepEqual([people.errors(), service.errors()], [[], []])
})

async function agreesThat(so: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + 15_000
  while (!(await so())) assert.ok(Date.now() < until, 'it does not come about')
}
