import { defineModule, el, placeOption, z, type StreamManagement } from '#core'

const SM = 'urn:xmpp:sm:3'

const config = z.object({
  resumeSeconds: z
    .number()
    .int()
    .min(0)
    .max(86_400)
    .default(600)
    .describe(
      'Seconds that a session lives on without a connection, at most; 0: sessions cannot be resumed.'
    ),
  location: placeOption(5222)
    .optional()
    .describe(
      'Where clients should connect to resume: this very machine, where several answer for one domain.'
    ),
  unacknowledgedStanzas: z
    .number()
    .int()
    .min(100)
    .max(1_000_000)
    .default(10_000)
    .describe('Stanzas that may wait to be acknowledged by one client; with as many its session ends.'),
  unacknowledgedBytes: z
    .number()
    .int()
    .min(65_536)
    .max(1_073_741_824)
    .default(4_194_304)
    .describe(
      'What these may measure, in characters of XML and 128 for each; half of limits.unreadBytes at most, for all of them are sent at once when a session is resumed.'
    ),
  askEvery: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(50)
    .describe(
      'Stanzas after which a client is asked at once what it has; a smaller batch is asked for soon after.'
    ),
  askAgainSeconds: z
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(60)
    .describe('Seconds after which a client that has not acknowledged everything is asked again.'),
  answerSeconds: z
    .number()
    .int()
    .min(1)
    .max(3600)
    .default(60)
    .describe('Seconds that a client may take to answer; then its connection is taken for lost.'),
  hibernatingPerAccount: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe('Sessions without a connection that an account may have; a further one ends the oldest.'),
  hibernatingPerHost: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe('Sessions without a connection that all accounts of the host may have together.'),
  hibernatingBytes: z
    .number()
    .int()
    .min(65_536)
    .max(68_719_476_736)
    .default(268_435_456)
    .describe(
      'What may wait for all of these together, in characters of XML; beyond it those end that hold most.'
    )
})

/** XEP-0198: what a client has received, and streams that are resumed. The sessions themselves are core's. */
export default defineModule({
  name: 'smacks',
  description: 'Acknowledgements and resumption of clients’ streams (XEP-0198)',
  on: ['virtual'],
  config,
  setup(ctx) {
    ctx.add('stream-management', managementOf(ctx.config))
    // A client that has enabled it by Bind 2 would enable it once more, and lose its stream (XEP-0198 §3).
    ctx.add('stream-feature', {
      stage: 'bind',
      offer: session => (session.managed ? undefined : el('sm', SM))
    })
  }
})

function managementOf(options: z.infer<typeof config>): StreamManagement {
  return {
    resumption: options.resumeSeconds * 1000,
    location: options.location && writtenPlace(options.location),
    unacknowledged: { count: options.unacknowledgedStanzas, bytes: options.unacknowledgedBytes },
    rhythm: {
      every: options.askEvery,
      again: options.askAgainSeconds * 1000,
      timeout: options.answerSeconds * 1000
    },
    hibernating: {
      perAccount: options.hibernatingPerAccount,
      perHost: options.hibernatingPerHost,
      bytes: options.hibernatingBytes
    }
  }
}

/** RFC 6120 §4.9.3.19. */
function writtenPlace({ host, port }: { host: string; port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
