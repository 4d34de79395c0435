import { defineModule, el, z } from '#core'
import { judge } from './judge'

const CSI = 'urn:xmpp:csi:0'

const config = z.object({
  presence: z
    .enum(['later', 'now'])
    .default('later')
    .describe(
      'Presence of others for a client that nobody looks at: the last of each `later`, or all of it `now`.'
    ),
  chatStates: z
    .enum(['never', 'later', 'now'])
    .default('later')
    .describe(
      'Messages of nothing but a chat state, that somebody is typing: the last of each `later`, or `never`, or all `now`.'
    ),
  events: z
    .enum(['later', 'now'])
    .default('later')
    .describe('Headlines with news of nodes (XEP-0060, XEP-0163).'),
  stanzas: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe('Stanzas that are held back for one client, at most; then all of them are sent.'),
  bytes: z
    .number()
    .int()
    .min(1024)
    .max(268_435_456)
    .default(1_048_576)
    .describe('What these may measure, in characters of XML.')
})

/** XEP-0352: clients that nobody looks at are left alone with what can wait. What is held back is core's. */
export default defineModule({
  name: 'csi',
  description: 'Less for clients that nobody looks at (XEP-0352)',
  on: ['virtual'],
  config,
  setup(ctx) {
    const { config: rules } = ctx
    ctx.add('stream-feature', { stage: 'bind', offer: () => el('csi', CSI) })
    ctx.add('client-states', {
      judge: stanza => judge(stanza, rules),
      stanzas: rules.stanzas,
      bytes: rules.bytes
    })
  }
})
