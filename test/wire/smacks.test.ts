import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf } from '../../core/xml/element'
import { TestClient } from '../lib/client'
import { cut, enable, managedHost, reconnect, refused, resume, SM } from '../lib/smacks'
import { startTestServer } from '../lib/server'
import { scenario } from '../lib/wire'

const JULIET = 'juliet@localhost/balcony'
const ROMEO = 'romeo@localhost/garden'
const CHAT = `<message to='${JULIET}' type='chat' id='m'><body>hail</body></message>`

test('XEP-0198 §2: offered after authentication, and only where the module is', async t => {
  const server = await startTestServer(t, managedHost())
  await server.addUser('juliet@localhost', 'a password for tests')
  const client = await TestClient.connect({ port: server.ports.tcp as number, domain: 'localhost' })
  const before = await client.open()
  assert.equal(childOf(before, 'sm', SM), undefined)
  const after = await client.authenticate({ user: 'juliet', password: 'a password for tests' })
  assert.ok(childOf(after, 'sm', SM))
  client.destroy()
})

test('XEP-0198 §3: enabled after binding, once, without and with resumption', async t => {
  const server = await startTestServer(t, managedHost({ resumeSeconds: 300, location: '[2001:db8::1]:5223' }))
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    juliet.write(`<enable xmlns='${SM}'/>`)
    await juliet.receives(
      `<enabled xmlns='${SM}' id='!' resume='!' max='!' location='!' t:exact='yes' xmlns:t='urn:balcony:test'/>`
    )
    romeo.write(`<enable xmlns='${SM}' resume='1' max='60'/>`)
    const enabled = await romeo.receives(
      `<enabled xmlns='${SM}' id='*' resume='true' max='60' location='[2001:db8::1]:5223'/>`
    )
    assert.ok(String(enabled.attrs.id).length >= 32, 'an identifier that is not to be guessed')
    // A second attempt: §3
    assert.deepEqual(await refused(romeo, `<enable xmlns='${SM}'/>`), { condition: 'unexpected-request' })
    await romeo.receives(
      `<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
    )
    await romeo.isClosed()
  })
})

test('XEP-0198 §3: the client may ask for less time, not for more', async t => {
  const server = await startTestServer(t, managedHost({ resumeSeconds: 100 }))
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    juliet.write(`<enable xmlns='${SM}' resume='true' max='4000'/>`)
    await juliet.receives(`<enabled xmlns='${SM}' max='100'/>`)
    romeo.write(`<enable xmlns='${SM}' resume='true' max='-3'/>`)
    await romeo.receives(`<enabled xmlns='${SM}' max='100'/>`)
  })
})

test('XEP-0198 §3: not before authentication, not before binding; the stream goes on', async t => {
  const server = await startTestServer(t, managedHost())
  await server.addUser('juliet@localhost', 'a password for tests')
  const client = await TestClient.connect({ port: server.ports.tcp as number, domain: 'localhost' })
  await client.open()
  assert.deepEqual(await refused(client, `<enable xmlns='${SM}'/>`), { condition: 'unexpected-request' })
  assert.deepEqual(await refused(client, `<resume xmlns='${SM}' previd='x' h='0'/>`), {
    condition: 'unexpected-request'
  })
  await client.authenticate({ user: 'juliet', password: 'a password for tests' })
  assert.deepEqual(await refused(client, `<enable xmlns='${SM}' resume='true'/>`), {
    condition: 'unexpected-request'
  })
  await client.bind('balcony')
  assert.deepEqual(await refused(client, `<resume xmlns='${SM}' previd='x' h='0'/>`), {
    condition: 'unexpected-request'
  })
  await enable(client)
  client.destroy()
})

test('without the module its elements are unknown', async t => {
  const server = await startTestServer(t)
  await scenario(server, { juliet: JULIET }, async ({ juliet }) => {
    juliet.write(`<enable xmlns='${SM}'/>`)
    await juliet.receives(
      "<stream:error><unsupported-stanza-type xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
    )
    await juliet.isClosed()
  })
})

test('resumption that is switched off: acknowledgements alone', async t => {
  const server = await startTestServer(t, managedHost({ resumeSeconds: 0 }))
  await scenario(server, { juliet: JULIET }, async ({ juliet }) => {
    juliet.write(`<enable xmlns='${SM}' resume='true'/>`)
    await juliet.receives(`<enabled xmlns='${SM}' id='!' resume='!'/>`)
    await juliet.sends("<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
    juliet.write(`<r xmlns='${SM}'/>`)
    await juliet.receivesAll([`<iq type='result' id='p'/>`, `<a xmlns='${SM}' h='1'/>`])
    const again = await reconnect(server, 'juliet')
    assert.deepEqual(await refused(again, `<resume xmlns='${SM}' previd='x' h='0'/>`), {
      condition: 'feature-not-implemented'
    })
    await again.bind('elsewhere')
    again.destroy()
  })
})

test('XEP-0198 §4: h counts stanzas, all of them and nothing else', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    await romeo.sends('<presence/>')
    await romeo.receives('<presence/>')
    await enable(romeo)
    romeo.write(`<r xmlns='${SM}'/>`)
    await romeo.receives(`<a xmlns='${SM}' h='0'/>`)
    await romeo.sends(CHAT)
    romeo.write(`<r xmlns='${SM}'/><r xmlns='${SM}'/>`)
    await romeo.receives(`<a xmlns='${SM}' h='1'/>`)
    await romeo.receives(`<a xmlns='${SM}' h='1'/>`)
    await juliet.receives(`<message from='${ROMEO}'/>`)
    // Whatever comes of it, it is counted: an address that is none, a session, an answer to nobody
    await romeo.sends(`<message to='a@b@c' id='bad'/>`)
    await romeo.sends(`<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>`)
    await romeo.sends(`<iq type='result' id='nobody' to='localhost'/>`)
    await romeo.sends('<presence><show>away</show></presence>')
    romeo.write(`\n <r xmlns='${SM}'/>`)
    await romeo.finds(`<a xmlns='${SM}' h='5'/>`)
  })
})

test('XEP-0198 §6: an h that is too high ends the stream', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    await enable(juliet)
    await romeo.sends(CHAT)
    await juliet.receives('<message/>')
    juliet.write(`<a xmlns='${SM}' h='2'/>`)
    const error = await juliet.finds(
      "<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
    )
    assert.deepEqual(
      { ...childOf(error, 'handled-count-too-high', SM)?.attrs },
      {
        xmlns: SM,
        h: '2',
        'send-count': '1'
      }
    )
    await juliet.isClosed()
  })
})

test('an acknowledgement without a number ends the stream', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    for (const [client, ack] of [
      [juliet, `<a xmlns='${SM}'/>`],
      [romeo, `<a xmlns='${SM}' h='-1'/>`]
    ] as const) {
      await enable(client)
      client.write(ack)
      await client.receives(
        "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
      )
    }
  })
})

test('before it is enabled, acknowledgements and requests are ignored', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET }, async ({ juliet }) => {
    juliet.write(`<r xmlns='${SM}'/><a xmlns='${SM}' h='7'/>`)
    await juliet.receivesNothing()
  })
})

test('a full batch is asked for at once, a smaller one soon', async t => {
  const server = await startTestServer(t, managedHost({ askEvery: 3 }))
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    await enable(juliet)
    for (let n = 0; n < 3; n++) await romeo.sends(CHAT)
    for (let n = 0; n < 3; n++) await juliet.receives('<message/>')
    await juliet.receives(`<r xmlns='${SM}'/>`)
    juliet.write(`<a xmlns='${SM}' h='3'/>`)
    await romeo.sends(CHAT)
    await juliet.receives('<message/>')
    await juliet.receives(`<r xmlns='${SM}'/>`)
  })
})

test('XEP-0198 §5: what was not acknowledged comes again, with the time, and the rest does not', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    const id = await enable(juliet)
    for (const n of [1, 2]) {
      await romeo.sends(`<message to='${JULIET}' type='chat' id='m${n}'><body>${n}</body></message>`)
      await juliet.finds(`<message id='m${n}'/>`)
    }
    await juliet.sends(`<message to='${ROMEO}' type='chat' id='a1'><body>hear me</body></message>`)
    await romeo.receives(`<message id='a1'/>`)
    await cut(server, juliet)
    await romeo.sends(`<message to='${JULIET}' type='chat' id='m3'><body>3</body></message>`)
    await romeo.sends(`<iq to='${JULIET}' type='result' id='i4'/>`)
    await romeo.receivesNothing()
    const again = await reconnect(server, 'juliet')
    assert.equal(await resume(again, id, 1), 1)
    const delay = "<delay xmlns='urn:xmpp:delay' from='localhost' stamp='*'/>"
    await again.receives(`<message id='m2' from='${ROMEO}' to='${JULIET}'><body>2</body>${delay}</message>`)
    await again.receives(`<message id='m3'><body>3</body>${delay}</message>`)
    await again.receives(`<iq type='result' id='i4' from='${ROMEO}'/>`)
    await again.receives(`<r xmlns='${SM}'/>`)
    again.write(`<a xmlns='${SM}' h='4'/>`)
    // It is the old session: under its name, counting on
    await again.sends(`<message to='${ROMEO}' type='chat' id='a2'><body>again</body></message>`)
    await romeo.receives(`<message id='a2' from='${JULIET}'/>`)
    again.write(`<r xmlns='${SM}'/>`)
    await again.finds(`<a xmlns='${SM}' h='2'/>`)
    again.destroy()
  })
})

test('XEP-0198 §7: a stream that is closed is over, one whose connection ended is not', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    const closed = await enable(juliet)
    await juliet.close()
    const again = await reconnect(server, 'juliet')
    const answer = await refused(again, `<resume xmlns='${SM}' previd='${closed}' h='0'/>`)
    assert.equal(answer.condition, 'item-not-found')
    const id = await enable(romeo)
    romeo.channel.endWriting()
    await romeo.isClosed()
    const back = await reconnect(server, 'romeo')
    assert.equal(await resume(back, id, 0), 0)
    again.destroy()
    back.destroy()
  })
})

test('XEP-0198 §5: somebody else’s session is like none; so is one that never was', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet }) => {
    const id = await enable(juliet)
    const mallory = await reconnect(server, 'romeo')
    const foreign = await refused(mallory, `<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    const unknown = await refused(mallory, `<resume xmlns='${SM}' previd='never' h='0'/>`)
    assert.deepEqual(foreign, { condition: 'item-not-found' })
    assert.deepEqual(unknown, foreign)
    for (const broken of [`previd='${id}'`, `h='1'`, `previd='${id}' h='one'`])
      assert.deepEqual(await refused(mallory, `<resume xmlns='${SM}' ${broken}/>`), {
        condition: 'bad-request'
      })
    // §5: a failed attempt leaves the client where it was
    await mallory.bind('mallory')
    mallory.destroy()
    await juliet.receivesNothing()
  })
})

test('XEP-0198 §5: whoever resumes a session that is still connected takes it over', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET, romeo: ROMEO }, async ({ juliet, romeo }) => {
    const id = await enable(juliet)
    await romeo.sends(CHAT)
    await juliet.receives('<message/>')
    const again = await reconnect(server, 'juliet')
    await resume(again, id, 1)
    await juliet.finds("<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")
    await juliet.isClosed()
    await romeo.sends(CHAT)
    await again.receives('<message/>')
    again.destroy()
  })
})

test('an h in <resume/> that is too high ends the new stream, the session lives', async t => {
  const server = await startTestServer(t, managedHost())
  await scenario(server, { juliet: JULIET }, async ({ juliet }) => {
    const id = await enable(juliet)
    const wrong = await reconnect(server, 'juliet')
    wrong.write(`<resume xmlns='${SM}' previd='${id}' h='9'/>`)
    const error = await wrong.receives(
      "<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
    )
    assert.ok(childOf(error, 'handled-count-too-high', SM))
    await wrong.isClosed()
    await juliet.receivesNothing()
  })
})

for (const [from, to] of [
  ['tcp', 'tls'],
  ['tls', 'ws'],
  ['ws', 'tcp'],
  ['ws', 'ws']
] as const) {
  test(`from ${from} to ${to}: the connection is another, the session is the same`, async t => {
    const server = await startTestServer(t, managedHost({}, {}))
    const cast = { juliet: { jid: JULIET, transport: from }, romeo: ROMEO }
    await scenario({ ...reachable(server) }, cast, async ({ juliet, romeo }) => {
      const id = await enable(juliet)
      await cut(server, juliet)
      await romeo.sends(CHAT)
      await romeo.fence()
      const again = await reconnect(server, 'juliet', to)
      await resume(again, id, 0)
      await again.receives(`<message from='${ROMEO}'><body>hail</body></message>`)
      await again.receives(`<r xmlns='${SM}'/>`)
      again.send(`<message to='${ROMEO}' type='chat' id='back'><body>hail</body></message>`)
      await romeo.receives(`<message id='back' from='${JULIET}'/>`)
      again.destroy()
    })
  })
}

function reachable(server: Awaited<ReturnType<typeof startTestServer>>) {
  return { ports: server.ports, addUser: (jid: string, password: string) => server.addUser(jid, password) }
}
