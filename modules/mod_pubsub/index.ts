import { defineModule, NS, type Element, type StanzaEvent } from '#core'
import { OWNER, PUBSUB } from '../lib_pubsub/xml'
import { welcome } from './arrivals'
import { config } from './config'
import { forget } from './departure'
import { describeNode, headers, list } from './disco'
import { receive } from './messages'
import { GET_PENDING, getPending } from './pending'
import { forgetAll, seen } from './presence'
import { answer } from './requests'
import { follow } from './standing'
import { Pubsub } from './service'
import { sweep } from './sweep'

const SECOND = 1000
const HOUR = 3_600_000
const DAY = 24 * HOUR

/** XEP-0060: a publish-subscribe service. */
export default defineModule({
  name: 'pubsub',
  description: 'Publish-subscribe (XEP-0060)',
  on: ['component'],
  dependencies: ['disco'],
  config,
  setup(ctx, saved) {
    const pubsub = new Pubsub(ctx, saved)
    ctx.save(() => pubsub.presences.save())
    if (saved === undefined) ctx.after(0, () => forgetAll(pubsub))

    for (const ns of [PUBSUB, OWNER]) {
      for (const type of ['get', 'set'] as const) {
        ctx.iq(type, 'host', ns, 'pubsub', (event: StanzaEvent, payload: Element) =>
          answer(pubsub, type, event, payload)
        )
      }
    }
    ctx.hook('message/host', event => receive(pubsub, event))
    ctx.hook('presence/host', event => seen(pubsub, event))
    ctx.on('session/available', ({ jid }) => {
      // whoever has directed presence to the service has been seen before
      if (jid && !pubsub.presences.has(jid.full)) ctx.after(0, () => welcome(pubsub, jid.full))
    })
    ctx.on('roster/changed', (user, host, contact) => {
      ctx.after(0, () => follow(pubsub, `${user}@${host}`, contact))
    })
    ctx.hook('account/purge', ({ jid, tx }) => forget(pubsub, tx, jid))
    ctx.every(HOUR, () => pubsub.expireRedirects(Date.now() - ctx.config.redirectDays * DAY))
    ctx.every(SECOND, () => sweep(pubsub, Date.now()))
    ctx.defer(() => pubsub.outbox.close())

    // XEP-0060 §8.7: there only with mod_adhoc, and so is what says it
    ctx.adhoc(getPending(pubsub))
    const pending = new Map<string, () => void>()
    ctx.watch('disco-feature', {
      added(feature) {
        if (feature === NS.COMMANDS && !pending.has(feature))
          pending.set(feature, ctx.add('disco-feature', GET_PENDING))
      },
      removed(feature) {
        pending.get(feature)?.()
        pending.delete(feature)
      }
    })

    ctx.add('disco-identity', { category: 'pubsub', type: 'service' }) // XEP-0060 §5.1
    ctx.add('disco-feature', NS.RSM)
    ctx.hook('disco/info', event => headers(pubsub, event))
    let withdraw = advertise()
    // other modules' nodes first: whoever may create nodes could take their names
    ctx.hook('disco/info', event => describeNode(pubsub, event), { priority: -10 })
    ctx.hook('disco/items', event => list(pubsub, event), { priority: -10 })

    ctx.reconfigure(changed => {
      pubsub.reconfigure(changed)
      again()
      return true
    })
    // access models are there as long as rosters are
    const rosterOrNot = (_: string, module: string): void => {
      if (module === 'roster') again()
    }
    ctx.on('module/loaded', rosterOrNot)
    ctx.on('module/unloaded', rosterOrNot)

    function again(): void {
      for (const feature of withdraw) feature()
      withdraw = advertise()
    }

    /** XEP-0060 §10 */
    function advertise(): (() => void)[] {
      return pubsub.engine.features().map(feature => ctx.add('disco-feature', feature))
    }
  }
})
