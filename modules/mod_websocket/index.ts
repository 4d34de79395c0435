import { defineModule, listenOption, z, type Context } from '#core'
import { address, urlOption } from './address'

const OWNER = 'websocket'

const origin = z
  .string()
  .regex(/^(?:\*|https?:\/\/[^/\s]+)$/i, 'expected * or an origin like https://chat.example.org')
  .transform(text => text.toLowerCase())

const config = z.object({
  path: z
    .string()
    .regex(/^\/[^?#\s]*$/, 'expected a path like /xmpp-websocket')
    .default('/xmpp-websocket')
    .describe('Where clients connect.'),
  url: urlOption()
    .optional()
    .describe(
      'Where clients reach this from outside, as wss://chat.example.org/xmpp-websocket; {host} stands for their domain.'
    ),
  listen: z
    .array(listenOption().extend({ tls: z.boolean().default(false).describe('Speaks HTTPS there.') }))
    .default([])
    .describe('Addresses beside those of http.listen; all of them serve the pages of all modules.'),
  origins: z
    .array(origin)
    .default(['*'])
    .describe('Origins of web pages that may connect, as https://chat.example.org; * is any.'),
  secure: z
    .enum(['detect', 'assume'])
    .default('detect')
    .describe('detect: TLS must end here to count; assume: a proxy in front speaks TLS with the clients.'),
  requireTls: z
    .boolean()
    .default(false)
    .describe('Streams that are not protected by TLS are refused; else they may log in with SCRAM.'),
  keepaliveSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(60)
    .describe('A ping frame is sent where nothing else was for so long; 0: never.'),
  silenceSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(300)
    .describe('A client from which nothing came for so long is asked whether it is there; 0: never.')
})

export type Config = z.infer<typeof config>

/** XMPP over WebSocket (RFC 7395), at a path of the HTTP listener. */
export default defineModule({
  name: 'websocket',
  description: 'Client connections over WebSocket (RFC 7395)',
  on: ['server'],
  config,
  async setup(ctx) {
    await listen(ctx, ctx.config)
    const accept = ctx.server.listening.webSocket(OWNER, ...behaviour(ctx.config))
    ctx.add('http-upgrade', { path: ctx.config.path, protocol: 'websocket', accept })
    // XEP-0156, for mod_host_meta
    ctx.add('connection-method', {
      rel: 'urn:xmpp:alt-connections:websocket',
      href: domain => address(ctx.config, ctx.server.http.ports(), domain)
    })
    ctx.reconfigure(async (changed, old) => {
      if (changed.path !== old.path) return false
      await listen(ctx, changed)
      ctx.server.listening.webSocket(OWNER, ...behaviour(changed))
      return true
    })
    ctx.on('server/started', () => {
      if (ctx.server.http.ports().length > 0) return
      ctx.log.warn('nobody can connect by WebSocket: the server speaks HTTP nowhere (http.listen is empty)')
    })
    // Whoever comes next takes the sockets over; only an operator closes them.
    ctx.defer(async ({ why }) => {
      if (why === 'unload') await ctx.server.http.listen(OWNER, [])
    })
  }
})

async function listen(ctx: Context<Config>, { listen: ports }: Config): Promise<void> {
  await ctx.server.http.listen(OWNER, ports)
}

/** How streams behave, and who may open one. */
function behaviour({ requireTls, keepaliveSeconds, silenceSeconds, origins, secure }: Config) {
  const settings = {
    tls: requireTls ? ('required' as const) : ('off' as const),
    keepalive: keepaliveSeconds * 1000,
    silence: silenceSeconds * 1000
  }
  return [settings, { origins, assumeSecure: secure === 'assume' }] as const
}
