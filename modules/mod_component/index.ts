import { defineModule, type AcceptOptions, type Context } from '#core'
import { config, type Config } from './config'

/**
 * An external component does the work of this host (XEP-0114). Sockets and streams are core's: this says where they
 * may come and with what secret, and can be swapped under them.
 */
export default defineModule({
  name: 'component',
  description: 'An external component does the work of this host (XEP-0114)',
  on: ['component'],
  config,
  async setup(ctx) {
    await accept(ctx, ctx.config)
    ctx.reconfigure(async changed => {
      await accept(ctx, changed)
      return true
    })
    // Whoever comes next finds the component connected; only an operator sends it away.
    ctx.defer(async ({ why }) => {
      if (why === 'unload') await ctx.server.components.release(ctx.host)
    })
  }
})

async function accept(ctx: Context<Config>, options: Config): Promise<void> {
  const bound = await ctx.server.components.accept(ctx.host, optionsOf(options))
  for (const { address, port } of bound) ctx.log.debug({ address, port }, 'listening for components')
}

function optionsOf(options: Config): AcceptOptions {
  const { secret, listen, queue, keepaliveSeconds, silenceSeconds, answerSeconds } = options
  return {
    secret,
    listen,
    waiting: queue,
    keepalive: keepaliveSeconds * 1000,
    silence: silenceSeconds * 1000,
    silenceAnswer: answerSeconds * 1000
  }
}
