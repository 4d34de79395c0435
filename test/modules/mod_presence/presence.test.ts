import assert from 'node:assert/strict'
import test from 'node:test'
import { conditionOf } from '../../lib/client'
import { startTestServer } from '../../lib/server'
import type { TestServer } from '../../lib/server'
import { scenario, type Player } from '../../lib/wire'

const ROSTER = 'jabber:iq:roster'

/** Both subscribe to each other; both have asked for their roster and are available. */
async function befriends(juliet: Player, romeo: Player): Promise<void> {
  for (const player of [juliet, romeo]) {
    await player.request(`<iq type='get'><query xmlns='${ROSTER}'/></iq>`)
    await player.sends('<presence/>')
    await player.finds(`<presence from='${player.jid}' type='!'/>`)
  }
  for (const [asker, other] of [
    [juliet, romeo],
    [romeo, juliet]
  ] as const) {
    const from = asker.jid.split('/')[0] ?? ''
    const to = other.jid.split('/')[0] ?? ''
    await asker.sends(`<presence to='${to}' type='subscribe'/>`)
    await other.finds(`<presence from='${from}' type='subscribe'/>`)
    await other.sends(`<presence to='${from}' type='subscribed'/>`)
    await asker.finds(`<presence from='${to}' type='subscribed'/>`)
    await asker.finds(`<presence from='${other.jid}' type='!'/>`)
  }
  await juliet.forgets()
  await romeo.forgets()
  await juliet.forgets()
}

async function start(t: Parameters<typeof startTestServer>[0]): Promise<TestServer> {
  return startTestServer(t)
}

test('§3.1: a subscription, as in the examples of RFC 6121', async t => {
  const server = await start(t)
  await scenario(
    server,
    { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' },
    async ({ romeo, juliet }) => {
      for (const player of [juliet, romeo]) {
        await player.request(`<iq type='get'><query xmlns='${ROSTER}'/></iq>`)
        await player.sends('<presence/>')
        await player.receives(`<presence from='${player.jid}'/>`)
      }
      // §3.1.2: stamped with the bare JID, the resource of `to` is dropped, the item is pushed
      await romeo.sends(`<presence to='juliet@localhost/balcony' type='subscribe' id='xk3h1v69'/>`)
      await romeo.receives(
        `<iq type='set'><query xmlns='${ROSTER}'><item jid='juliet@localhost' subscription='none' ask='subscribe'/></query></iq>`
      )
      await juliet.receives(
        `<presence from='romeo@localhost' to='juliet@localhost' type='subscribe' id='xk3h1v69'/>`
      )
      // §3.1.3: no item for a stranger's request
      const roster = await juliet.request(`<iq type='get'><query xmlns='${ROSTER}'/></iq>`)
      assert.doesNotMatch(roster.toString(), /romeo/)

      await juliet.sends(`<presence to='romeo@localhost' type='subscribed'/>`)
      await juliet.receives(
        `<iq type='set'><query xmlns='${ROSTER}'><item jid='romeo@localhost' subscription='from'/></query></iq>`
      )
      // §3.1.6: delivered before the push; §3.1.5: then the presence of each resource
      await romeo.receives(`<presence from='juliet@localhost' to='romeo@localhost' type='subscribed'/>`)
      await romeo.receives(
        `<iq type='set'><query xmlns='${ROSTER}'><item jid='juliet@localhost' subscription='to'/></query></iq>`
      )
      await romeo.receives(`<presence from='juliet@localhost/balcony' type='!'/>`)

      // §3.2: cancelled by the contact: unavailable, then unsubscribed, then the push
      await juliet.sends(`<presence to='romeo@localhost' type='unsubscribed'/>`)
      await romeo.receives(`<presence from='juliet@localhost/balcony' type='unavailable'/>`)
      await romeo.receives(`<presence from='juliet@localhost' type='unsubscribed'/>`)
      await romeo.receives(
        `<iq type='set'><query xmlns='${ROSTER}'><item jid='juliet@localhost' subscription='none'/></query></iq>`
      )
    }
  )
})

test('§3.1.3: a request waits for a contact who is away, is kept once, and is shown at each login until answered', async t => {
  const server = await start(t)
  await server.addUser('juliet@localhost', 'a password for tests')
  await scenario(server, { romeo: 'romeo@localhost/orchard' }, async ({ romeo }) => {
    await romeo.sends(`<presence to='juliet@localhost' type='subscribe'><status>it is me</status></presence>`)
    await romeo.sends(`<presence to='juliet@localhost' type='subscribe'/>`)
    await romeo.fence()
  })
  for (let login = 0; login < 2; login++) {
    await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
      await juliet.sends('<presence/>')
      await juliet.receives(`<presence from='juliet@localhost/balcony'/>`)
      await juliet.receives(
        `<presence from='romeo@localhost' type='subscribe'><status>it is me</status></presence>`
      )
      await juliet.receivesNothing()
      if (login === 1) await juliet.sends(`<presence to='romeo@localhost' type='unsubscribed'/>`)
      await juliet.fence()
    })
  }
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    await juliet.sends('<presence/>')
    await juliet.receives(`<presence from='juliet@localhost/balcony'/>`)
    await juliet.receivesNothing()
  })
})

test('§3.4: who was approved before is subscribed at once', async t => {
  const server = await start(t)
  await scenario(
    server,
    { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' },
    async ({ romeo, juliet }) => {
      assert.match(String(juliet.features), /urn:xmpp:features:pre-approval/)
      for (const player of [juliet, romeo]) {
        await player.request(`<iq type='get'><query xmlns='${ROSTER}'/></iq>`)
        await player.sends('<presence/>')
        await player.receives(`<presence from='${player.jid}'/>`)
      }
      await juliet.sends(`<presence to='romeo@localhost' type='subscribed'/>`)
      await juliet.receives(
        `<iq type='set'><query xmlns='${ROSTER}'><item jid='romeo@localhost' subscription='none' approved='true'/></query></iq>`
      )
      await romeo.receivesNothing()
      await romeo.sends(`<presence to='juliet@localhost' type='subscribe'/>`)
      await romeo.finds(`<presence from='juliet@localhost' type='subscribed'/>`)
      await romeo.finds(`<presence from='juliet@localhost/balcony' type='!'/>`)
      await juliet.receives(
        `<iq type='set'><query xmlns='${ROSTER}'><item jid='romeo@localhost' subscription='from'/></query></iq>`
      )
      await juliet.receivesNothing()
    }
  )
})

test('§4.2 to §4.5: presence goes to contacts and own resources, and its end too', async t => {
  const server = await start(t)
  await scenario(
    server,
    { juliet: 'juliet@localhost/balcony', romeo: 'romeo@localhost/orchard' },
    async ({ juliet, romeo }) => {
      await befriends(juliet, romeo)
      await juliet.sends(`<presence><show>away</show><priority>5</priority></presence>`)
      await romeo.receives(
        `<presence from='juliet@localhost/balcony' to='romeo@localhost'><show>away</show><priority>5</priority></presence>`
      )

      await scenario(server, { chamber: 'juliet@localhost/chamber' }, async ({ chamber }) => {
        await chamber.sends('<presence/>')
        await romeo.receives(`<presence from='juliet@localhost/chamber'/>`)
        // its own, that of the other resource, and what the contacts show
        await chamber.receivesAll([
          `<presence from='juliet@localhost/chamber'/>`,
          `<presence from='juliet@localhost/balcony'><show>away</show></presence>`,
          `<presence from='romeo@localhost/orchard'/>`
        ])
        // §4.5.2: also when the connection is lost
        chamber.destroy()
        await romeo.receives(`<presence from='juliet@localhost/chamber' type='unavailable'/>`)
      })
      await juliet.sends(`<presence type='unavailable'><status>good night</status></presence>`)
      await romeo.receives(
        `<presence from='juliet@localhost/balcony' type='unavailable'><status>good night</status></presence>`
      )
      await romeo.sends('<presence><status>alone</status></presence>')
      await romeo.forgets()
      await juliet.forgets()
      // §4.3.2: what it missed is shown when it comes back
      await juliet.sends('<presence/>')
      await juliet.finds(`<presence from='romeo@localhost/orchard'><status>alone</status></presence>`)
    }
  )
})

test('§4.6: directed presence is routed, and its end follows', async t => {
  const server = await start(t)
  await scenario(
    server,
    { juliet: 'juliet@localhost/balcony', romeo: 'romeo@localhost/orchard' },
    async ({ juliet, romeo }) => {
      await juliet.sends(`<presence to='romeo@localhost/orchard'><status>only you</status></presence>`)
      await romeo.receives(`<presence from='juliet@localhost/balcony'><status>only you</status></presence>`)
      await juliet.close()
      await romeo.receives(`<presence from='juliet@localhost/balcony' type='unavailable'/>`)
    }
  )
})

test('§4.3.2, §8.5.3.1: strangers learn nothing, and reach no resource by iq', async t => {
  const server = await start(t)
  await scenario(
    server,
    { juliet: 'juliet@localhost/balcony', mallory: 'mallory@localhost/x' },
    async ({ juliet, mallory }) => {
      await juliet.sends('<presence/>')
      await juliet.forgets()
      await mallory.sends(`<presence to='juliet@localhost' type='probe'/>`)
      const there = await mallory.request(
        `<iq type='get' to='juliet@localhost/balcony'><query xmlns='jabber:iq:version'/></iq>`
      )
      const nobody = await mallory.request(
        `<iq type='get' to='nobody@localhost/balcony'><query xmlns='jabber:iq:version'/></iq>`
      )
      assert.equal(conditionOf(there), 'service-unavailable')
      assert.equal(conditionOf(nobody), 'service-unavailable')
      for (const ns of ['http://jabber.org/protocol/disco#info', 'http://jabber.org/protocol/disco#items']) {
        for (const to of ['juliet@localhost', 'nobody@localhost']) {
          assert.equal(
            conditionOf(await mallory.request(`<iq type='get' to='${to}'><query xmlns='${ns}'/></iq>`)),
            'service-unavailable'
          )
        }
      }
      await juliet.receivesNothing()
      await mallory.receivesNothing()
    }
  )
})

test('§4.7: types and priorities that are none are refused', async t => {
  const server = await start(t)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    for (const priority of ['128', '-129', 'high', '1.5']) {
      await juliet.sends(`<presence id='p'><priority>${priority}</priority></presence>`)
      assert.equal(conditionOf(await juliet.receives(`<presence type='error' id='p'/>`)), 'bad-request')
    }
    await juliet.sends(`<presence type='asleep' id='t'/>`)
    assert.equal(conditionOf(await juliet.receives(`<presence type='error' id='t'/>`)), 'bad-request')
    await juliet.sends(`<presence type='asleep' to='romeo@localhost' id='t'/>`)
    assert.equal(conditionOf(await juliet.receives(`<presence type='error' id='t'/>`)), 'bad-request')
  })
})

test('requests of strangers are bounded', async t => {
  const server = await startTestServer(t, {
    hosts: { localhost: { modules: { saslauth: {}, roster: {}, presence: { maxRequests: 2 }, message: {} } } }
  })
  await server.addUser('juliet@localhost', 'a password for tests')
  for (const name of ['a', 'b', 'c']) {
    await scenario(server, { stranger: `${name}@localhost/x` }, async ({ stranger }) => {
      await stranger.sends(`<presence to='juliet@localhost' type='subscribe'/>`)
      await stranger.fence()
    })
  }
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    await juliet.sends('<presence/>')
    await juliet.finds(`<presence from='a@localhost' type='subscribe'/>`)
    await juliet.finds(`<presence from='b@localhost' type='subscribe'/>`)
    await juliet.receives(`<presence from='juliet@localhost/balcony'/>`)
    await juliet.receivesNothing()
  })
})
