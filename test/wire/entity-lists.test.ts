import assert from 'node:assert/strict'
import path from 'node:path'
import test from 'node:test'
import { z } from 'zod'
import { openDatabase } from '../../core/storage'
import { Abroad } from '../lib/abroad'
import { conditionOf } from '../lib/client'
import { testLog } from '../lib/databases'
import { Far, FAR_HOST } from '../lib/far'
import { IM_HOST } from '../lib/config'
import { TestComponent } from '../lib/component'
import type { TestServer } from '../lib/server'
import { scenario, type Player } from '../lib/wire'
import { COMMANDS, notesOf, run, statusOf } from '../modules/mod_adhoc_admin/helpers'
import { agrees, NODES as BUDDIES } from '../modules/mod_server_buddy/hosts'
import { BLACK, fieldOf, NODES, startListed, WHITE, type List } from '../modules/mod_entity_lists/hosts'

/** Who is listed is refused in both directions, with the errors of privacy rules. */

const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const PING = `<ping xmlns='urn:xmpp:ping'/>`
const CAST = {
  admin: 'admin@localhost/globe',
  juliet: { jid: 'juliet@localhost/balcony', presence: true }
} as const

/** From now on exactly these are on the list. */
async function lists(admin: Player, list: List, ...jids: string[]): Promise<void> {
  const answer = await run(admin, NODES[list], { [fieldOf(list)]: jids })
  assert.equal(statusOf(answer), 'completed', String(answer))
}

function hooksOf(server: TestServer, domain = 'localhost'): string[] {
  const chains = server.server.domains.get(domain)?.hooks.list() ?? []
  const routed = chains.filter(({ module, event }) => module === 'entity_lists' && event.startsWith('route/'))
  return routed.map(({ event }) => event)
}

const unavailable = (of: string, to: string): string =>
  `<message from='${of}' to='${to}' type='error'><error type='cancel'><service-unavailable xmlns='${STANZAS}'/></error></message>`

test('XEP-0016 §2.14: from a listed server: nothing comes in, and it looks as if nobody was there', async t => {
  const server = await startListed(t)
  const abroad = new Abroad(server)
  await scenario(server, CAST, async ({ admin, juliet }) => {
    await abroad.says(
      `<message from='tybalt@capulet.lit/street' to='juliet@localhost'><body>1</body></message>`
    )
    await juliet.receives(`<message from='tybalt@capulet.lit/street'><body>1</body></message>`)
    for (const entry of ['capulet.lit', 'tybalt@capulet.lit', 'tybalt@capulet.lit/street']) {
      await lists(admin, 'blacklist', entry)
      for (const to of ['juliet@localhost', 'juliet@localhost/balcony', 'nobody@localhost', 'localhost']) {
        const from = `from='tybalt@capulet.lit/street' to='${to}' id='x'`
        // "For message stanzas, the server SHOULD return an error, which SHOULD be <service-unavailable/>"
        for (const type of ['chat', 'normal', 'groupchat', 'headline']) {
          await abroad.says(`<message ${from} type='${type}'><body>2</body></message>`)
          abroad.hears(unavailable(to, 'tybalt@capulet.lit/street'))
        }
        // "For IQ stanzas of type get or set, the server MUST return an error"
        for (const type of ['get', 'set']) {
          await abroad.says(`<iq ${from} type='${type}'>${PING}</iq>`)
          abroad.hears(
            `<iq from='${to}' to='tybalt@capulet.lit/street' id='x' type='error'><error type='cancel'><service-unavailable xmlns='${STANZAS}'/></error></iq>`
          )
        }
        // "IQ stanzas of other types MUST be silently dropped"; errors are never answered
        for (const stanza of [
          `<iq ${from} type='result'/>`,
          `<iq ${from} type='error'/>`,
          `<message ${from} type='error'/>`,
          // "For presence stanzas (including notifications, subscriptions, and probes), the server MUST NOT respond"
          ...[
            '',
            `type='unavailable'`,
            `type='subscribe'`,
            `type='subscribed'`,
            `type='probe'`,
            `type='error'`
          ].map(type => `<presence ${from} ${type}/>`)
        ]) {
          await abroad.says(stanza)
          abroad.hears()
        }
      }
      await juliet.receivesNothing()
    }
    // Nobody else
    for (const from of ['kate@montague.lit/x', 'tybalt@capulet.lit/home']) {
      await abroad.says(`<message from='${from}' to='juliet@localhost'><body>3</body></message>`)
      await juliet.receives(`<message from='${from}'><body>3</body></message>`)
    }
    // At once again
    await lists(admin, 'blacklist')
    await abroad.says(
      `<message from='tybalt@capulet.lit/street' to='juliet@localhost'><body>4</body></message>`
    )
    await juliet.receives(`<message><body>4</body></message>`)
    const roster = await juliet.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`)
    assert.ok(!String(roster).includes('capulet'), 'no request was kept')
  })
  assert.deepEqual(server.errors(), [])
})

test('XEP-0133 §4.11: a command to the host by somebody who is listed is not even looked at', async t => {
  const server = await startListed(t)
  const abroad = new Abroad(server)
  await scenario(server, CAST, async ({ admin }) => {
    await lists(admin, 'blacklist', 'capulet.lit')
    const execute = `<command xmlns='${COMMANDS}' node='${NODES.blacklist}' action='execute'/>`
    await abroad.says(`<iq from='tybalt@CAPULET.lit/x' to='localhost' id='c' type='set'>${execute}</iq>`)
    abroad.hears(`<iq id='c' type='error'><error><service-unavailable xmlns='${STANZAS}'/></error></iq>`)
  })
  assert.ok(!server.log.some(({ msg }) => msg?.includes('command refused')))
})

test('XEP-0016 §2.14: to somebody who is listed: not-acceptable, and nothing leaves', async t => {
  const server = await startListed(t)
  const abroad = new Abroad(server)
  await scenario(server, CAST, async ({ admin, juliet }) => {
    await lists(admin, 'blacklist', 'capulet.lit')
    const to = `to='tybalt@capulet.lit/street' id='x'`
    const error = `<error type='cancel'><not-acceptable xmlns='${STANZAS}'/></error>`
    for (const stanza of [
      `<message ${to}><body>1</body></message>`,
      `<iq ${to} type='get'>${PING}</iq>`,
      `<iq ${to} type='set'>${PING}</iq>`,
      `<presence ${to}/>`,
      `<presence ${to} type='unavailable'/>`,
      `<presence ${to} type='subscribe'/>`
    ]) {
      await juliet.sends(stanza)
      const name = /^<(\w+)/.exec(stanza)?.[1]
      await juliet.receives(
        `<${name} type='error' id='x' from='tybalt@capulet.lit/street'>${error}</${name}>`
      )
    }
    for (const stanza of [`<iq ${to} type='result'/>`, `<message ${to} type='error'/>`])
      await juliet.sends(stanza)
    await juliet.receivesNothing()
    abroad.hears()
    const roster = await juliet.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`)
    assert.ok(!String(roster).includes('capulet'), 'no subscription was begun')
  })
  assert.deepEqual(server.errors(), [])
})

test('XEP-0133 §4.11: one direction; a request needs both, for its answer comes the other way', async t => {
  const server = await startListed(t)
  const abroad = new Abroad(server)
  await scenario(server, CAST, async ({ admin, juliet }) => {
    const tybalt = 'tybalt@capulet.lit/street'
    const says = (): Promise<void> =>
      abroad.says(`<message from='${tybalt}' to='juliet@localhost' id='in'><body>in</body></message>`)
    const hears = (): Promise<unknown> =>
      juliet.sends(`<message to='${tybalt}' id='out'><body>out</body></message>`)
    const asksJuliet = (): Promise<void> =>
      abroad.says(`<iq from='${tybalt}' to='localhost' id='ask' type='get'>${PING}</iq>`)
    const asksTybalt = async (): Promise<string> =>
      conditionOf(await juliet.request(`<iq to='${tybalt}' type='get'>${PING}</iq>`))

    await lists(admin, 'blacklist-in', 'capulet.lit')
    await says()
    abroad.hears(unavailable('juliet@localhost', tybalt))
    await hears()
    await juliet.receivesNothing()
    abroad.hears(`<message id='out' to='${tybalt}'/>`)
    await asksJuliet()
    abroad.hears(`<iq id='ask' type='error'/>`)
    assert.equal(await asksTybalt(), 'not-acceptable')
    abroad.hears()

    await lists(admin, 'blacklist-in')
    await lists(admin, 'blacklist-out', 'capulet.lit')
    await says()
    await juliet.receives(`<message id='in'><body>in</body></message>`)
    await hears()
    await juliet.receives(
      `<message id='out' type='error'><error><not-acceptable xmlns='${STANZAS}'/></error></message>`
    )
    await asksJuliet()
    abroad.hears(`<iq id='ask' type='error'/>`)
    assert.equal(await asksTybalt(), 'not-acceptable')
    abroad.hears()

    await lists(admin, 'blacklist-out')
    await asksJuliet()
    abroad.hears(`<iq id='ask' type='result'/>`)
    assert.deepEqual(hooksOf(server), [], 'where nobody is listed no stanza is looked at')
  })
})

test('XEP-0133 §4.11: an account of the host itself, on streams that are open', async t => {
  const server = await startListed(t)
  const abroad = new Abroad(server)
  const cast = {
    ...CAST,
    tybalt: { jid: 'tybalt@localhost/street', presence: true },
    home: { jid: 'tybalt@localhost/home', presence: true },
    other: { jid: 'romeo@other/orchard', presence: true }
  }
  await scenario(server, cast, async ({ admin, juliet, tybalt, home, other }) => {
    await lists(admin, 'blacklist', 'tybalt@localhost')
    for (const one of [tybalt, home]) await one.forgets()
    // XEP-0016 §2.14, seen from the host
    await tybalt.sends(`<message to='juliet@localhost' id='1'><body>1</body></message>`)
    await tybalt.receives(unavailable('juliet@localhost', 'tybalt@localhost/street'))
    for (const to of [
      'juliet@localhost/balcony',
      'localhost',
      'channels.localhost',
      'romeo@other',
      'x@far.example'
    ])
      assert.equal(
        conditionOf(await tybalt.request(`<iq to='${to}' type='get'>${PING}</iq>`)),
        'service-unavailable'
      )
    await tybalt.sends(`<presence to='juliet@localhost' type='subscribe'/>`)
    await tybalt.sends(`<message to='x@far.example' id='2'><body>2</body></message>`)
    await tybalt.receives(unavailable('x@far.example', 'tybalt@localhost/street'))
    for (const [who, condition] of [
      [juliet, 'not-acceptable'],
      // Whoever is elsewhere sees nobody
      [other, 'service-unavailable']
    ] as const) {
      await who.sends(`<message to='tybalt@localhost' id='3'><body>3</body></message>`)
      await who.receives(
        `<message type='error' id='3'><error><${condition} xmlns='${STANZAS}'/></error></message>`
      )
      const ping = await who.request(`<iq to='tybalt@localhost/street' type='get'>${PING}</iq>`)
      assert.equal(conditionOf(ping), condition)
    }
    await abroad.says(`<message from='x@far.example' to='tybalt@localhost' id='4'><body>4</body></message>`)
    abroad.hears(unavailable('tybalt@localhost', 'x@far.example'))
    await tybalt.receivesNothing()
    // XEP-0016 §2.1: never between one's own resources, nor with the own account
    await tybalt.sends(`<message to='tybalt@localhost/home' id='5'><body>5</body></message>`)
    await home.receives(`<message id='5'/>`)
    const roster = await tybalt.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`)
    assert.equal(roster.attrs.type, 'result')
    assert.ok(!String(roster).includes('juliet'))

    // One resource alone
    await lists(admin, 'blacklist', 'tybalt@localhost/street')
    await home.sends(`<message to='juliet@localhost' id='6'><body>6</body></message>`)
    await juliet.receives(`<message id='6'/>`)
    await tybalt.sends(`<message to='juliet@localhost' id='7'><body>7</body></message>`)
    await tybalt.finds(`<message id='7' type='error'/>`)
    // Stamped with the bare JID, and yet that resource's (RFC 6121 §3)
    await tybalt.sends(`<presence to='juliet@localhost' type='subscribe'/>`)
    await juliet.receivesNothing()
    // What goes to the account goes to all its resources
    await juliet.sends(`<message to='tybalt@localhost' id='8' type='chat'><body>8</body></message>`)
    for (const one of [tybalt, home]) await one.finds(`<message id='8' type='chat'/>`)
  })
  assert.deepEqual(server.errors(), [])
})

test('XEP-0133 §4.11: other hosts of this server, components inside it and attached to it', async t => {
  const secret = 'a secret for tests'
  const component = { secret, listen: [{ address: '127.0.0.1', port: 0 }] }
  const server = await startListed(
    t,
    {},
    {
      hosts: {
        localhost: { ...IM_HOST, admins: ['admin@localhost'] },
        other: IM_HOST,
        'far.example': FAR_HOST,
        'bot.example': { type: 'component', modules: { component } }
      }
    }
  )
  const far = new Far(server)
  const port = server.server.components.listeners.ports()[0]?.port as number
  const bot = await TestComponent.attach(t, port, 'bot.example', secret)
  const cast = { ...CAST, romeo: { jid: 'romeo@other/orchard', presence: true } }
  await scenario(server, cast, async ({ admin, juliet, romeo }) => {
    await lists(admin, 'blacklist', 'other', 'far.example', 'bot.example')
    await romeo.sends(`<message to='juliet@localhost' id='1'><body>1</body></message>`)
    await romeo.receives(
      `<message type='error' id='1'><error><service-unavailable xmlns='${STANZAS}'/></error></message>`
    )
    assert.equal(
      conditionOf(await romeo.request(`<iq to='localhost' type='get'>${PING}</iq>`)),
      'service-unavailable'
    )
    await far.says(
      `<message from='room@far.example/nurse' to='juliet@localhost' id='2'><body>2</body></message>`
    )
    bot.send(`<message from='bot.example' to='juliet@localhost' id='3'><body>3</body></message>`)
    await bot.receives(
      `<message to='bot.example' type='error' id='3'><error><service-unavailable xmlns='${STANZAS}'/></error></message>`
    )
    bot.send(`<presence from='bot.example' to='juliet@localhost' type='subscribe'/>`)
    await bot.fence('other')
    for (const to of ['romeo@other', 'room@far.example/x', 'bot.example']) {
      await juliet.sends(`<message to='${to}' id='4'><body>4</body></message>`)
      await juliet.receives(
        `<message type='error' id='4' from='${to}'><error><not-acceptable xmlns='${STANZAS}'/></error></message>`
      )
    }
    await juliet.receivesNothing()
    await romeo.receivesNothing()
    far.hears(`<message type='error' id='2' to='room@far.example/nurse'/>`)
    // What other hosts do with each other is their own affair
    await romeo.sends(`<message to='room@far.example/x' id='5'><body>5</body></message>`)
    await romeo.fence()
    far.hears(`<message id='5'/>`)
  })
  assert.deepEqual(server.errors(), [])
})

test('XEP-0133 §4.12: a whitelist lets in whom it names; the host, its people and its services are at home', async t => {
  const server = await startListed(t)
  const abroad = new Abroad(server)
  const cast = { ...CAST, romeo: 'romeo@other/orchard', nurse: 'nurse@localhost/hall' }
  await scenario(server, cast, async ({ admin, juliet, romeo, nurse }) => {
    await lists(admin, 'whitelist', 'montague.lit', 'kate@capulet.lit')
    for (const [from, comes] of [
      ['romeo@montague.lit/x', true],
      ['kate@capulet.lit/y', true],
      ['tybalt@capulet.lit/z', false],
      ['sub.montague.lit', false]
    ] as const) {
      await abroad.says(`<message from='${from}' to='juliet@localhost' id='1'><body>1</body></message>`)
      if (comes) await juliet.receives(`<message from='${from}'/>`)
      else abroad.hears(unavailable('juliet@localhost', from))
    }
    await juliet.sends(`<message to='tybalt@capulet.lit' id='2'><body>2</body></message>`)
    await juliet.receives(
      `<message type='error' id='2'><error><not-acceptable xmlns='${STANZAS}'/></error></message>`
    )
    await romeo.sends(`<message to='juliet@localhost' id='3'><body>3</body></message>`)
    await romeo.receives(`<message type='error' id='3'/>`)
    await nurse.sends(`<message to='juliet@localhost' id='4'><body>4</body></message>`)
    await juliet.receives(`<message id='4' from='nurse@localhost/hall'/>`)
    await juliet.fence('channels.localhost')
    // The narrowest form decides (XEP-0016 §2.1)
    await lists(admin, 'blacklist', 'romeo@montague.lit', 'capulet.lit')
    await abroad.says(
      `<message from='kate@capulet.lit/y' to='juliet@localhost' id='5'><body>5</body></message>`
    )
    await juliet.receives(`<message id='5'/>`)
    await abroad.says(
      `<message from='romeo@montague.lit/x' to='juliet@localhost' id='6'><body>6</body></message>`
    )
    abroad.hears(unavailable('juliet@localhost', 'romeo@montague.lit/x'))
    // On a service everybody is from elsewhere
    const answer = await run(admin, NODES.whitelist, { [WHITE]: ['admin@localhost'] }, 'channels.localhost')
    assert.match(String(answer), /op@localhost, who administers this host, would be shut out/)
    const people = ['admin@localhost', 'boss@localhost', 'op@localhost']
    assert.equal(
      statusOf(await run(admin, NODES.whitelist, { [WHITE]: people }, 'channels.localhost')),
      'completed'
    )
    const ping = await juliet.request(`<iq to='channels.localhost' type='get'>${PING}</iq>`)
    assert.equal(conditionOf(ping), 'service-unavailable')
    await admin.fence('channels.localhost')
    await juliet.receivesNothing()
  })
  assert.deepEqual(server.errors(), [])
})

test('XEP-0160: what is refused is not stored; offline or not, and whether there is an account, looks the same', async t => {
  const server = await startListed(t)
  const abroad = new Abroad(server)
  await server.addUser('paris@localhost', 'x')
  await scenario(server, { admin: CAST.admin }, async ({ admin }) => {
    await lists(admin, 'blacklist', 'capulet.lit')
    for (const to of ['paris@localhost', 'nobody@localhost']) {
      await abroad.says(`<message from='tybalt@capulet.lit' to='${to}'><body>1</body></message>`)
      abroad.hears(unavailable(to, 'tybalt@capulet.lit'))
    }
    await lists(admin, 'blacklist')
  })
  await server.server.accounts.setPassword('paris', 'localhost', 'a password for tests')
  await scenario(server, { paris: { jid: 'paris@localhost/x', presence: true } }, async ({ paris }) => {
    await paris.receivesNothing()
  })
})

test('a guard: without its module, but for an operator, nothing passes; the own account still answers', async t => {
  const server = await startListed(t)
  const abroad = new Abroad(server)
  await scenario(server, { ...CAST, romeo: 'romeo@localhost/x' }, async ({ juliet, romeo }) => {
    const says = (): Promise<void> =>
      abroad.says(`<message from='kate@capulet.lit' to='juliet@localhost' id='1'><body>1</body></message>`)
    // An operator takes it away, and what is kept cannot be read when it is to come back
    const { manager } = server.server
    assert.equal((await manager.unload('entity_lists', 'localhost')).ok, true)
    await says()
    await juliet.receives(`<message id='1' from='kate@capulet.lit'/>`)
    const file = path.join(server.folder, 'data', 'balcony.sqlite')
    const db = await openDatabase({ driver: 'sqlite', path: file }, testLog())
    t.after(() => db.close())
    const store = db.store('localhost', 'entity_lists', 'lists', z.unknown())
    await store.set('blacklist', 'no list')
    assert.equal((await manager.load('entity_lists', 'localhost')).ok, false)
    await says()
    abroad.hears(unavailable('juliet@localhost', 'kate@capulet.lit'))
    await romeo.sends(`<message to='juliet@localhost' id='2'><body>2</body></message>`)
    await romeo.receives(
      `<message type='error' id='2'><error><service-unavailable xmlns='${STANZAS}'/></error></message>`
    )
    const roster = await romeo.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`)
    assert.equal(roster.attrs.type, 'result')
    await juliet.receivesNothing()
    await store.delete('blacklist')
    assert.equal((await manager.load('entity_lists', 'localhost')).ok, true)
    await says()
    await juliet.receives(`<message id='1' from='kate@capulet.lit'/>`)
  })
})

test('XEP-0267: a server on the blacklist cannot become a buddy; the command says so, and one that is one sees it go', async t => {
  const server = await startListed(t, {}, { modules: { server_buddy: { autoApprove: 'always' } } })
  const abroad = new Abroad(server)
  await scenario(server, { admin: CAST.admin }, async ({ admin }) => {
    await lists(admin, 'blacklist', 'capulet.lit')
    const asked = await run(admin, BUDDIES.request, { peerjid: 'capulet.lit' })
    assert.match(notesOf(asked).join(), /not-acceptable|does not let stanzas go to capulet\.lit/)
    await abroad.says(`<presence from='capulet.lit' to='localhost' type='subscribe'/>`)
    abroad.hears()
    await abroad.says(`<presence from='montague.lit' to='localhost' type='subscribe'/>`)
    await abroad.finds(`<presence from='localhost' to='montague.lit' type='subscribed'/>`)
    await agrees(admin, 'localhost', { 'capulet.lit': 'none out', 'montague.lit': 'from out' })
    abroad.heard.length = 0
    await lists(admin, 'blacklist', 'capulet.lit', 'montague.lit')
    await abroad.finds(`<presence from='localhost' to='montague.lit' type='unavailable'/>`)
    await abroad.says(`<presence from='montague.lit' to='localhost' type='probe'/>`)
    abroad.hears()
    await lists(admin, 'blacklist')
    await abroad.finds(`<presence from='localhost' to='montague.lit' type='!'/>`)
  })
  assert.deepEqual(server.errors(), [])
})

test('entries are in force again after a restart, before anybody is let in', async t => {
  const server = await startListed(t)
  await scenario(server, { admin: CAST.admin }, ({ admin }) => lists(admin, 'blacklist', 'capulet.lit'))
  await server.restart()
  assert.deepEqual(hooksOf(server), ['route/leaving', 'route/arriving'])
  const abroad = new Abroad(server)
  await abroad.says(`<message from='tybalt@capulet.lit' to='juliet@localhost'><body>1</body></message>`)
  abroad.hears(unavailable('juliet@localhost', 'tybalt@capulet.lit'))
  await scenario(server, { admin: CAST.admin }, async ({ admin }) => {
    for (let i = 0; i < 3; i++) {
      assert.equal((await server.server.manager.reload('entity_lists')).ok, true)
      await admin.sends(`<message to='tybalt@capulet.lit' id='2'><body>2</body></message>`)
      await admin.receives(
        `<message type='error' id='2'><error><not-acceptable xmlns='${STANZAS}'/></error></message>`
      )
    }
    assert.equal(statusOf(await run(admin, NODES.blacklist, { [BLACK]: [] })), 'completed')
  })
  assert.deepEqual(hooksOf(server), [])
})
