import assert from 'node:assert/strict'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { PORTS, Prosody, prosodyMissing as skip } from '../lib/peers'
import { authenticatedBy, pairWith, romeoAndJuliet, THERE } from './s2s-setup'
import { federatesWith } from './s2s-story'

federatesWith(Prosody, skip, { bidi: true, acks: true, anyPurpose: true })

/**
 * Passes connections on to a server, and cuts each off when so many bytes have gone there and an answer to them has come
 * back; the last one lives.
 */
async function flaky(t: TestContext, host: string, cuts: number[]): Promise<number> {
  const proxy = net.createServer(near => {
    const far = net.connect(PORTS.s2s, host)
    let left = cuts.shift() ?? Number.POSITIVE_INFINITY
    near.on('data', (chunk: Buffer) => {
      if (left > 0) far.write(chunk.subarray(0, left))
      left -= chunk.length
    })
    far.on('data', (chunk: Buffer) => {
      near.write(chunk)
      if (left <= 0) near.destroySoon()
    })
    near.on('error', () => undefined).on('close', () => far.end())
    far.on('error', () => undefined).on('close', () => near.destroySoon())
    t.after(() => near.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.after(() => proxy.close())
  return (proxy.address() as AddressInfo).port
}

test(
  'XEP-0198 with Prosody: the connection is cut three times, and no message is missing',
  { skip },
  async t => {
    const COUNT = 300
    const pair = await pairWith(Prosody, t, { s2s: { bidi: false } })
    const cuts = [20_000, 40_000, 60_000]
    const port = await flaky(t, pair.peer.host, cuts)
    pair.dns.set(`_xmpp-server._tcp.${THERE}`, { srv: [`0 0 ${port} localhost`] })
    const body = 'x'.repeat(500)
    await romeoAndJuliet(pair, async ({ romeo, juliet }) => {
      for (let i = 0; i < COUNT; i++)
        await romeo.sends(`<message to='${juliet.jid}' type='chat' id='n${i}'><body>${body}</body></message>`)
      const seen = new Set<number>()
      while (seen.size < COUNT) {
        const { name, attrs } = await juliet.next('the messages')
        if (name !== 'message') continue
        const id = Number(attrs.id?.slice(1))
        // What comes twice was on its way at the cut; what is new is in order
        if (!seen.has(id)) assert.equal(id, seen.size)
        seen.add(id)
      }
      authenticatedBy(pair, 'external')
    })
    assert.deepEqual(cuts, [])
  }
)
