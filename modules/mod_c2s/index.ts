import { defineModule, type Context } from '#core'
import { config, type Config } from './config'

const OWNER = 'c2s'

/**
 * The ports of clients (RFC 6120, XEP-0368). Sockets and streams are core's: this says where it listens and how
 * streams behave, and can be swapped under them.
 */
export default defineModule({
  name: 'c2s',
  description: 'Client connections over TCP: STARTTLS and direct TLS (RFC 6120, XEP-0368)',
  on: ['server'],
  config,
  async setup(ctx) {
    await listen(ctx, ctx.config)
    ctx.reconfigure(async changed => {
      await listen(ctx, changed)
      return true
    })
    // Whoever comes next takes the sockets over; only an operator closes them.
    ctx.defer(async ({ why }) => {
      if (why === 'unload') await ctx.server.listening.listen(OWNER, [], {})
    })
  }
})

async function listen(ctx: Context<Config>, options: Config): Promise<void> {
  const ports = [
    ...options.listen.map(port => ({ ...port, transport: 'tcp' as const })),
    ...options.directTls.map(port => ({ ...port, transport: 'tls' as const }))
  ]
  const { tls, maxResources, conflict, authRetries } = options
  const bound = await ctx.server.listening.listen(OWNER, ports, {
    tls,
    maxResources,
    conflict,
    authRetries,
    keepalive: options.keepaliveSeconds * 1000,
    silence: options.silenceSeconds * 1000,
    silenceAnswer: options.answerSeconds * 1000
  })
  for (const { address, port, transport } of bound) ctx.log.debug({ address, port, transport }, 'listening')
}
