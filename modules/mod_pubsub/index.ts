import { defineModule, NS, type Element, type StanzaEvent } from '#core'
import { OWNER, PUBSUB } from '../lib_pubsub/xml'
import { config } from './config'
import { forget } from './departure'
import { describeNode, list } from './disco'
import { receive } from './messages'
import { answer } from './requests'
import { Pubsub } from './service'

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** XEP-0060: a publish-subscribe service. */
export default defineModule({
  name: 'pubsub',
  description: 'Publish-subscribe (XEP-0060)',
  on: ['component'],
  dependencies: ['disco'],
  config,
  setup(ctx) {
    const pubsub = new Pubsub(ctx)

    for (const ns of [PUBSUB, OWNER]) {
      for (const type of ['get', 'set'] as const) {
        ctx.iq(type, 'host', ns, 'pubsub', (event: StanzaEvent, payload: Element) =>
          answer(pubsub, type, event, payload)
        )
      }
    }
    ctx.hook('message/host', event => receive(pubsub, event))
    ctx.hook('account/purge', ({ jid, tx }) => forget(pubsub, tx, jid))
    ctx.every(HOUR, () => pubsub.expireRedirects(Date.now() - ctx.config.redirectDays * DAY))
    ctx.defer(() => pubsub.outbox.close())

    ctx.add('disco-identity', { category: 'pubsub', type: 'service' }) // XEP-0060 §5.1
    ctx.add('disco-feature', NS.RSM)
    let withdraw = advertise()
    // other modules' nodes first: whoever may create nodes could take their names
    ctx.hook('disco/info', event => describeNode(pubsub, event), { priority: -10 })
    ctx.hook('disco/items', event => list(pubsub, event), { priority: -10 })

    ctx.reconfigure(changed => {
      pubsub.reconfigure(changed)
      for (const feature of withdraw) feature()
      withdraw = advertise()
      return true
    })

    /** XEP-0060 §10 */
    function advertise(): (() => void)[] {
      return pubsub.engine.features().map(feature => ctx.add('disco-feature', feature))
    }
  }
})
