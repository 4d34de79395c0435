import assert from 'node:assert/strict'
import test from 'node:test'
import { conditionOf } from '../../lib/client'
import { forEachDatabase } from '../../lib/databases'
import { startTestServer } from '../../lib/server'
import { scenario, type Player } from '../../lib/wire'

const ROSTER = 'jabber:iq:roster'

function sets(player: Player, item: string) {
  return player.request(`<iq type='set'><query xmlns='${ROSTER}'>${item}</query></iq>`)
}

forEachDatabase(database => {
  test(`RFC 6121 §2: set, push, get, remove, and what survives a restart (${database})`, async t => {
    const server = await startTestServer(t, { database })
    await scenario(
      server,
      { balcony: 'juliet@localhost/balcony', chamber: 'juliet@localhost/chamber' },
      async ({ balcony, chamber }) => {
        // §2.1.4: an empty roster is an empty query
        const empty = await balcony.request(`<iq type='get'><query xmlns='${ROSTER}'/></iq>`)
        assert.equal(empty.toString().includes('<item'), false)
        await chamber.request(`<iq type='get'><query xmlns='${ROSTER}'/></iq>`)

        assert.equal(
          (await sets(balcony, `<item jid='romeo@localhost/x' name='Romeo'><group>Friends</group></item>`))
            .attrs.type,
          'result'
        )
        // §2.1.6: to all interested resources, the sender's too; a resource in the jid means its account
        const push = `<iq type='set'><query xmlns='${ROSTER}'><item jid='romeo@localhost' name='Romeo' subscription='none'><group>Friends</group></item></query></iq>`
        await balcony.receives(push)
        await chamber.receives(push)

        // §2.3.1: a set replaces the whole item
        await sets(balcony, `<item jid='romeo@localhost'/>`)
        const replaced = await chamber.receives(
          `<iq type='set'><query xmlns='${ROSTER}'><item jid='romeo@localhost'/></query></iq>`
        )
        assert.equal(replaced.toString().includes('Romeo'), false)
        await balcony.forgets()

        // §2.5
        await sets(balcony, `<item jid='nurse@localhost'/>`)
        await sets(balcony, `<item jid='nurse@localhost' subscription='remove'/>`)
        await chamber.finds(
          `<iq type='set'><query xmlns='${ROSTER}'><item jid='nurse@localhost' subscription='remove'/></query></iq>`
        )
      }
    )
    await server.restart()
    await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
      const roster = (await juliet.request(`<iq type='get'><query xmlns='${ROSTER}'/></iq>`)).toString()
      assert.match(roster, /romeo@localhost/)
      assert.doesNotMatch(roster, /nurse/)
    })
  })
})

test('§2.3.3, §2.5.3: what a roster set may not be', async t => {
  const server = await startTestServer(t, {
    hosts: {
      localhost: {
        modules: { saslauth: {}, roster: { maxItems: 2, maxGroups: 2 }, presence: {}, message: {} }
      }
    }
  })
  const wrong: [string, string][] = [
    ['', 'bad-request'],
    [`<item jid='a@localhost'/><item jid='b@localhost'/>`, 'bad-request'],
    [`<item/>`, 'bad-request'],
    [`<item jid='@'/>`, 'bad-request'],
    [`<contact jid='a@localhost'/>`, 'bad-request'],
    [`<item jid='a@localhost'><group>x</group><group>x</group></item>`, 'bad-request'],
    [`<item jid='a@localhost'><group/></item>`, 'not-acceptable'],
    [`<item jid='a@localhost'><group>1</group><group>2</group><group>3</group></item>`, 'not-acceptable'],
    [`<item jid='a@localhost' name='${'n'.repeat(1024)}'/>`, 'not-acceptable'],
    [`<item jid='juliet@localhost'/>`, 'not-allowed'],
    [`<item jid='nobody@localhost' subscription='remove'/>`, 'item-not-found']
  ]
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    for (const [item, condition] of wrong) {
      const answer = await sets(juliet, item)
      assert.equal(answer.attrs.type, 'error', item)
      assert.equal(conditionOf(answer), condition, item)
    }
    await sets(juliet, `<item jid='a@localhost'/>`)
    await sets(juliet, `<item jid='b@localhost'/>`)
    assert.equal(conditionOf(await sets(juliet, `<item jid='c@localhost'/>`)), 'resource-constraint')
  })
})

test('§2.1.5: nobody reads or changes the roster of another account', async t => {
  const server = await startTestServer(t)
  await scenario(
    server,
    { juliet: 'juliet@localhost/x', mallory: 'mallory@localhost/y' },
    async ({ juliet, mallory }) => {
      await juliet.request(`<iq type='get'><query xmlns='${ROSTER}'/></iq>`)
      for (const type of ['get', 'set']) {
        const item = type === 'set' ? `<item jid='mallory@localhost'/>` : ''
        const answer = await mallory.request(
          `<iq type='${type}' to='juliet@localhost'><query xmlns='${ROSTER}'>${item}</query></iq>`
        )
        assert.equal(conditionOf(answer), 'forbidden')
      }
      await juliet.receivesNothing()
    }
  )
})

test('§2.6: versions', async t => {
  const server = await startTestServer(t)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    assert.match(String(juliet.features), /urn:xmpp:features:rosterver/)
    const verOf = (stanza: { toString(): string }): string =>
      /ver="([^"]*)"/.exec(stanza.toString())?.[1] ?? ''
    // §2.6.2: the bootstrap
    const first = await juliet.request(`<iq type='get'><query xmlns='${ROSTER}' ver=''/></iq>`)
    assert.notEqual(verOf(first), '')
    // §2.6.3: whether the client asked for it or not
    assert.equal(verOf(await juliet.request(`<iq type='get'><query xmlns='${ROSTER}'/></iq>`)), verOf(first))
    await sets(juliet, `<item jid='a@localhost'/>`)
    const known = verOf(await juliet.next())
    await sets(juliet, `<item jid='b@localhost'/>`)
    await sets(juliet, `<item jid='a@localhost' subscription='remove'/>`)
    await juliet.forgets()

    // §2.6.3: an empty result, then a push for each change, in order, each with a version of its own
    const delta = await juliet.request(`<iq type='get'><query xmlns='${ROSTER}' ver='${known}'/></iq>`)
    assert.equal(delta.children.length, 0)
    const b = await juliet.receives(
      `<iq type='set'><query xmlns='${ROSTER}'><item jid='b@localhost' subscription='none'/></query></iq>`
    )
    const a = await juliet.receives(
      `<iq type='set'><query xmlns='${ROSTER}'><item jid='a@localhost' subscription='remove'/></query></iq>`
    )
    assert.notEqual(verOf(a), verOf(b))
    const same = await juliet.request(`<iq type='get'><query xmlns='${ROSTER}' ver='${verOf(a)}'/></iq>`)
    assert.equal(same.children.length, 0)
    await juliet.receivesNothing()
    for (const unknown of ['nonsense', 'x:1', `${known.split(':')[0]}:999`]) {
      const full = await juliet.request(`<iq type='get'><query xmlns='${ROSTER}' ver='${unknown}'/></iq>`)
      assert.match(full.toString(), /b@localhost/)
    }
  })
})

test('a roster goes with its account, and its contacts are told', async t => {
  const server = await startTestServer(t)
  await scenario(
    server,
    { juliet: 'juliet@localhost/balcony', romeo: 'romeo@localhost/x' },
    async ({ juliet, romeo }) => {
      await romeo.request(`<iq type='get'><query xmlns='${ROSTER}'/></iq>`)
      await romeo.sends('<presence/>')
      await juliet.sends(`<presence to='romeo@localhost' type='subscribe'/>`)
      await romeo.finds(`<presence from='juliet@localhost' type='subscribe'/>`)
      await romeo.sends(`<presence to='juliet@localhost' type='subscribed'/>`)
      await romeo.finds(
        `<iq type='set'><query xmlns='${ROSTER}'><item jid='juliet@localhost' subscription='from'/></query></iq>`
      )
      await juliet.fence()
      assert.equal(await server.server.accounts.remove('juliet', 'localhost'), true)
      await juliet.isClosed()
      await romeo.finds(`<presence from='juliet@localhost' type='unsubscribe'/>`)
      await romeo.finds(
        `<iq type='set'><query xmlns='${ROSTER}'><item jid='juliet@localhost' subscription='none'/></query></iq>`
      )
    }
  )
  await scenario(server, { juliet: 'juliet@localhost/again' }, async ({ juliet }) => {
    const roster = await juliet.request(`<iq type='get'><query xmlns='${ROSTER}'/></iq>`)
    assert.doesNotMatch(roster.toString(), /<item/)
  })
})
