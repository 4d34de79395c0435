import { defineModule, StanzaError, z } from '#core'

const PING = 'urn:xmpp:ping'

/** XEP-0199 §4.2, §4.3: the host, and an account for its owner. */
export default defineModule({
  name: 'ping',
  description: 'XMPP ping (XEP-0199)',
  on: ['virtual', 'component'],
  config: z.object({}),
  setup(ctx) {
    ctx.add('disco-feature', PING)
    ctx.iq('get', 'host', PING, 'ping', () => undefined)
    if (ctx.host.type !== 'virtual') return
    ctx.add('account-feature', PING)
    // Of accounts only the own one answers: another's must not tell whether it exists (RFC 6121 §8.5.1).
    ctx.iq('get', 'bare', PING, 'ping', event => {
      if (event.from.bare !== event.to.bare) throw new StanzaError('service-unavailable')
    })
  }
})
