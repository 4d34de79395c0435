import { defineModule, el, z } from '#core'

const LAST = 'jabber:iq:last'

/** XEP-0012 §5: asked of a server, the seconds since it was started. */
export default defineModule({
  name: 'uptime',
  description: 'Server uptime (XEP-0012)',
  on: ['virtual', 'component'],
  config: z.object({}),
  setup(ctx) {
    ctx.add('disco-feature', LAST)
    ctx.iq('get', 'host', LAST, 'query', () =>
      el('query', { xmlns: LAST, seconds: Math.floor((Date.now() - ctx.server.startedAt) / 1000) })
    )
  }
})
