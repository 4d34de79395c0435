import { defineModule, z } from '#core'

const MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'] as const

/**
 * Logging in with a password (RFC 6120 §6). The mechanisms are core's; this says which a host offers. mod_sasl2 offers
 * the same.
 */
export default defineModule({
  name: 'saslauth',
  description:
    'Login with passwords: SCRAM-SHA-256, SCRAM-SHA-1, both with channel binding, PLAIN inside TLS',
  on: ['virtual'],
  config: z.object({
    mechanisms: z
      .array(z.enum(MECHANISMS))
      .min(1)
      .default([...MECHANISMS])
      .describe('What clients may log in with; PLAIN is offered inside TLS only.'),
    channelBinding: z
      .boolean()
      .default(true)
      .describe(
        'SCRAM is also offered with channel binding (-PLUS) where the connection can be bound to. False is for servers behind something that ends TLS and speaks TLS to the server.'
      ),
    plusInOldList: z
      .boolean()
      .default(false)
      .describe(
        'The -PLUS mechanisms stand in the list of RFC 6120 inside TLS 1.3, too: clients that know no other channel binding than tls-unique, which TLS 1.3 does not have, then cannot log in.'
      )
  }),
  setup(ctx) {
    const { mechanisms, channelBinding, plusInOldList } = ctx.config
    for (const mechanism of ctx.server.accounts.mechanisms()) {
      const wanted = mechanisms.some(name => mechanism.name === name || mechanism.name === `${name}-PLUS`)
      if (!wanted || (mechanism.needsBinding && !channelBinding)) continue
      ctx.add('sasl-mechanism', { ...mechanism, inOldList: plusInOldList })
    }
  }
})
