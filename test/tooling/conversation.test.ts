import test from 'node:test'
import assert from 'node:assert/strict'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import { TestClient } from '../lib/client'
import { Player } from '../lib/wire'

const HEADER =
  "<?xml version='1.0'?><stream:stream id='1' version='1.0' xmlns='jabber:client' " +
  "xmlns:stream='http://etherx.jabber.org/streams'><stream:features/>"

/**
 * A server of a few lines: opens the stream, answers every iq, and does for `<do>` elements what they say
 * (`<do to='b'>TEXT</do>` sends the text to the client that opened its stream as b).
 */
async function stub(t: test.TestContext): Promise<number> {
  const peers = new Map<string, net.Socket>()
  const server = net.createServer(socket => {
    t.after(() => socket.destroy())
    socket.on('error', () => undefined)
    socket.on('data', chunk => {
      const text = chunk.toString()
      const opened = /<stream:stream [^>]*from='(\w+)'/.exec(text)
      if (opened?.[1]) {
        peers.set(opened[1], socket)
        socket.write(HEADER)
      }
      for (const [, to, what = '', id] of text.matchAll(
        /<do to='(\w+)'>(.*?)<\/do>|<iq [^>]*id='([\w-]+)'/gs
      )) {
        if (id) socket.write(`<iq type='result' id='${id}'/>`)
        else if (what === 'CLOSE') peers.get(to ?? '')?.end()
        else peers.get(to ?? '')?.write(what)
      }
      if (text.includes('</stream:stream>')) socket.end('</stream:stream>')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

async function connect(t: test.TestContext, port: number, name = 'a', timeout = 10_000): Promise<Player> {
  const client = await new Player({ port, domain: 'localhost', name, timeout }).connect()
  t.after(() => client.destroy())
  await client.open({ from: name })
  return client
}

const says = (text: string, to = 'a'): string => `<do to='${to}'>${text}</do>`

test('conversation: stanzas are received in order, one for each pattern', async t => {
  const a = await connect(t, await stub(t))
  a.write(says("<message id='1'/><message id='2'/>"))
  await a.receives("<message id='1'/>")
  await assert.rejects(a.receives("<message id='3'/>"), /a: expected:[^]*id='3'[^]*but got:[^]*id='2'/)
})

test('conversation: receivesAll takes any order, finds leaves the others', async t => {
  const a = await connect(t, await stub(t))
  a.write(says("<message id='1'/><message id='2'/><message id='3'/>"))
  const all = await a.receivesAll(["<message id='2'/>", "<message id='{first}'/>"])
  assert.deepEqual(
    all.map(one => one.attrs.id as string),
    ['1', '2']
  )
  a.write(says("<message id='4'/>"))
  await a.finds("<message id='4'/>")
  await a.receives("<message id='3'/>")
  a.write(says("<message id='5'/>"))
  await assert.rejects(a.receivesAll(["<message id='6'/>", "<message id='7'/>"]), /none of what is expected/)
})

test('conversation: what does not come is an error that shows what came', async t => {
  const a = await connect(t, await stub(t), 'a', 300)
  a.write(says("<message id='1'/>"))
  await assert.rejects(
    a.finds("<presence id='9'/>"),
    /a: waited for[^]*id='9'[^]*within 0.3 s[^]*unread:[^]*id='1'/
  )
  await a.receives("<message id='1'/>")
  await assert.rejects(a.next(), /within 0.3 s\nunread: nothing/)
})

test('conversation: nothing means nothing of what the server had to send', async t => {
  const a = await connect(t, await stub(t))
  await a.receivesNothing()
  a.write(says("<message id='1'/>"))
  await assert.rejects(a.receivesNothing(), /expected nothing, but got:[^]*id='1'/)
})

test('conversation: in a scenario nothing means nothing of what the others caused', async t => {
  const port = await stub(t)
  const [a, b] = [await connect(t, port, 'a'), await connect(t, port, 'b')]
  a.others = b.others = [a, b]
  b.write(says("<message id='1'/>", 'a'))
  await assert.rejects(a.receivesNothing(), /expected nothing, but got:[^]*id='1'/)
  await b.receivesNothing()
})

test('conversation: a request finds its own answer', async t => {
  const a = await connect(t, await stub(t))
  a.write(says("<message id='1'/>"))
  const answer = await a.request("<iq type='get'><query xmlns='jabber:iq:roster'/></iq>")
  assert.equal(answer.attrs.type, 'result')
  await a.receives("<message id='1'/>")
})

test('conversation: names that were remembered are put into what is sent', async t => {
  const a = await connect(t, await stub(t))
  a.write(says("<message id='x7'/>"))
  await a.receives("<message id='{id}'/>")
  await a.sends("<iq type='get' id='{id}'/>")
  await a.receives("<iq type='result' id='x7'/>")
})

test('conversation: broken XML of the server is an error, never a wait', async t => {
  for (const [broken, why] of [
    ['<message><body></message>', /broken XML/],
    ['<message a="1" a="2"/>', /broken XML/],
    ['<x:message/>', /broken XML/],
    ['<message>&nbsp;</message>', /broken XML/],
    ['<!-- c -->', /comment/],
    ['text', /text between stanzas/]
  ] as const) {
    const a = await connect(t, await stub(t))
    a.write(says(`${broken}<message/>`))
    await assert.rejects(a.next(), why)
  }
})

test('conversation: the end of a connection ends every wait', async t => {
  const a = await connect(t, await stub(t))
  a.write(says('CLOSE'))
  await assert.rejects(a.next(), /the connection was closed/)
  await a.isClosed()
  const b = await connect(t, await stub(t), 'b')
  await b.close()
  assert.ok(b.ended && b.closed)
})

test('conversation: a server that is not there', async () => {
  const server = net.createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  await assert.rejects(TestClient.connect({ port, domain: 'localhost' }), /ECONNREFUSED/)
})
