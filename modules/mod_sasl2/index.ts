import { defineModule, z } from '#core'

/** Logging in with fewer round trips (XEP-0388, XEP-0386). The profile is core's; this says whether a host offers it. */
export default defineModule({
  name: 'sasl2',
  description: 'Login, binding and resumption in one step: SASL2 and Bind 2 (XEP-0388, 0386)',
  on: ['virtual'],
  config: z.object({
    bind: z
      .boolean()
      .default(true)
      .describe('Resources may be bound together with logging in (Bind 2, XEP-0386).'),
    outsideTls: z
      .boolean()
      .default(false)
      .describe('Also offered outside TLS, which XEP-0388 forbids: for closed networks.')
  }),
  setup(ctx) {
    ctx.add('sasl2', ctx.config)
  }
})
