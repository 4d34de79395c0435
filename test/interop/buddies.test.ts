// time limit: 300 s
import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { IM_HOST } from '../lib/config'
import { Ejabberd, ejabberdMissing, Prosody, prosodyMissing } from '../lib/peers'
import { scenario, type Player } from '../lib/wire'
import { agrees, NODES, rosterOf, runs } from '../modules/mod_server_buddy/hosts'
import { HERE, pairWith, THERE, type Pair, type PairOptions, type PeerKind } from './s2s-setup'

/** Server buddies with servers that know them in their own way. */

const BUDDIES: PairOptions = {
  hosts: {
    [HERE]: { admins: [`admin@${HERE}`], modules: { ...(IM_HOST.modules as object), server_buddy: {} } }
  }
}

async function story(
  kind: PeerKind,
  t: TestContext,
  script: (stage: { pair: Pair; admin: Player; juliet: Player }) => Promise<void>
): Promise<void> {
  const pair = await pairWith(kind, t, BUDDIES)
  const there = { jid: `juliet@${THERE}/balcony`, mechanism: 'PLAIN', presence: true } as const
  const here = { jid: `admin@${HERE}/y`, presence: true }
  await scenario(pair.peer, { juliet: there }, ({ juliet }) =>
    scenario(pair.server, { admin: here }, ({ admin }) => script({ pair, admin, juliet }))
  )
  assert.deepEqual(pair.server.errors(), [])
}

function ask(admin: Player): Promise<string> {
  return runs(admin, HERE, NODES.request, { peerjid: THERE }).then(String)
}

async function shows(admin: Player, text: RegExp): Promise<void> {
  const until = Date.now() + 20_000
  for (;;) {
    const list = String(await runs(admin, HERE, NODES.list))
    if (text.test(list)) return
    assert.ok(Date.now() < until, list)
  }
}

/** A user there is no server, whatever theirs says of itself. */
async function usersAreNone({ admin, juliet }: { admin: Player; juliet: Player }): Promise<void> {
  const before = await rosterOf(admin, HERE)
  await juliet.sends(`<presence to='${HERE}' type='subscribe'/>`)
  await juliet.sends(`<presence to='${HERE}'/>`)
  await juliet.request(
    `<iq type='get' to='${HERE}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
  )
  assert.deepEqual(await rosterOf(admin, HERE), before)
  assert.doesNotMatch(admin.unread.join(''), /asks to be a buddy/)
}

test(
  'Prosody says yes to anything and never asks in return: `to`, truthfully',
  { skip: prosodyMissing },
  async t => {
    await story(Prosody, t, async stage => {
      const { pair, admin } = stage
      assert.match(await ask(admin), /<value>(?:approved|sent)</)
      await agrees(admin, HERE, { [THERE]: 'to' })
      await shows(admin, /<value>online since /)
      // Probed when the module comes again
      for (const act of ['unload', 'load'] as const)
        assert.equal((await pair.server.server.api.modules[act]('server_buddy', HERE)).ok, true)
      await shows(admin, /<value>online since /)
      await usersAreNone(stage)
      assert.deepEqual(await rosterOf(admin, HERE), { [THERE]: 'to' })
      await runs(admin, HERE, NODES.remove, { peers: [THERE] })
      assert.deepEqual(await rosterOf(admin, HERE), {})
    })
  }
)

test(
  'ejabberd hears a request and says nothing: it stays as it is, and can be withdrawn',
  { skip: ejabberdMissing },
  async t => {
    await story(Ejabberd, t, async stage => {
      const { pair, admin } = stage
      assert.match(await ask(admin), /<value>sent<.*peer\.example has not answered yet/)
      await usersAreNone(stage)
      await agrees(admin, HERE, { [THERE]: 'none out' })
      await runs(admin, HERE, NODES.remove, { peers: [THERE], direction: 'to' })
      assert.deepEqual(await rosterOf(admin, HERE), {})
      // Gone, and asked again: the reason is told, and stands in the list when the server gives up
      await pair.peer.stop()
      pair.server.server.api.federation.close(THERE)
      assert.match(
        await ask(admin),
        /<value>waiting<.*there is no connection with peer\.example so far \(.+\)|<value>bounced</
      )
      await agrees(admin, HERE, { [THERE]: 'none out' })
    })
  }
)
