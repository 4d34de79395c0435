import { networkOption, z } from '#core'

/** Bounds of one kind of stream; RFC 6120 §13.12 asks for 10,000 bytes of a stanza at least. */
interface Bounds {
  stanzaBytes?: number
  bytesPerSecond: number
  burstBytes: number
  stanzasPerSecond: number
  burstStanzas: number
}

const MOST = 1_000_000_000

function bounded(value: number) {
  return z.int().min(0).max(MOST).default(value)
}

/** What a stream of some kind may bring. */
function rates(bounds: Bounds) {
  const { bytesPerSecond, burstBytes, stanzasPerSecond, burstStanzas } = bounds
  return {
    bytesPerSecond: bounded(bytesPerSecond).describe(
      'Bytes that one stream may bring in a second; it is not read for a while when it brings more; 0: any'
    ),
    burstBytes: bounded(burstBytes).describe(
      'Bytes that it may bring at once before that counts; no less than those of a second'
    ),
    stanzasPerSecond: bounded(stanzasPerSecond).describe(
      'Stanzas that one stream may bring in a second; it is not read for a while when it brings more; 0: any'
    ),
    burstStanzas: bounded(burstStanzas).describe(
      'Stanzas that it may bring at once before that counts; no less than those of a second'
    )
  }
}

function stanzaBytes() {
  return z.int().min(10_000).max(16_777_216)
}

/** How many connections there may be of one address. */
function connections(perAddress: number, perMinute: number) {
  return {
    connectionsPerAddress: bounded(perAddress).describe(
      'Connections of one IPv4 address or IPv6 /64 network at a time; 0: any number'
    ),
    connectionsPerMinute: bounded(perMinute).describe(
      'New connections of one address within a minute, as many at once; 0: any number'
    )
  }
}

const SIZE = 'Bytes of one stanza, as streams are told (XEP-0478)'

const c2s = z.object({
  stanzaBytes: stanzaBytes().optional().describe(`${SIZE}; unless given, what limits.stanzaBytes says`),
  ...rates({ bytesPerSecond: 131_072, burstBytes: 1_048_576, stanzasPerSecond: 100, burstStanzas: 1000 }),
  ...connections(1000, 600)
})

const s2s = z.object({
  stanzaBytes: stanzaBytes().default(524_288).describe(SIZE),
  ...rates({
    bytesPerSecond: 4_194_304,
    burstBytes: 16_777_216,
    stanzasPerSecond: 4000,
    burstStanzas: 20_000
  }),
  ...connections(500, 300)
})

const component = z.object({
  stanzaBytes: stanzaBytes().default(524_288).describe(SIZE),
  ...rates({
    bytesPerSecond: 16_777_216,
    burstBytes: 67_108_864,
    stanzasPerSecond: 20_000,
    burstStanzas: 100_000
  }),
  ...connections(100, 300)
})

const upstream = z.object({
  stanzaBytes: stanzaBytes().default(524_288).describe(SIZE),
  ...rates({
    bytesPerSecond: 16_777_216,
    burstBytes: 67_108_864,
    stanzasPerSecond: 20_000,
    burstStanzas: 100_000
  })
})

const http = z.object(connections(1000, 3000))

const login = z.object({
  freePerAccountAndAddress: z
    .int()
    .min(1)
    .max(1000)
    .default(3)
    .describe('Failed logins to an account from one address before further ones have to wait.'),
  freePerAddress: z
    .int()
    .min(1)
    .max(100_000)
    .default(30)
    .describe('The same for all accounts together, but for those that have logged in from there.'),
  freePerAccount: z
    .int()
    .min(1)
    .max(100_000)
    .default(50)
    .describe('The same from all addresses together, but for those that the account has used.'),
  longestDelaySeconds: z
    .int()
    .min(0)
    .max(30)
    .default(15)
    .describe('The delay doubles with each failure, up to so much; 0: none.'),
  longestDelayForOthersSeconds: z
    .int()
    .min(0)
    .max(30)
    .default(3)
    .describe('What an address has to wait at most for failures that were those of others; 0: nothing.'),
  checksAtATime: z
    .int()
    .min(1)
    .max(64)
    .default(2)
    .describe(
      'Passwords of PLAIN that are checked at a time, one for each address; the process has four threads.'
    )
})

export const config = z.object({
  c2s: c2s.prefault({}).describe('Streams of clients'),
  s2s: s2s.prefault({}).describe('Streams of other servers'),
  component: component.prefault({}).describe('Streams of external components'),
  upstream: upstream.prefault({}).describe('Streams to servers that this one is a component of'),
  http: http.prefault({}).describe('Connections of HTTP, those that become WebSockets included'),
  login: login.prefault({}).describe('Who tries passwords'),
  unauthenticated: bounded(2000).describe(
    'Connections on which nobody has logged in, in all; the oldest makes room for more; 0: any number.'
  ),
  unauthenticatedPerAddress: bounded(200).describe(
    'The same of one address; more are refused; 0: any number.'
  ),
  unreadSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(120)
    .describe('A connection that for so long takes nothing of what waits for it is closed; 0: never.'),
  trusted: z
    .array(networkOption())
    .default(['127.0.0.0/8', '::1'])
    .describe('Addresses and networks that stand for many (proxies, this machine): not counted by address.'),
  announce: z.boolean().default(true).describe('Streams are told of their limits (XEP-0478).')
})

export type Config = z.infer<typeof config>
