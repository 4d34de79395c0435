import assert from 'node:assert/strict'
import test from 'node:test'
import type { Player } from '../../lib/wire'
import {
  affiliate,
  configure,
  create,
  does,
  event,
  iq,
  isRefused,
  JULIET,
  node,
  onEachDatabase,
  OWNER,
  play,
  POSTS,
  ROMEO,
  SERVICE,
  startChannels,
  subscribe,
  TOPICS
} from './lib'

const BENVOLIO = 'benvolio@localhost'
const TYBALT = 'tybalt@localhost'
const CREW = node(`crew@${TOPICS}`, 'posts')

function invite(...jids: string[]): string {
  const rows = jids.map(jid => `<subscription jid='${jid}' subscription='invited'/>`)
  return iq('set', `<subscriptions node='${POSTS}'>${rows.join('')}</subscriptions>`, OWNER)
}

/** The owners that an answer names. */
async function owners(player: Player, request: string): Promise<string[]> {
  const field = /<field[^>]* var=["']pubsub#owner["'].*?<\/field>/.exec(String(await player.request(request)))
  return [...(field?.[0].matchAll(/<value>(.*?)<\/value>/g) ?? [])].map(found => found[1] ?? '').sort()
}

onEachDatabase('what is not everybody’s to know', database => {
  test('§5.2, table 5: who owns a closed channel is for those who may read it; all others hear who made it', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio, tybalt }) => {
      await does(juliet, create(CREW, { 'pubsub#access_model': 'authorize' }))
      await does(juliet, affiliate(BENVOLIO, 'owner', CREW))
      await does(romeo, subscribe(ROMEO, CREW))
      await does(juliet, affiliate(TYBALT, 'outcast', CREW))
      const info = `<iq type='get' to='${SERVICE}'><query xmlns='http://jabber.org/protocol/disco#info' node='${CREW}'/></iq>`
      const followed = (filter = ''): string =>
        iq(
          'get',
          `<subscriptions-with-configuration xmlns='http://buddycloud.org/v1'>${filter}</subscriptions-with-configuration>`
        )
      for (const player of [juliet, benvolio]) {
        assert.deepEqual(await owners(player, info), [BENVOLIO, JULIET])
      }
      for (const player of [romeo, tybalt]) assert.deepEqual(await owners(player, info), [JULIET])
      assert.deepEqual(await owners(romeo, followed()), [JULIET])
      // nor by asking for the channels that somebody owns
      const filter = (jid: string): string =>
        followed(`<subscription-filter><allow field='owner' value='${jid}'/></subscription-filter>`)
      assert.deepEqual(await owners(romeo, filter(BENVOLIO)), [])
      assert.deepEqual(await owners(romeo, filter(JULIET)), [JULIET])
      await does(juliet, affiliate(ROMEO, 'member', CREW))
      assert.deepEqual(await owners(romeo, info), [BENVOLIO, JULIET])
      // of an open channel everybody may know them
      await does(juliet, configure({ 'pubsub#access_model': 'open' }, CREW))
      await does(juliet, affiliate(ROMEO, 'none', CREW))
      assert.deepEqual(await owners(romeo, info), [BENVOLIO, JULIET])
      assert.deepEqual(await owners(tybalt, info), [JULIET])
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§5.1 whether there is room for an invitation says nothing of who is banned, has asked or is invited', async t => {
    const server = await startChannels(t, database, { channels: { invitationsPerChannel: 4 } })
    await play(server, async ({ juliet, romeo, benvolio }) => {
      await does(romeo, subscribe(ROMEO))
      await does(juliet, configure({ 'pubsub#access_model': 'authorize' }))
      await does(benvolio, subscribe(BENVOLIO))
      await does(juliet, affiliate(TYBALT, 'outcast'))
      await does(romeo, invite('a@localhost', 'b@localhost'))
      for (const jid of ['stranger@localhost', TYBALT, BENVOLIO, 'a@localhost']) {
        await isRefused(romeo, invite(jid), 'modify not-acceptable')
      }
    })
    assert.deepEqual(server.errors(), [])
  })

  test('§5.1 the id of a notification does not say how many get it, for requests are among them', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio, tybalt }) => {
      await does(juliet, create(CREW))
      await does(romeo, subscribe(ROMEO, CREW))
      await does(juliet, configure({ 'pubsub#access_model': 'authorize' }, CREW))
      await does(benvolio, subscribe(BENVOLIO, CREW))
      await does(tybalt, subscribe(TYBALT, CREW))
      await does(juliet, iq('set', `<delete node='${CREW}'/>`, OWNER))
      const gone = event(`<delete node='${CREW}'/>`)
      const ids: string[] = []
      for (const player of [juliet, romeo, benvolio, tybalt])
        ids.push(String((await player.finds(gone)).attrs.id))
      assert.match(ids[0] ?? '', /^n[0-9a-z]+-[\w-]{16}$/)
      assert.equal(new Set(ids).size, 1)
    })
    assert.deepEqual(server.errors(), [])
  })
})
