import { defineModule, HANDLED, type AttachOptions, type Context } from '#core'
import { config, type Config } from './config'

/**
 * This host is an external component of another server (XEP-0114). Connections and what waits for them are core's:
 * this says where to and sends them what goes to domains that are not ours, and can be swapped under them.
 */
export default defineModule({
  name: 'upstream',
  description: 'This host is an external component of another server (XEP-0114)',
  on: ['component'],
  // Without it, what is meant for that server would go to the Internet
  guards: ['route/remote'],
  config,
  setup(ctx) {
    const { components } = ctx.server
    components.attach(ctx.host, optionsOf(ctx, ctx.config))
    ctx.hook('route/remote', event => (components.send(event) ? HANDLED : undefined))
    ctx.on('server/started', () => tellUnserved(ctx))
    ctx.reconfigure(changed => {
      components.attach(ctx.host, optionsOf(ctx, changed))
      return true
    })
    // Whoever comes next finds the connections as they are; only an operator ends them.
    ctx.defer(({ why }) => {
      if (why === 'unload') components.detach(ctx.host)
    })
  }
})

/** XEP-0114 binds a name to a connection: whatever the host serves beside its own name has to be in the config. */
function tellUnserved({ config, host, server, log }: Context<Config>): void {
  for (const domain of config.domains) {
    if (server.host(domain) !== host)
      log.warn({ domain }, 'the domain is attached, but no module of this host serves it')
  }
}

function optionsOf({ host }: Context<Config>, options: Config): AttachOptions {
  const { server, port, secret, domains, queue, retrySeconds } = options
  const { keepaliveSeconds, silenceSeconds, answerSeconds } = options
  return {
    server,
    port,
    secret,
    domains: [...new Set([host.name, ...domains])],
    waiting: queue,
    retry: retrySeconds * 1000,
    keepalive: keepaliveSeconds * 1000,
    silence: silenceSeconds * 1000,
    silenceAnswer: answerSeconds * 1000
  }
}
