import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import test from 'node:test'
import { conditionOf, TestClient } from '../../lib/client'
import { IM_HOST, type Options } from '../../lib/config'
import { startTestServer } from '../../lib/server'
import { PASSWORD, scenario, type Player } from '../../lib/wire'
import { run, statusOf } from '../mod_adhoc_admin/helpers'
import {
  affiliate,
  asks,
  configure,
  count,
  create,
  does,
  entry,
  event,
  iq,
  isRefused,
  items,
  JULIET,
  node,
  onEachDatabase,
  OWNER,
  play,
  POSTS,
  publish,
  PUBSUB,
  register,
  retract,
  ROMEO,
  SERVICE,
  startChannels,
  subscribe,
  unsubscribe
} from './lib'

const TYBALT = 'tybalt@localhost'
const ADD_USER = 'http://jabber.org/protocol/admin#add-user'
const BALCONY = path.resolve(__dirname, '../../../bin/balcony.js')

/** What the command says, which a server refuses. */
function refusal(args: string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, [BALCONY, ...args], (error, _, stderr) =>
      error ? resolve(stderr) : reject(new Error('it was done'))
    )
    child.stdin?.end(input)
  })
}

onEachDatabase('names and bans', database => {
  test('§1.3 no account is made under the name of a channel: in-band, by command, by the operator', async t => {
    const server = await startTestServer(t, {
      database,
      hosts: {
        localhost: { modules: { ...(IM_HOST.modules as Options), register: { requireTls: false } } },
        [SERVICE]: { type: 'component', modules: { channels: {}, recent_items: {}, ratings: {} } }
      },
      modules: { adhoc_admin: {} },
      config: { operators: ['op@localhost'] }
    })
    await server.server.accounts.setPassword('op', 'localhost', PASSWORD)
    const name = randomUUID()
    await scenario(
      server,
      { juliet: `${JULIET}/balcony`, op: 'op@localhost/desk' },
      async ({ juliet, op }) => {
        await does(juliet, register())
        await does(juliet, create(node(`${name}@localhost`, 'posts'), { 'buddycloud#ephemeral': '1' }))

        const stranger = await TestClient.connect({ port: server.ports.tcp as number, domain: 'localhost' })
        t.after(() => stranger.destroy())
        await stranger.open()
        const answer = await stranger.request(
          `<iq type='set'><query xmlns='jabber:iq:register'><username>${name.toUpperCase()}</username><password>wherefore art thou</password></query></iq>`
        )
        assert.equal(conditionOf(answer), 'conflict')
        const added = await run(op, ADD_USER, {
          accountjid: `${name}@localhost`,
          password: PASSWORD,
          'password-verify': PASSWORD
        })
        assert.equal(statusOf(added), 'conflict')
        assert.equal(await server.server.accounts.exists(name, 'localhost'), false)
      }
    )
    assert.deepEqual(server.errors(), [])
    await server.stop()
    assert.match(
      await refusal(['user', 'add', `${name}@localhost`, '--config', server.configFile], 'a password\n'),
      /is the name of a channel: choose another one/
    )
    // the name is free when the channel is gone
    await server.start()
    await scenario(server, { juliet: `${JULIET}/balcony` }, ({ juliet }) =>
      does(juliet, unsubscribe(JULIET, node(`${name}@localhost`, 'posts')))
    )
    await server.addUser(`${name}@localhost`, PASSWORD)
  })

  test('§5.2, §8.1 a ban holds on every node, by every name, for every resource, after every way of leaving', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, tybalt }) => {
      await does(romeo, subscribe(ROMEO))
      await does(tybalt, subscribe(TYBALT))
      await does(juliet, affiliate(TYBALT, 'publisher'))
      await does(tybalt, publish(entry('his'), { id: 'his' }))
      await does(juliet, affiliate('ＴYBALT@LOCALHOST', 'outcast', node(JULIET, 'geoloc')))
      await isBanned(tybalt)
      // he leaves the service and comes back
      await isRefused(tybalt, unsubscribe(TYBALT), 'cancel unexpected-request not-subscribed')
      await does(tybalt, register())
      await does(tybalt, register('<remove/>'))
      await isBanned(tybalt)
      await juliet.forgets()
      await romeo.forgets()
      // he deletes the account, which leaves his name nowhere, and makes it anew
      await server.server.api.accounts.remove('tybalt', 'localhost')
      assert.equal(await count(server, 'channel_ghosts'), 1)
      // nobody who must not know of a ban hears that it went
      await romeo.receivesNothing()
    })
    await scenario(
      server,
      { tybalt: `${TYBALT}/anew`, juliet: `${JULIET}/balcony` },
      async ({ tybalt, juliet }) => {
        await isBanned(tybalt)
        assert.equal(await count(server, 'channel_ghosts'), 0)
        await asks(
          juliet,
          iq('get', `<affiliations node='${POSTS}'/>`, OWNER),
          `<iq type='result'><pubsub xmlns='${OWNER}'><affiliations><affiliation jid='${TYBALT}' affiliation='outcast'/></affiliations></pubsub></iq>`
        )
        // until somebody pardons him
        await does(juliet, affiliate(TYBALT, 'none'))
        await does(tybalt, subscribe(TYBALT))
      }
    )
    assert.deepEqual(server.errors(), [])
  })

  test('§5.1 who is banned and who has asked is nobody else’s to know, in lists, counts and events', async t => {
    const server = await startChannels(t, database)
    await play(server, async ({ juliet, romeo, benvolio, tybalt }) => {
      await does(romeo, subscribe(ROMEO))
      await does(juliet, configure({ 'pubsub#access_model': 'authorize' }))
      await does(juliet, affiliate(TYBALT, 'outcast'))
      await romeo.forgets()
      await does(benvolio, subscribe('benvolio@localhost'))
      await romeo.receivesNothing()
      const followers = (ns: string): string => iq('get', `<subscriptions node='${POSTS}'/>`, ns)
      const members = (ns: string): string => iq('get', `<affiliations node='${POSTS}'/>`, ns)
      for (const ns of [PUBSUB, OWNER]) {
        for (const hidden of ['benvolio@localhost', TYBALT]) {
          const none = `t:absent='yes' jid='${hidden}'`
          await asks(
            romeo,
            followers(ns),
            `<iq type='result'><pubsub xmlns='${ns}'><subscriptions><subscription ${none}/></subscriptions></pubsub></iq>`
          )
          await asks(
            romeo,
            members(ns),
            `<iq type='result'><pubsub xmlns='${ns}'><affiliations><affiliation ${none}/></affiliations></pubsub></iq>`
          )
        }
      }
      const info = `<iq type='get' to='${SERVICE}'><query xmlns='http://jabber.org/protocol/disco#info' node='${POSTS}'/></iq>`
      const counted = (value: string): string =>
        `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#info'><x xmlns='jabber:x:data'>${value}</x></query></iq>`
      await asks(romeo, info, counted(`<field var='pubsub#num_subscribers'><value>2</value></field>`))
      for (const player of [benvolio, tybalt]) {
        await asks(player, info, counted(`<field t:absent='yes' var='pubsub#num_subscribers'/>`))
      }
      // managers know, and whoever it is
      await asks(
        juliet,
        followers(OWNER),
        `<iq type='result'><pubsub xmlns='${OWNER}'><subscriptions><subscription jid='benvolio@localhost' subscription='pending'/></subscriptions></pubsub></iq>`
      )
      await asks(
        benvolio,
        iq('get', '<subscriptions/>'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscriptions><subscription node='${POSTS}' subscription='pending'/></subscriptions></pubsub></iq>`
      )
      // a refusal is told to who asked, and to nobody else
      await romeo.forgets()
      await benvolio.forgets()
      await does(
        juliet,
        iq(
          'set',
          `<subscriptions node='${POSTS}'><subscription jid='benvolio@localhost' subscription='none'/></subscriptions>`,
          OWNER
        )
      )
      await benvolio.receives(
        event(`<subscription node='${POSTS}' jid='benvolio@localhost' subscription='none'/>`)
      )
      await romeo.receivesNothing()
      // nor is it told that somebody who had asked is gone
      await does(benvolio, subscribe('benvolio@localhost'))
      await server.server.api.accounts.remove('benvolio', 'localhost')
      await romeo.receivesNothing()
    })
    assert.deepEqual(server.errors(), [])
  })
})

/** Everything that a channel has is closed to him, whatever he calls it. */
async function isBanned(tybalt: Player): Promise<void> {
  for (const of of [
    POSTS,
    node(JULIET, 'status'),
    '/users/juliet@localhost/posts',
    '/user/JULIET@LOCALHOST/posts',
    '/user/juliet@ｌocalhost/geo/current'
  ]) {
    for (const jid of [TYBALT, `${TYBALT}/another`, 'TYBALT@localhost']) {
      await isRefused(tybalt, subscribe(jid, of), 'auth forbidden')
    }
    for (const request of [
      items('', '', of),
      publish(entry('I hate the word'), { to: of }),
      retract('his', of),
      iq('get', `<subscriptions node='${of}'/>`),
      iq('get', `<affiliations node='${of}'/>`, OWNER),
      `<iq type='get' to='${SERVICE}'><query xmlns='http://jabber.org/protocol/disco#items' node='${of}'/></iq>`
    ]) {
      await isRefused(tybalt, request, 'auth forbidden')
    }
  }
}
