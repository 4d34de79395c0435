import assert from 'node:assert/strict'
import test from 'node:test'
import type { StanzaEvent } from '../../core/routing/event'
import { cut, enable, eventually, managedHost, reconnect, refused, resume, SM } from '../lib/smacks'
import { startTestServer, type TestServer } from '../lib/server'
import { join, PASSWORD, scenario } from '../lib/wire'

/*
 * XEP-0198 §4, §5: what becomes of a session without a connection, and of what it holds.
 */

const JULIET = 'juliet@localhost/balcony'
const ROMEO = 'romeo@localhost/garden'
const DELAY = "<delay xmlns='urn:xmpp:delay' from='localhost' stamp='*'/>"
const SOON = "resume='true' max='1'"

const chat = (id: string, to = JULIET, type = 'chat') =>
  `<message to='${to}' type='${type}' id='${id}'><body>${id}</body></message>`

const sessionsOf = (server: TestServer, user: string) =>
  server.server.domains.get('localhost')?.sessions.of(user) ?? new Map()

const gone = (server: TestServer, user = 'juliet') =>
  eventually(() => sessionsOf(server, user).size === 0, `the end of ${user}'s session`)

test('a session that nobody resumes ends: messages are kept, requests answered, contacts told once', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    // Directed presence, so that romeo may ask and is told
    await juliet.sends('<presence/>')
    await juliet.receives('<presence/>')
    await juliet.sends(`<presence to='${ROMEO}'/>`)
    await romeo.receives(`<presence from='${JULIET}'/>`)
    const id = await enable(juliet, SOON)
    await cut(server, juliet)
    await romeo.sends(chat('one'))
    await romeo.sends(`<iq type='get' to='${JULIET}' id='q'><query xmlns='jabber:iq:version'/></iq>`)
    await romeo.sends(chat('normal', JULIET, 'normal'))
    await romeo.sends(`<presence to='${JULIET}'/>`)
    await romeo.sends(chat('bare', 'juliet@localhost', 'normal'))
    await romeo.fence()
    assert.deepEqual(romeo.unread, [], 'nobody sees that juliet is away')
    await gone(server)
    await romeo.receivesAll([
      `<iq type='error' id='q' from='${JULIET}'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
      `<message type='error' id='normal' from='${JULIET}'/>`,
      `<presence type='unavailable' from='${JULIET}'/>`
    ])
    await romeo.receivesNothing()
    const again = await reconnect(server, 'juliet')
    const answer = await refused(again, `<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    assert.deepEqual(answer, { condition: 'item-not-found', h: 0 })
    await again.bind('balcony')
    await again.sends('<presence/>')
    await again.finds(`<message id='one' from='${ROMEO}' to='${JULIET}'><body>one</body>${DELAY}</message>`)
    await again.finds(`<message id='bare'>${DELAY}</message>`)
    await again.fence()
    assert.equal(again.unread.filter(stanza => stanza.name === 'message').length, 0)
    again.destroy()
  })
})

test('a delay is said once, and is that of the first attempt', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    await enable(juliet, SOON)
    await cut(server, juliet)
    const before = Date.now()
    await romeo.sends(chat('one'))
    await romeo.fence()
    const after = Date.now()
    await gone(server)
    const again = await join(server, 'juliet again', { jid: JULIET })
    await again.sends('<presence/>')
    const message = await again.finds(`<message id='one'>${DELAY}</message>`)
    const delays = message.children.filter(child => typeof child === 'object' && child.name === 'delay')
    assert.equal(delays.length, 1)
    const stamp = Date.parse(String((delays[0] as { attrs: { stamp?: string } }).attrs.stamp))
    assert.ok(stamp >= before && stamp <= after, `${stamp} is not between ${before} and ${after}`)
    again.destroy()
  })
})

test('contacts see no flap when a session is resumed', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    await juliet.sends('<presence/>')
    await juliet.receives('<presence/>')
    await juliet.sends(`<presence to='${ROMEO}'/>`)
    await romeo.receives(`<presence from='${JULIET}'/>`)
    const id = await enable(juliet)
    await cut(server, juliet)
    const again = await reconnect(server, 'juliet')
    await resume(again, id, 0)
    await romeo.receivesNothing()
    await again.close()
    await romeo.receives(`<presence type='unavailable' from='${JULIET}'/>`)
    await romeo.receivesNothing()
  })
})

test('a message to an account goes to another resource only where no other has it', async t => {
  const server = await startTestServer(t, managedHost())
  const cast = { juliet: JULIET, nurse: 'juliet@localhost/nurse', romeo: ROMEO }
  await scenario(server, cast, async ({ juliet, nurse, romeo }) => {
    for (const client of [juliet, nurse]) {
      await client.sends('<presence/>')
      await client.fence()
    }
    await enable(juliet, SOON)
    await cut(server, juliet)
    await nurse.forgets()
    // Both are to have it, and the nurse has; the second is for juliet alone
    await romeo.sends(chat('both', 'juliet@localhost'))
    await romeo.sends(chat('one'))
    await nurse.receives(`<message id='both'/>`)
    await eventually(() => sessionsOf(server, 'juliet').size === 1)
    await nurse.receivesAll([
      `<message id='one' to='${JULIET}'>${DELAY}</message>`,
      `<presence type='unavailable'/>`
    ])
    await nurse.receivesNothing()
    await romeo.receivesNothing()
  })
})

test('where all the resources that were to have a message are lost, it is kept, once', async t => {
  const server = await startTestServer(t, managedHost())
  const cast = { juliet: JULIET, nurse: 'juliet@localhost/nurse', romeo: ROMEO }
  await scenario(server, cast, async ({ juliet, nurse, romeo }) => {
    for (const client of [juliet, nurse]) {
      await client.sends('<presence/>')
      await client.fence()
      await enable(client, SOON)
    }
    await cut(server, juliet)
    await cut(server, nurse)
    await romeo.sends(chat('both', 'juliet@localhost'))
    await romeo.fence()
    await gone(server)
    const again = await join(server, 'juliet again', { jid: JULIET })
    await again.sends('<presence/>')
    await again.finds(`<message id='both'/>`)
    await again.fence()
    assert.equal(again.unread.filter(stanza => stanza.name === 'message').length, 0)
    again.destroy()
  })
})

test('RFC 6120 §7.7.2.2: whoever binds the resource of a session without a connection ends it', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    const id = await enable(juliet)
    await cut(server, juliet)
    await romeo.sends(chat('one'))
    await romeo.fence()
    const again = await join(server, 'juliet again', { jid: JULIET })
    await again.sends('<presence/>')
    await again.finds(`<message id='one'>${DELAY}</message>`)
    const third = await reconnect(server, 'juliet')
    assert.equal(
      (await refused(third, `<resume xmlns='${SM}' previd='${id}' h='0'/>`)).condition,
      'item-not-found'
    )
    again.destroy()
    third.destroy()
  })
})

test('an account has so many sessions without a connection, the oldest goes first', async t => {
  const server = await startTestServer(t, managedHost({ hibernatingPerAccount: 2 }))
  await server.addUser('juliet@localhost', PASSWORD)
  const ids: string[] = []
  for (const resource of ['a', 'b', 'c']) {
    const client = await join(server, resource, { jid: `juliet@localhost/${resource}` })
    ids.push(await enable(client))
    const there = sessionsOf(server, 'juliet').get(resource)
    client.destroy()
    await eventually(() => there?.hibernating || there?.closed)
  }
  assert.deepEqual([...sessionsOf(server, 'juliet').keys()], ['b', 'c'])
  const again = await reconnect(server, 'juliet')
  const [first, second] = ids as [string, string]
  assert.deepEqual(await refused(again, `<resume xmlns='${SM}' previd='${first}' h='0'/>`), {
    condition: 'item-not-found',
    h: 0
  })
  await resume(again, second, 0)
  again.destroy()
})

test('a host has so many sessions without a connection', async t => {
  const server = await startTestServer(t, managedHost({ hibernatingPerHost: 1 }))
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    await enable(juliet)
    await enable(romeo)
    await cut(server, juliet)
    romeo.destroy()
    await gone(server)
    assert.equal(sessionsOf(server, 'romeo').get('garden')?.hibernating, true)
  })
})

test('sessions without a connection do not keep their client from binding', async t => {
  const server = await startTestServer(t, managedHost({ hibernatingPerAccount: 50 }))
  for (let n = 0; n < 21; n++) {
    const client = await join(server, `client ${n}`, { jid: `juliet@localhost/r${n}` })
    await enable(client)
    await cut(server, client).catch(() => undefined)
    if (n === 20) break
  }
  assert.equal(sessionsOf(server, 'juliet').size, 20)
  assert.equal(sessionsOf(server, 'juliet').has('r0'), false)
})

test('whoever acknowledges too little ends, connected or not, and what was sent goes into the store', async t => {
  const server = await startTestServer(t, managedHost({ unacknowledgedStanzas: 100, askEvery: 1000 }))
  for (const connected of [true, false]) {
    await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
      await enable(juliet)
      if (!connected) await cut(server, juliet)
      for (let n = 0; n < 100; n++) await romeo.sends(chat(`m${n}`))
      await romeo.fence()
      await gone(server)
      if (connected) {
        await juliet.finds(
          `<stream:error><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
        )
      }
      const again = await join(server, 'juliet again', { jid: JULIET })
      await again.sends('<presence/>')
      await again.fence()
      const ids = again.unread.filter(stanza => stanza.name === 'message').map(stanza => stanza.attrs.id)
      assert.deepEqual(
        ids,
        Array.from({ length: 100 }, (_, n) => `m${n}`)
      )
      await again.close()
      await romeo.receivesNothing()
    })
  }
})

test('whoever answers, and counts wrongly, stays', async t => {
  const server = await startTestServer(t, managedHost({ unacknowledgedStanzas: 100, askEvery: 10 }))
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    await enable(juliet)
    for (let n = 0; n < 300; n++) {
      await romeo.sends(chat(`m${n}`))
      await juliet.finds(`<message id='m${n}'/>`)
      if (n % 10 !== 9) continue
      // As @xmpp/client does with answers to its iqs
      await juliet.finds(`<r xmlns='${SM}'/>`)
      juliet.write(`<a xmlns='${SM}' h='0'/>`)
    }
    await juliet.fence()
    assert.equal(sessionsOf(server, 'juliet').size, 1)
  })
})

test('whoever does not answer in time loses the connection, not the session', async t => {
  const server = await startTestServer(t, managedHost({ answerSeconds: 1, askEvery: 1 }))
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    const id = await enable(juliet)
    await romeo.sends(chat('one'))
    await juliet.finds(`<r xmlns='${SM}'/>`)
    await juliet.finds(
      `<stream:error><connection-timeout xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
    )
    await juliet.isClosed()
    const again = await reconnect(server, 'juliet')
    await resume(again, id, 0)
    await again.receives(`<message id='one'/>`)
    again.destroy()
  })
})

test('without resumption the session ends with its connection, and nothing is lost', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    juliet.write(`<enable xmlns='${SM}'/>`)
    await juliet.receives(`<enabled xmlns='${SM}'/>`)
    await romeo.sends(chat('one'))
    await romeo.sends(chat('two'))
    await juliet.receives(`<message id='one'/>`)
    juliet.write(`<a xmlns='${SM}' h='1'/>`)
    await juliet.fence()
    juliet.destroy()
    await gone(server)
    const again = await join(server, 'juliet again', { jid: JULIET })
    await again.sends('<presence/>')
    await again.finds(`<message id='two'>${DELAY}</message>`)
    await again.fence()
    assert.equal(again.unread.filter(stanza => stanza.name === 'message').length, 0)
    again.destroy()
  })
})

test('a server that ends in good order keeps what is unacknowledged', async t => {
  const server = await startTestServer(t, managedHost())
  const juliet = await join(server, 'juliet', { jid: JULIET })
  const tybalt = await join(server, 'tybalt', { jid: 'tybalt@localhost/street' })
  const romeo = await join(server, 'romeo', { jid: ROMEO })
  await enable(juliet)
  await enable(tybalt)
  await cut(server, juliet)
  await romeo.sends(chat('hibernating'))
  await romeo.sends(chat('connected', 'tybalt@localhost/street'))
  await tybalt.receives('<message/>')
  await romeo.fence()
  await server.restart()
  for (const [jid, id] of [
    [JULIET, 'hibernating'],
    ['tybalt@localhost/street', 'connected']
  ] as const) {
    const again = await join(server, 'again', { jid })
    await again.sends('<presence/>')
    await again.finds(`<message id='${id}'>${DELAY}</message>`)
    again.destroy()
  }
  for (const client of [juliet, tybalt, romeo]) client.destroy()
  assert.deepEqual(server.errors(), [])
})

test('with its account a session without a connection ends; what it holds goes back', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    const id = await enable(juliet)
    await cut(server, juliet)
    await romeo.sends(chat('one'))
    await romeo.fence()
    await server.server.accounts.remove('juliet', 'localhost')
    await romeo.receives(`<message type='error' id='one' from='${JULIET}'/>`)
    assert.equal(sessionsOf(server, 'juliet').size, 0)
    await server.addUser('juliet@localhost', 'another password')
    const other = await reconnect(server, 'juliet', 'tcp', 'another password')
    assert.equal(
      (await refused(other, `<resume xmlns='${SM}' previd='${id}' h='0'/>`)).condition,
      'item-not-found'
    )
    other.destroy()
  })
})

// --- what counts as handled

/** Makes messages to tybalt wait until they are let go. */
function holding(server: TestServer): { letGo: () => void; begun: () => number } {
  const host = server.server.domains.get('localhost')
  assert.ok(host)
  const waiting: Array<() => void> = []
  let begun = 0
  host.hooks.add(
    'message/bare',
    (event: StanzaEvent) => {
      if (event.to.local !== 'tybalt') return
      begun++
      return new Promise<void>(resolve => waiting.push(resolve))
    },
    { module: 'test', host: 'localhost', begin: () => undefined, end: () => undefined },
    { priority: 100 }
  )
  return { letGo: () => waiting.shift()?.(), begun: () => begun }
}

test('§4: what is at work is not handled; it is acknowledged when it is', async t => {
  const server = await startTestServer(t, managedHost())
  await server.addUser('tybalt@localhost', PASSWORD)
  const held = holding(server)
  await scenario(server, { juliet: JULIET }, async ({ juliet }) => {
    await enable(juliet)
    await juliet.sends(`<iq type='result' id='x' to='localhost'/>`)
    await juliet.sends(chat('one', 'tybalt@localhost'))
    await juliet.sends(`<iq type='result' id='y' to='localhost'/>`)
    juliet.write(`<r xmlns='${SM}'/>`)
    await juliet.receives(`<a xmlns='${SM}' h='1'/>`)
    juliet.write(`<r xmlns='${SM}'/>`)
    await juliet.receives(`<a xmlns='${SM}' h='1'/>`)
    await eventually(() => held.begun() === 1)
    held.letGo()
    await juliet.finds(`<a xmlns='${SM}' h='3'/>`)
    await juliet.fence()
    assert.equal(juliet.unread.filter(({ name }) => name === 'a').length, 0)
  })
})

test('§5: a resumption waits for what is at work, so that it need not be sent again', async t => {
  const server = await startTestServer(t, managedHost())
  await server.addUser('tybalt@localhost', PASSWORD)
  const held = holding(server)
  await scenario(server, { juliet: JULIET }, async ({ juliet }) => {
    const id = await enable(juliet)
    await juliet.sends(chat('one', 'tybalt@localhost'))
    await juliet.sends(chat('two', 'tybalt@localhost'))
    await eventually(() => held.begun() === 1)
    await cut(server, juliet)
    const impatient = await reconnect(server, 'juliet')
    impatient.write(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    const session = sessionsOf(server, 'juliet').get('balcony')
    await eventually(() => session?.management?.claim !== undefined)
    const first = session?.management?.claim
    const again = await reconnect(server, 'juliet')
    again.write(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    await eventually(() => session?.management?.claim !== first)
    await impatient.receives(
      `<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
    )
    assert.deepEqual(again.unread, [])
    held.letGo()
    await eventually(() => held.begun() === 2)
    assert.deepEqual(again.unread, [])
    held.letGo()
    await again.receives(`<resumed xmlns='${SM}' h='2' previd='${id}'/>`)
    again.destroy()
  })
})

test('all modules are reloaded under a session without a connection: nothing is lost, nobody sees it', async t => {
  const server = await startTestServer(t, managedHost({}, { csi: {} }))
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    await juliet.sends('<presence/>')
    await juliet.receives('<presence/>')
    await juliet.sends(`<presence to='${ROMEO}'/>`)
    await romeo.receives(`<presence from='${JULIET}'/>`)
    const id = await enable(juliet)
    await cut(server, juliet)
    const { modules } = server.server.api
    const names = [...new Set(modules.list().map(({ name }) => name))].filter(name => name !== 'adhoc')
    assert.ok(names.includes('smacks') && names.includes('presence') && names.includes('c2s'))
    let sent = 0
    for (const name of names) {
      await romeo.sends(chat(`m${sent++}`))
      const report = modules.reload(name)
      await romeo.sends(chat(`m${sent++}`))
      assert.deepEqual((await report).ok, true, name)
    }
    await romeo.fence()
    const again = await reconnect(server, 'juliet')
    await resume(again, id, 0)
    for (let n = 0; n < sent; n++) await again.finds(`<message id='m${n}'/>`)
    // What a module holds back after its reload follows the new rules, the session goes on
    await again.sends(chat('back', ROMEO))
    await romeo.receives(`<message id='back' from='${JULIET}'/>`)
    await romeo.receivesNothing()
    again.destroy()
  })
  assert.deepEqual(server.errors(), [])
})

test('a resumption while a module is being swapped waits for it', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET }, async ({ juliet }) => {
    const id = await enable(juliet)
    await cut(server, juliet)
    const again = await reconnect(server, 'juliet')
    const reloading = server.server.api.modules.reload('smacks')
    again.write(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    await again.receives(`<resumed xmlns='${SM}' previd='${id}'/>`)
    assert.equal((await reloading).ok, true)
    again.destroy()
  })
})

test('a changed config holds for the sessions that there are', async t => {
  const server = await startTestServer(t, managedHost({ unacknowledgedStanzas: 1000, askEvery: 1000 }))
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    await enable(juliet)
    const { writeFileSync, readFileSync } = await import('node:fs')
    const config = readFileSync(server.configFile, 'utf8')
    writeFileSync(
      server.configFile,
      config.replace('unacknowledgedStanzas: 1000', 'unacknowledgedStanzas: 100')
    )
    assert.equal((await server.server.api.config.reload()).ok, true)
    const management = sessionsOf(server, 'juliet').get('balcony')?.management
    await eventually(() => management?.policy.unacknowledged.count === 100)
    for (let n = 0; n < 100; n++) await romeo.sends(chat(`m${n}`))
    await gone(server)
  })
})

test('what waits for all sessions without a connection has a bound: who holds most, ends', async t => {
  const server = await startTestServer(t, managedHost({ hibernatingBytes: 65_536 }))
  const cast = { juliet: JULIET, nurse: 'nurse@localhost/kitchen', romeo: ROMEO }
  await scenario(server, cast, async ({ juliet, nurse, romeo }) => {
    await enable(juliet)
    await enable(nurse)
    await cut(server, juliet)
    await cut(server, nurse)
    const long = (to: string, id: number, length: number) =>
      `<message to='${to}' type='chat' id='m${id}'><body>${'x'.repeat(length)}</body></message>`
    for (let n = 0; n < 10; n++) {
      await romeo.sends(long(nurse.jid, n, 1000))
      await romeo.sends(long(JULIET, n, 6000))
    }
    await gone(server)
    assert.equal(sessionsOf(server, 'nurse').get('kitchen')?.hibernating, true)
  })
})

test('as much as may wait is sent at once when the session is resumed; one more, and there is no session', async t => {
  const server = await startTestServer(
    t,
    managedHost({ unacknowledgedBytes: 1e9 }, { offline: { maxBytes: 1e8 } })
  )
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    const id = await enable(juliet)
    await cut(server, juliet)
    // Half of limits.unreadBytes, 8 MiB
    const body = 'x'.repeat(200_000)
    const fits = Math.floor((4 * 1024 * 1024) / (body.length + 400))
    const tell = (n: number) =>
      romeo.sends(`<message to='${JULIET}' type='chat' id='m${n}'><body>${body}</body></message>`)
    for (let n = 0; n < fits; n++) await tell(n)
    await romeo.fence()
    const again = await reconnect(server, 'juliet')
    await resume(again, id, 0)
    for (let n = 0; n < fits; n++) await again.receives(`<message id='m${n}'/>`)
    await again.receives(`<r xmlns='${SM}'/>`)
    await tell(fits)
    await tell(fits + 1)
    await gone(server)
    again.destroy()
  })
})
