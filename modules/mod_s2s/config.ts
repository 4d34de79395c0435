import { JID, listenOption, placeOption, z } from '#core'

/** Seconds; 0 means never. */
const seconds = () => z.int().min(0).max(86_400)

const tls = () => z.enum(['required', 'optional'])
const auth = () => z.enum(['certificate', 'dialback'])

/** `example.org`, `*.example.org` for all below it, `*` for all. */
function isPattern(text: string): boolean {
  if (text === '*') return true
  const domain = text.replace(/^\*\./, '')
  const jid = JID.tryParse(domain)
  return jid?.kind === 'host' && jid.domain === domain
}

/** A table by domain. */
function byDomain<T extends z.ZodType>(value: T) {
  return z
    .record(z.string(), value)
    .default({})
    .refine(
      table => Object.keys(table).every(isPattern),
      'the names are domains in lower case: example.org, *.example.org for all below it, or *'
    )
}

export const config = z.object({
  listen: z
    .array(listenOption())
    .default([{ address: '127.0.0.1', port: 5269 }])
    .describe('Addresses where streams begin in plain text; TLS follows by STARTTLS.'),
  directTls: z
    .array(listenOption())
    .default([{ address: '127.0.0.1', port: 5270 }])
    .describe('Addresses where connections begin with TLS (XEP-0368).'),
  tls: tls()
    .default('required')
    .describe('Whether streams must be inside TLS, or may; optional is for closed networks.'),
  auth: auth()
    .default('dialback')
    .describe(
      'What another server must show: a trusted certificate for its domain, or dialback where it has none.'
    ),
  peers: byDomain(
    z.object({
      tls: tls().optional().describe('As above, for this domain.'),
      auth: auth().optional().describe('As above, for this domain.'),
      route: placeOption(5269).optional().describe('Where it is, whatever DNS says.'),
      directTls: z.boolean().default(false).describe('Whether connections to that route begin with TLS.')
    })
  ).describe('What differs for single domains; the closest name counts.'),
  routes: byDomain(placeOption(5269)).describe(
    'Where domains are, whatever DNS says; connections begin in plain text there.'
  ),
  queue: z
    .object({
      stanzas: z
        .int()
        .min(10)
        .max(1_000_000)
        .default(10_000)
        .describe('Stanzas from one host that wait for one domain, or for its acknowledgement, at most.'),
      bytes: z
        .int()
        .min(65_536)
        .max(1_073_741_824)
        .default(16_777_216)
        .describe('What they take, at most; those for all domains together, four times as much.'),
      seconds: z
        .int()
        .min(1)
        .max(86_400)
        .default(120)
        .describe('How long one of them waits; then its sender gets remote-server-timeout.')
    })
    .prefault({})
    .describe('What waits while another server cannot be reached.'),
  connectSeconds: z
    .int()
    .min(1)
    .max(300)
    .default(30)
    .describe('How long it may take to connect, over all addresses.'),
  idleSeconds: seconds()
    .default(600)
    .describe('Streams over which nothing went for so long are closed; 0: never.'),
  keepaliveSeconds: seconds()
    .default(60)
    .describe('White space is sent where nothing else was for so long; 0: never.'),
  ackSeconds: z
    .int()
    .min(5)
    .max(3600)
    .default(60)
    .describe('How long another server may take to acknowledge; then the stream ends.'),
  acks: z.boolean().default(true).describe('Whether stanzas are acknowledged between servers (XEP-0198).'),
  bidi: z.boolean().default(true).describe('Whether one stream may serve both directions (XEP-0288).')
})

export type Config = z.infer<typeof config>
