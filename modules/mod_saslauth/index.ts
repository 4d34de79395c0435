import { defineModule, z } from '#core'

const MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'] as const

/** Logging in with a password (RFC 6120 §6). The mechanisms are core's; this says which a host offers. */
export default defineModule({
  name: 'saslauth',
  description: 'Login with passwords: SCRAM-SHA-256, SCRAM-SHA-1, PLAIN inside TLS',
  on: ['virtual'],
  config: z.object({
    mechanisms: z
      .array(z.enum(MECHANISMS))
      .min(1)
      .default([...MECHANISMS])
      .describe('What clients may log in with; PLAIN is offered inside TLS only.')
  }),
  setup(ctx) {
    const wanted: readonly string[] = ctx.config.mechanisms
    for (const mechanism of ctx.server.accounts.mechanisms()) {
      if (wanted.includes(mechanism.name)) ctx.add('sasl-mechanism', mechanism)
    }
  }
})
