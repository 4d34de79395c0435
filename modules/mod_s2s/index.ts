import { defineModule, type Context, type FederationSettings } from '#core'
import { config, type Config } from './config'

const OWNER = 's2s'

/**
 * Federation: where other servers connect, and what is demanded of them. Sockets, streams and queues are core's:
 * this says how they behave, and can be swapped under them.
 */
export default defineModule({
  name: 's2s',
  description: 'Federation with other servers (RFC 6120, XEP-0220, 0178, 0198, 0288, 0368)',
  on: ['server'],
  config,
  async setup(ctx) {
    await federate(ctx, ctx.config)
    ctx.reconfigure(async changed => {
      await federate(ctx, changed)
      return true
    })
    // Whoever comes next takes it over, and at a stop the server does; only an operator ends it.
    ctx.defer(async ({ why }) => {
      if (why === 'unload') await ctx.server.federation.withdraw(OWNER)
    })
  }
})

async function federate(ctx: Context<Config>, options: Config): Promise<void> {
  const ports = [
    ...options.listen.map(port => ({ ...port, transport: 'tcp' as const })),
    ...options.directTls.map(port => ({ ...port, transport: 'tls' as const }))
  ]
  const bound = await ctx.server.federation.configure(OWNER, ports, settingsFrom(options))
  for (const { address, port, transport } of bound) ctx.log.debug({ address, port, transport }, 'listening')
}

function settingsFrom(options: Config): FederationSettings {
  const { tls, auth, peers, queue, acks, bidi } = options
  const routes: FederationSettings['routes'] = {
    ...options.routes,
    ...Object.fromEntries(
      Object.entries(peers).flatMap(([name, { route, directTls }]) =>
        route ? [[name, { ...route, tls: directTls ? 'direct' : 'starttls' } as const]] : []
      )
    )
  }
  return {
    tls,
    auth,
    peers: Object.fromEntries(Object.entries(peers).map(([name, peer]) => [name, policyOf(peer)])),
    routes,
    waiting: { count: queue.stanzas, bytes: queue.bytes, time: queue.seconds * 1000 },
    connectTimeout: options.connectSeconds * 1000,
    idle: options.idleSeconds * 1000,
    keepalive: options.keepaliveSeconds * 1000,
    ackTimeout: options.ackSeconds * 1000,
    acks,
    bidi
  }
}

function policyOf({ tls, auth }: Config['peers'][string]) {
  return { ...(tls ? { tls } : {}), ...(auth ? { auth } : {}) }
}
