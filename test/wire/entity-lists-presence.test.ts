import assert from 'node:assert/strict'
import test from 'node:test'
import { Abroad } from '../lib/abroad'
import { conditionOf } from '../lib/client'
import { scenario, type Player } from '../lib/wire'
import { run, statusOf } from '../modules/mod_adhoc_admin/helpers'
import { fieldOf, NODES, startListed, type List } from '../modules/mod_entity_lists/hosts'

/** What becomes of presence, subscriptions and rosters when somebody comes on a list, and off it again. */

const ADMIN = 'admin@localhost/globe'

async function lists(admin: Player, list: List, ...jids: string[]): Promise<void> {
  const answer = await run(admin, NODES[list], { [fieldOf(list)]: jids })
  assert.equal(statusOf(answer), 'completed', String(answer))
}

/** Two accounts that see each other's presence. */
async function befriend(one: Player, other: Player): Promise<void> {
  for (const [asks, grants] of [
    [one, other],
    [other, one]
  ] as const) {
    const bare = (player: Player): string => player.jid.split('/')[0] ?? ''
    await asks.sends(`<presence to='${bare(grants)}' type='subscribe'/>`)
    await grants.finds(`<presence from='${bare(asks)}' type='subscribe'/>`)
    await grants.sends(`<presence to='${bare(asks)}' type='subscribed'/>`)
    await asks.finds(`<presence from='${grants.jid}' type='!'/>`)
  }
  for (const player of [one, other]) await player.forgets()
}

/** The same with a user of another server. */
async function befriendAbroad(abroad: Abroad, juliet: Player, romeo: string): Promise<void> {
  await juliet.sends(`<presence to='${romeo}' type='subscribe'/>`)
  await abroad.finds(`<presence to='${romeo}' type='subscribe'/>`)
  await abroad.says(`<presence from='${romeo}' to='juliet@localhost' type='subscribed'/>`)
  await abroad.says(`<presence from='${romeo}' to='juliet@localhost' type='subscribe'/>`)
  await juliet.sends(`<presence to='${romeo}' type='subscribed'/>`)
  await juliet.fence()
  abroad.heard.length = 0
  await juliet.forgets()
}

test('XEP-0016 §2.10, §2.11: contacts on another server part, and meet again (XEP-0191 §3.4)', async t => {
  const server = await startListed(t)
  const abroad = new Abroad(server)
  const cast = { admin: ADMIN, juliet: { jid: 'juliet@localhost/balcony', presence: true } }
  await scenario(server, cast, async ({ admin, juliet }) => {
    await befriendAbroad(abroad, juliet, 'romeo@montague.lit')
    await abroad.says(`<presence from='romeo@montague.lit/orchard' to='juliet@localhost'/>`)
    await juliet.receives(`<presence from='romeo@montague.lit/orchard' type='!'/>`)
    for (const entry of ['montague.lit', 'romeo@montague.lit']) {
      await lists(admin, 'blacklist', entry)
      // "the user's server SHOULD send unavailable presence to the user on behalf of that contact"
      await juliet.receives(`<presence from='romeo@montague.lit' to='juliet@localhost' type='unavailable'/>`)
      // "the user's server MUST send unavailable presence information to the contact"
      await abroad.finds(
        `<presence from='juliet@localhost/balcony' to='romeo@montague.lit' type='unavailable'/>`
      )
      // And nothing further
      await juliet.sends(`<presence><show>away</show></presence>`)
      await abroad.says(`<presence from='romeo@montague.lit/orchard' to='juliet@localhost'/>`)
      await abroad.says(`<presence from='romeo@montague.lit' to='juliet@localhost' type='probe'/>`)
      await abroad.says(`<presence from='romeo@montague.lit' to='juliet@localhost' type='unsubscribe'/>`)
      await juliet.receives(`<presence from='{juliet}'><show>away</show></presence>`)
      await juliet.receivesNothing()
      abroad.hears()

      await lists(admin, 'blacklist')
      await abroad.finds(
        `<presence from='juliet@localhost/balcony' to='romeo@montague.lit'><show>away</show></presence>`
      )
      await abroad.finds(`<presence from='juliet@localhost' to='romeo@montague.lit' type='probe'/>`)
      await juliet.receivesNothing()
      abroad.hears()
    }
    // RFC 6121 §2: the roster is as it was, and the subscriptions
    const roster = String(await juliet.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`))
    assert.match(roster, /jid="romeo@montague.lit" subscription="both"/)
  })
  assert.deepEqual(server.errors(), [])
})

test('XEP-0133 §4.11: a list of one direction parts in that one', async t => {
  const server = await startListed(t)
  const abroad = new Abroad(server)
  const cast = { admin: ADMIN, juliet: { jid: 'juliet@localhost/balcony', presence: true } }
  await scenario(server, cast, async ({ admin, juliet }) => {
    await befriendAbroad(abroad, juliet, 'romeo@montague.lit')
    await lists(admin, 'blacklist-in', 'montague.lit')
    await juliet.receives(`<presence from='romeo@montague.lit' type='unavailable'/>`)
    await juliet.receivesNothing()
    abroad.hears()
    await lists(admin, 'blacklist-in')
    await abroad.finds(`<presence type='probe' to='romeo@montague.lit'/>`)
    await lists(admin, 'blacklist-out', 'montague.lit')
    await abroad.finds(`<presence from='juliet@localhost/balcony' type='unavailable'/>`)
    await juliet.receivesNothing()
    abroad.hears()
    // A whitelist without them does the same
    await lists(admin, 'blacklist-out')
    await abroad.finds(`<presence from='juliet@localhost/balcony' to='romeo@montague.lit' type='!'/>`)
    await lists(admin, 'whitelist', 'capulet.lit')
    await juliet.receives(`<presence from='romeo@montague.lit' type='unavailable'/>`)
    await abroad.finds(
      `<presence from='juliet@localhost/balcony' to='romeo@montague.lit' type='unavailable'/>`
    )
    await lists(admin, 'whitelist', 'capulet.lit', 'montague.lit')
    await abroad.finds(`<presence from='juliet@localhost/balcony' to='romeo@montague.lit' type='!'/>`)
  })
})

test('XEP-0016 §2.10, §2.11: an account of the host parts from its contacts here, resource by resource', async t => {
  const server = await startListed(t)
  const abroad = new Abroad(server)
  const cast = {
    admin: ADMIN,
    juliet: { jid: 'juliet@localhost/balcony', presence: true },
    tybalt: { jid: 'tybalt@localhost/street', presence: true }
  }
  await scenario(server, cast, async ({ admin, juliet, tybalt }) => {
    await befriend(juliet, tybalt)
    await befriendAbroad(abroad, juliet, 'romeo@montague.lit')
    await lists(admin, 'blacklist', 'tybalt@localhost')
    await juliet.receives(`<presence from='tybalt@localhost/street' type='unavailable'/>`)
    await tybalt.finds(`<presence from='juliet@localhost/balcony' type='unavailable'/>`)
    await tybalt.forgets()
    await juliet.forgets()
    await tybalt.sends(`<presence><show>xa</show></presence>`)
    await juliet.sends(`<presence><show>dnd</show></presence>`)
    await tybalt.receives(`<presence from='{tybalt}'/>`)
    await juliet.receives(`<presence from='{juliet}'/>`)
    await juliet.receivesNothing()
    await tybalt.receivesNothing()
    // RFC 6121 §2.5.2: taken out of the roster, and the other end is not told of it
    const gone = await tybalt.request(
      `<iq type='set'><query xmlns='jabber:iq:roster'><item jid='juliet@localhost' subscription='remove'/></query></iq>`
    )
    assert.equal(gone.attrs.type, 'result')
    await juliet.receivesNothing()
  })
  // A login meanwhile shows nobody (RFC 6121 §4.2.2)
  await scenario(server, cast, async ({ admin, juliet, tybalt }) => {
    await juliet.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`)
    await juliet.receivesNothing()
    await tybalt.receivesNothing()
    await lists(admin, 'blacklist')
    // juliet still has tybalt in her roster, and learns that he shows her nothing any more
    await juliet.finds(`<presence from='tybalt@localhost' type='unsubscribed'/>`)
    await tybalt.finds(`<presence from='juliet@localhost/balcony' type='!'/>`)
  })
  assert.deepEqual(server.errors(), [])
})

test('XEP-0016 §2.10, §2.11: with lists in use contacts of the same host still find each other at login', async t => {
  const server = await startListed(t)
  const cast = {
    admin: ADMIN,
    juliet: { jid: 'juliet@localhost/balcony', presence: true },
    nurse: { jid: 'nurse@localhost/hall', presence: true }
  }
  await scenario(server, cast, async ({ admin, juliet, nurse }) => {
    await befriend(juliet, nurse)
    await lists(admin, 'blacklist', 'capulet.lit')
    await juliet.sends(`<presence type='unavailable'/>`)
    await nurse.receives(`<presence from='{juliet}' type='unavailable'/>`)
    await juliet.forgets()
    await juliet.sends(`<presence/>`)
    await juliet.finds(`<presence from='{nurse}' type='!'/>`)
    await nurse.finds(`<presence from='{juliet}' type='!'/>`)
    await juliet.forgets()
    // A resource of a contact alone
    await lists(admin, 'blacklist', 'capulet.lit', 'nurse@localhost/hall')
    await juliet.finds(`<presence from='{nurse}' type='unavailable'/>`)
    await nurse.finds(`<presence from='{juliet}' type='unavailable'/>`)
    await juliet.receivesNothing()
  })
})

test('RFC 6121 §4.6.3: whoever got directed presence, a room as it may be, learns that they are gone', async t => {
  const server = await startListed(t)
  const abroad = new Abroad(server)
  const cast = { admin: ADMIN, juliet: { jid: 'juliet@localhost/balcony', presence: true } }
  await scenario(server, cast, async ({ admin, juliet }) => {
    await juliet.sends(`<presence to='ball@rooms.capulet.lit/juliet'/>`)
    await juliet.sends(`<presence to='ball@rooms.montague.lit/juliet'/>`)
    await juliet.fence()
    abroad.heard.length = 0
    await lists(admin, 'blacklist-out', 'rooms.capulet.lit')
    await abroad.finds(
      `<presence from='juliet@localhost/balcony' to='ball@rooms.capulet.lit/juliet' type='unavailable'/>`
    )
    await juliet.sends(`<presence type='unavailable'/>`)
    await juliet.fence()
    abroad.hears(`<presence to='ball@rooms.montague.lit/juliet' type='unavailable'/>`)
  })
})

test('RFC 6121 §3: what a listed contact’s subscription comes to', async t => {
  const server = await startListed(t)
  const abroad = new Abroad(server)
  const cast = { admin: ADMIN, juliet: { jid: 'juliet@localhost/balcony', presence: true } }
  await scenario(server, cast, async ({ admin, juliet }) => {
    await juliet.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`)
    await befriendAbroad(abroad, juliet, 'romeo@montague.lit')
    await lists(admin, 'blacklist', 'montague.lit')
    await juliet.forgets()
    abroad.heard.length = 0
    for (const type of ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed']) {
      await juliet.sends(`<presence to='romeo@montague.lit' type='${type}' id='${type}'/>`)
      const error = await juliet.next()
      assert.equal(conditionOf(error), 'not-acceptable', type)
      await abroad.says(`<presence from='romeo@montague.lit' to='juliet@localhost' type='${type}'/>`)
    }
    // No push, no notice
    await juliet.receivesNothing()
    abroad.hears()
    const roster = String(await juliet.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`))
    assert.match(roster, /jid="romeo@montague.lit" subscription="both"/)
  })
})
