import { defineModule, el, z } from '#core'

const VERSION = 'jabber:iq:version'

/** XEP-0092. The operating system is told only when the operator says so (§6). */
export default defineModule({
  name: 'version',
  description: 'Software version (XEP-0092)',
  on: ['virtual', 'component'],
  config: z.object({
    os: z.boolean().default(false).describe('Also tell the operating system and the version of Node.')
  }),
  setup(ctx) {
    ctx.add('disco-feature', VERSION)
    ctx.iq('get', 'host', VERSION, 'query', () =>
      el(
        'query',
        VERSION,
        el('name', null, 'Balcony'),
        el('version', null, ctx.server.version),
        ctx.config.os && el('os', null, `${process.platform} (Node ${process.versions.node})`)
      )
    )
  }
})
