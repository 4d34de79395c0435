import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { parse } from 'yaml'
import { openDatabase, type StorageOptions } from '../../../core/storage'
import { parseElement } from '../../../core/xml'
import { testLog } from '../../lib/databases'
import type { TestServer } from '../../lib/server'
import {
  affiliate,
  asks,
  create,
  does,
  event,
  iq,
  isRefused,
  NODE,
  onEachDatabase,
  OWNER,
  play,
  publish,
  PUBSUB,
  SERVICE,
  STANZAS,
  startPubsub,
  subscribe
} from './lib'

const TABLES = ['nodes', 'redirects', 'affiliations', 'subscriptions', 'items'].map(name => `pubsub_${name}`)

/** Rows of the service's tables in which a text stands, payloads aside. */
async function rowsWith(server: TestServer, text: string): Promise<string[]> {
  const { storage } = parse(fs.readFileSync(server.configFile, 'utf8')) as { storage: StorageOptions }
  const place =
    storage.driver === 'sqlite'
      ? { ...storage, path: path.join(server.folder, 'data/balcony.sqlite') }
      : storage
  const db = await openDatabase(place, testLog())
  const found: string[] = []
  for (const table of TABLES) {
    for (const { payload, ...columns } of await db.read.query<Record<string, unknown>>(db.knex(table))) {
      assert.notEqual(payload, '')
      if (JSON.stringify(columns).includes(text)) found.push(`${table} ${JSON.stringify(columns)}`)
    }
  }
  await db.close()
  return found
}

function bounce(from: string, condition: string, type = 'cancel', to = SERVICE) {
  return parseElement(
    `<message type='error' id='x' from='${from}' to='${to}'><error type='${type}'><${condition} xmlns='${STANZAS}'/></error></message>`
  )
}

onEachDatabase(database => {
  test('an account that is removed leaves nothing behind but what it published elsewhere', async t => {
    const server = await startPubsub(t, database, { defaults: { namePublisher: true } })
    await play(server, async ({ hamlet, francisco, bernardo }) => {
      await does(hamlet, create({}, 'alone'))
      await does(hamlet, create({}, 'shared'))
      await does(hamlet, create({}, 'moved'))
      await does(hamlet, iq('set', `<delete node='moved'><redirect uri='xmpp:away'/></delete>`, OWNER))
      await does(hamlet, affiliate('francisco@localhost', 'owner', 'shared'))
      await does(hamlet, publish('first', 'x', 'shared'))
      await does(bernardo, create())
      await does(hamlet, subscribe('hamlet@localhost'))
      await does(hamlet, subscribe('hamlet@localhost/elsinore'))
      await does(bernardo, affiliate('hamlet@localhost', 'publisher'))
      await does(hamlet, publish('guest'))
      await does(francisco, subscribe('francisco@localhost', 'alone'))
      await does(francisco, subscribe('francisco@localhost'))
      await francisco.forgets()
      assert.notEqual((await rowsWith(server, 'hamlet')).length, 0)

      assert.equal(await server.server.accounts.remove('hamlet', 'localhost'), true)
      await francisco.receives(event(`<delete node='alone'/>`))
      assert.deepEqual(await rowsWith(server, 'hamlet'), [])
      await isRefused(francisco, iq('get', `<items node='alone'/>`), 'cancel item-not-found')
      await isRefused(francisco, iq('get', `<items node='moved'/>`), 'cancel item-not-found')
      for (const node of ['shared', NODE]) {
        await asks(
          francisco,
          iq('get', `<items node='${node}'/>`),
          `<iq type='result'><pubsub xmlns='${PUBSUB}'><items><item publisher='!'/></items></pubsub></iq>`
        )
      }
      await asks(
        francisco,
        `<iq type='get' to='${SERVICE}'><query xmlns='http://jabber.org/protocol/disco#info' node='shared'/></iq>`,
        `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#info'><x xmlns='jabber:x:data'><field t:absent='yes' var='pubsub#creator'/>
           <field var='pubsub#owner'><value>francisco@localhost</value></field></x></query></iq>`
      )
      await asks(
        bernardo,
        `<iq type='get' to='${SERVICE}'><query xmlns='http://jabber.org/protocol/disco#info' node='${NODE}'/></iq>`,
        `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#info'><x xmlns='jabber:x:data'>
           <field var='pubsub#num_subscribers'><value>1</value></field></x></query></iq>`
      )
      await does(bernardo, publish('after'))
      await francisco.receives(event(`<items node='${NODE}'><item id='after'/></items>`))
    })
    assert.deepEqual(server.errors(), [])
  })

  test('XEP-0060 §12.4: an address that is gone is told no more, on all nodes; other errors end nothing', async t => {
    const server = await startPubsub(t, database)
    const { api } = server.server
    const peer = { kind: 's2s', name: 'denmark.example' } as const
    const ghost = 'ghost@denmark.example'
    const subscribed = (jid: string): string => `<subscription jid='${jid}' subscription='subscribed'/>`
    await play(server, async ({ hamlet }) => {
      for (const node of [NODE, 'other']) {
        await does(hamlet, create({ notify_sub: '1' }, node))
        const jids = [ghost, `${ghost}/tower`, 'other@denmark.example', 'hamlet@localhost/elsinore']
        await does(
          hamlet,
          iq('set', `<subscriptions node='${node}'>${jids.map(subscribed).join('')}</subscriptions>`, OWNER)
        )
      }
      await hamlet.forgets()
      const remaining = (...jids: string[]): string =>
        `<iq type='result'><pubsub xmlns='${OWNER}'><subscriptions t:exact='yes' node='${NODE}'>${jids.map(subscribed).join('')}</subscriptions></pubsub></iq>`
      const list = iq('get', `<subscriptions node='${NODE}'/>`, OWNER)
      for (const condition of ['service-unavailable', 'remote-server-not-found', 'forbidden'])
        api.route(bounce(ghost, condition), peer)
      api.route(bounce(ghost, 'item-not-found', 'wait'), peer)
      // in the name of an account of ours, from elsewhere
      api.route(bounce('hamlet@localhost/elsinore', 'gone'), peer)
      await hamlet.receivesNothing()
      const others = [`${ghost}/tower`, 'other@denmark.example', 'hamlet@localhost/elsinore']
      await asks(hamlet, list, remaining(ghost, ...others))
      api.route(bounce(ghost, 'gone', 'modify'), peer)
      for (const node of [NODE, 'other'])
        await hamlet.receives(event(`<subscription node='${node}' jid='${ghost}' subscription='none'/>`))
      await asks(hamlet, list, remaining(...others))
      api.route(bounce(`${ghost}/tower`, 'item-not-found'), peer)
      for (const node of [NODE, 'other'])
        await hamlet.receives(
          event(`<subscription node='${node}' jid='${ghost}/tower' subscription='none'/>`)
        )
      await asks(hamlet, list, remaining(...others.slice(1)))
      await hamlet.receivesNothing()
    })
  })
})
