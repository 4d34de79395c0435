import assert from 'node:assert/strict'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import test from 'node:test'
import { TestCa } from '../lib/ca'
import type { Player } from '../lib/wire'
import {
  authenticatedBy,
  HERE,
  pairWith,
  romeoAndJuliet,
  streams,
  talk,
  THERE,
  type PairOptions,
  type PeerKind
} from './s2s-setup'

/** What the other server knows of, of what both must know. */
export interface Offers {
  /** XEP-0288 */
  bidi: boolean
  /** XEP-0198 between servers. */
  acks: boolean
  /** It takes certificates for the purpose of a server from whoever connects to it. */
  anyPurpose: boolean
}

/** What two servers do for their users, whoever the other one is. */
export function federatesWith(kind: PeerKind, skip: false | string, offers: Offers): void {
  const ways: Array<[string, PairOptions, 'external' | 'dialback']> = [
    ['EXTERNAL, found by SRV', { s2s: { auth: 'certificate' }, peer: { auth: 'certificate' } }, 'external'],
    ['EXTERNAL, direct TLS', { s2s: { auth: 'certificate' }, found: 'direct' }, 'external'],
    [
      'dialback, found by SRV',
      { trusting: false, leaf: ca => ca.issue({ dns: ['other.example'] }) },
      'dialback'
    ],
    [
      'dialback, found by its address alone',
      { found: 'address', trusting: false, leaf: ca => ca.issue({ dns: ['other.example'] }) },
      'dialback'
    ]
  ]
  for (const [name, options, how] of ways) {
    test(`${name}: messages, pings, subscriptions`, { skip }, async t => {
      const pair = await pairWith(kind, t, options)
      await romeoAndJuliet(pair, async players => {
        await talk(players)
        await pings(players)
        // RFC 6121 §2.2: who asked for the roster hears what becomes of subscriptions
        for (const player of [players.romeo, players.juliet])
          await player.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`)
        await subscribes(players.romeo, players.juliet)
        await subscribes(players.juliet, players.romeo)
        authenticatedBy(pair, how)
        assert.ok(
          streams(pair).every(({ tls }) => tls),
          'all inside TLS'
        )
      })
      assert.deepEqual(pair.server.errors(), [])
    })
  }

  test(
    'certificates for the purpose of a server alone, as the usual authorities give them',
    { skip },
    async t => {
      const usage = ['server'] as const
      const ca = await TestCa.make()
      const pair = await pairWith(kind, t, {
        s2s: { bidi: false },
        peer: { ca, leaf: await ca.issue({ dns: [THERE], usage }) },
        leaf: () => ca.issue({ dns: [HERE], usage })
      })
      await romeoAndJuliet(pair, async players => {
        await talk(players)
        const all = Object.fromEntries(streams(pair).map(({ direction, auth }) => [direction, auth]))
        assert.deepEqual(all, { in: 'external', out: offers.anyPurpose ? 'external' : 'dialback' })
      })
    }
  )

  test('without TLS, where both sides want it so', { skip }, async t => {
    const pair = await pairWith(kind, t, { s2s: { tls: 'optional' }, peer: { tls: 'off' } })
    await romeoAndJuliet(pair, async players => {
      await talk(players)
      authenticatedBy(pair, 'dialback')
      assert.ok(streams(pair).every(stream => !stream.tls))
    })
  })

  test(
    'a certificate that is not believed, where one is demanded: nothing goes through',
    { skip },
    async t => {
      const s2s = { auth: 'certificate', queue: { seconds: 1 } }
      const pair = await pairWith(kind, t, { s2s, trusting: false })
      await romeoAndJuliet(pair, async ({ romeo, juliet }) => {
        await romeo.sends(`<message to='${juliet.jid}' type='chat' id='m1'><body>But soft!</body></message>`)
        await romeo.finds(
          `<message from='${juliet.jid}' type='error' id='m1'><error><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
        )
        assert.deepEqual(streams(pair), [])
      })
    }
  )

  test(
    'of several places the one where it is: nobody there, no TLS there, then the server',
    { skip },
    async t => {
      const pair = await pairWith(kind, t)
      const { dns, peer } = pair
      const stranger = net.createServer(socket => socket.end('220 a server of mail\r\n'))
      stranger.listen(0, '127.0.0.1')
      await once(stranger, 'listening')
      t.after(() => stranger.close())
      const { port } = stranger.address() as AddressInfo
      dns.set('nobody.example', { a: ['127.0.0.1'], aaaa: ['::1'] })
      dns.set(`_xmpps-server._tcp.${THERE}`, { srv: ['0 0 1 nobody.example', `5 0 ${port} nobody.example`] })
      dns.set(`_xmpp-server._tcp.${THERE}`, { srv: [`10 0 5269 ${peer.host}`] })
      await romeoAndJuliet(pair, talk)
    }
  )

  test('what both offer is used: both directions on one stream, acknowledgements', { skip }, async t => {
    for (const on of [true, false]) {
      const switches = { bidi: on, acks: on }
      const pair = await pairWith(kind, t, { s2s: switches })
      await romeoAndJuliet(pair, async players => {
        await talk(players)
        const all = streams(pair)
        assert.equal(all.length, on && offers.bidi ? 1 : 2)
        for (const stream of all) {
          assert.equal(stream.bidi, on && offers.bidi)
          assert.equal(stream.acks, on && offers.acks, `acknowledged ${stream.direction}`)
        }
      })
    }
  })

  test('the other server is cut off and comes back', { skip }, async t => {
    const pair = await pairWith(kind, t)
    await romeoAndJuliet(pair, talk)
    await pair.peer.stop()
    await pair.peer.start()
    await romeoAndJuliet(pair, talk)
  })

  test(
    'nobody is there: remote-server-timeout; no such domain: remote-server-not-found',
    { skip },
    async t => {
      const pair = await pairWith(kind, t, { s2s: { queue: { seconds: 1 } } })
      pair.dns.set('_xmpp-server._tcp.dead.example', { srv: ['0 0 5269 xmpp.dead.example'] })
      pair.dns.set('xmpp.dead.example', { a: ['127.0.0.1'] })
      pair.dns.set('_xmpp-server._tcp.closed.example', { srv: ['0 0 0 .'] })
      await romeoAndJuliet(pair, async ({ romeo, juliet }) => {
        const expected = {
          'dead.example': 'remote-server-timeout',
          'closed.example': 'remote-server-not-found',
          'none.example': 'remote-server-not-found'
        }
        for (const [domain, condition] of Object.entries(expected)) {
          await romeo.sends(`<iq type='get' id='p' to='${domain}'><ping xmlns='urn:xmpp:ping'/></iq>`)
          await romeo.finds(
            `<iq type='error' id='p' from='${domain}'><error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
          )
        }
        // A host of ours that is not there, as the other server sees it
        pair.dns.set(`_xmpp-server._tcp.gone.example`, { srv: [`0 0 5269 xmpp.${HERE}`] })
        await juliet.sends(`<iq type='get' id='p' to='gone.example'><ping xmlns='urn:xmpp:ping'/></iq>`)
        await juliet.finds(`<iq type='error' id='p' from='gone.example'/>`)
      })
    }
  )
}

async function pings({ romeo, juliet }: { romeo: Player; juliet: Player }): Promise<void> {
  for (const [player, to] of [
    [romeo, THERE],
    [juliet, HERE]
  ] as Array<[Player, string]>) {
    const answer = await player.request(`<iq type='get' to='${to}'><ping xmlns='urn:xmpp:ping'/></iq>`)
    assert.equal(answer.attrs.type, 'result')
  }
}

/** RFC 6121 §3.1, and presence from then on. */
async function subscribes(follower: Player, followed: Player): Promise<void> {
  const [from, to] = [bare(follower), bare(followed)]
  await follower.sends(`<presence type='subscribe' to='${to}'/>`)
  await followed.finds(`<presence type='subscribe' from='${from}'/>`)
  await followed.sends(`<presence type='subscribed' to='${from}'/>`)
  await follower.finds(`<presence type='subscribed' from='${to}'/>`)
  await follower.finds(`<presence from='${followed.jid}' type='!'/>`)
  await followed.sends(`<presence><show>away</show></presence>`)
  await follower.finds(`<presence from='${followed.jid}'><show>away</show></presence>`)
}

function bare({ jid }: Player): string {
  return jid.replace(/\/.*/, '')
}
