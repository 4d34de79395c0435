import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { FederationStream } from '../../core/federation/api'
import { TestCa, writeLeaf, type Leaf } from '../lib/ca'
import { IM_HOST, type Options } from '../lib/config'
import { TestDns } from '../lib/dns'
import { ownAddress, PORTS, type Peer, type PeerOptions } from '../lib/peers'
import { startTestServer, type TestServer } from '../lib/server'
import { scenario, type Player, type Part } from '../lib/wire'

export const HERE = 'balcony.example'
export const THERE = 'peer.example'

export interface Pair {
  dns: TestDns
  ca: TestCa
  server: TestServer
  /** Where this server is. */
  address: string
  peer: Peer
}

export interface PairOptions {
  /** Of mod_s2s. */
  s2s?: Options
  peer?: Partial<PeerOptions>
  /** Further hosts of this server. */
  hosts?: Readonly<Record<string, Options>>
  /** This server's certificate, in place of one that the peer believes. */
  leaf?: (ca: TestCa) => Promise<Leaf>
  /** How each is found: SRV for STARTTLS, SRV for direct TLS (XEP-0368), or its address alone. */
  found?: 'srv' | 'direct' | 'address'
  /** Whether this server believes the authority that has signed the peer's certificate; it does unless given. */
  trusting?: boolean
}

export type PeerKind = { start(t: TestContext, options: PeerOptions): Promise<Peer> }

/** This server and another one, each on an address of its own at port 5269, which know each other by DNS alone. */
export async function pairWith(kind: PeerKind, t: TestContext, options: PairOptions = {}): Promise<Pair> {
  const { found = 'srv', trusting = true, s2s, hosts = {}, leaf } = options
  const ca = options.peer?.ca ?? (await TestCa.make())
  const [dns, address] = await Promise.all([TestDns.start(t), ownAddress()])
  const peer = await kind.start(t, { domain: THERE, dns, ca, ...options.peer })
  const { components = {} } = options.peer ?? {}
  for (const domain of [THERE, ...Object.keys(components)]) announce(dns, domain, peer.host, found)
  for (const domain of [HERE, ...Object.keys(hosts)])
    announce(
      dns,
      domain,
      address,
      peer.asksForAddresses || found === 'direct' ? found : 'srv',
      !peer.asksForAddresses
    )
  const names = [HERE, ...Object.keys(hosts)]
  const own = leaf ? await leaf(ca) : await ca.issue({ dns: names })
  const listen = (port: number) => [{ address, port }]
  const server = await startTestServer(t, {
    hosts: { [HERE]: IM_HOST, ...hosts },
    modules: {
      s2s: { listen: listen(PORTS.s2s), directTls: listen(PORTS.directTls), ...s2s }
    },
    config: {
      dns: { servers: [dns.server] },
      tls: {
        ...writeLeaf(peer.folder, 'balcony', own),
        ca: trusting ? [ca.write(peer.folder, 'trusted.crt')] : []
      }
    },
    logLevel: 'debug'
  })
  return { dns, ca, server, address, peer }
}

/** @param numeric the address stands in the place of a name: for who would ask somebody else what is behind the name */
function announce(
  dns: TestDns,
  domain: string,
  address: string,
  found: PairOptions['found'],
  numeric = false
): void {
  if (found === 'address') return dns.set(domain, { a: [address] })
  const target = numeric ? address : `xmpp.${domain}`
  dns.set(target, { a: [address] })
  if (found === 'direct')
    dns.set(`_xmpps-server._tcp.${domain}`, { srv: [`0 0 ${PORTS.directTls} ${target}`] })
  else dns.set(`_xmpp-server._tcp.${domain}`, { srv: [`0 0 ${PORTS.s2s} ${target}`] })
}

/** A client here and one there. PLAIN: what peers know of SCRAM is not the subject. */
export async function romeoAndJuliet(
  { server, peer }: Pair,
  script: (players: { romeo: Player; juliet: Player }) => Promise<void>
): Promise<void> {
  const there: Part = { jid: `juliet@${THERE}/balcony`, mechanism: 'PLAIN', presence: true }
  const here: Part = { jid: `romeo@${HERE}/orchard`, presence: true }
  try {
    await scenario(peer, { juliet: there }, ({ juliet }) =>
      scenario(server, { romeo: here }, ({ romeo }) => script({ romeo, juliet }))
    )
  } catch (error) {
    if (process.env.BALCONY_TEST_LOG) process.stderr.write(peer.log())
    throw error
  }
}

/** The streams with the peer that are authenticated. */
export function streams({ server }: Pair): FederationStream[] {
  return server.server.federation.streams().filter(({ auth }) => auth !== '')
}

/** Every authenticated stream is so by that, and there is one in each direction that is used. */
export function authenticatedBy(pair: Pair, how: 'external' | 'dialback'): void {
  const all = streams(pair)
  assert.ok(all.length > 0, 'there is no stream')
  for (const { auth, direction } of all) assert.equal(auth, how, `the stream ${direction}`)
}

/** A message there and one back. */
export async function talk({ romeo, juliet }: { romeo: Player; juliet: Player }): Promise<void> {
  await romeo.sends(`<message to='${juliet.jid}' type='chat' id='m1'><body>But soft!</body></message>`)
  await juliet.finds(`<message from='${romeo.jid}' type='chat' id='m1'><body>But soft!</body></message>`)
  await juliet.sends(`<message to='${romeo.jid}' type='chat' id='m2'><body>Ay me — ☂</body></message>`)
  await romeo.finds(`<message from='${juliet.jid}' type='chat' id='m2'><body>Ay me — ☂</body></message>`)
}
