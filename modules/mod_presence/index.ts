import { defineModule, el, HANDLED, StanzaError, z, type Context, type Handle, type StanzaEvent } from '#core'
import type { RosterApi } from '../mod_roster'
import { broadcast, goodbye } from './broadcast'
import { noteDirected } from './directed'
import { EVENTS } from './events'
import { deliverPresence } from './inbound'
import { answerProbe } from './probe'
import { sharesPresence } from './sharing'
import { Storms } from './storms'
import type { SubscriptionType } from '../lib_subscription'
import { endSubscriptions, receiveSubscription, sendSubscription } from './subscriptions'

const config = z.object({
  maxRequests: z
    .number()
    .int()
    .min(1)
    .default(200)
    .describe(
      'Subscription requests of strangers that wait for one account, at most; further ones are dropped.'
    ),
  maxAsked: z
    .number()
    .int()
    .min(1)
    .default(1000)
    .describe(
      'Requests of one account that others have not answered yet, at most; further ones are refused.'
    ),
  subscribesPerHour: z
    .number()
    .int()
    .min(1)
    .default(1000)
    .describe('Requests to subscribe that one account may make within an hour; further ones are refused.'),
  presencesPerMinute: z
    .number()
    .int()
    .min(1)
    .default(60)
    .describe('Presence that one account may broadcast within a minute; what is more has to wait.'),
  maxDirected: z
    .number()
    .int()
    .min(1)
    .default(1000)
    .describe('Addresses that a resource has sent directed presence to, as far as they are remembered.')
})

/** What the files of this module work with. */
export interface Presence {
  ctx: Context<z.infer<typeof config>>
  roster: Handle<RosterApi>
  storms: Storms
}

const SUBSCRIPTIONS: ReadonlySet<string> = new Set(['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed'])

function subscriptionOf(event: StanzaEvent): SubscriptionType | undefined {
  const type = event.stanza.attrs.type
  return type !== undefined && SUBSCRIPTIONS.has(type) ? (type as SubscriptionType) : undefined
}

/** RFC 6121 §8.5.3.2.2: for a resource that is not there; only a request is then for the account. */
function isStray({ host, to }: StanzaEvent, type: SubscriptionType): boolean {
  return type !== 'subscribe' && to.kind === 'full' && !host.sessions.get(to.local, to.resource)
}

/** RFC 6121 §3 and §4: subscriptions, and who gets whose presence. */
export default defineModule({
  name: 'presence',
  description: 'Presence and its subscriptions (RFC 6121 §3, §4)',
  on: ['virtual'],
  dependencies: ['roster'],
  // While it is away nobody asks who may reach a resource, and no subscription would be kept
  guards: ['iq/full', 'pre-presence', 'presence/broadcast', 'presence/bare', 'presence/full'],
  config,
  setup(ctx) {
    const presence: Presence = { ctx, roster: ctx.use('roster'), storms: new Storms(ctx) }
    ctx.reconfigure(() => true)
    for (const event of EVENTS) ctx.add('event', event)
    // RFC 6121 §3.4: pre-approved subscriptions.
    ctx.add('stream-feature', { stage: 'bind', offer: () => el('sub', 'urn:xmpp:features:pre-approval') })

    ctx.hook('presence/broadcast', event => {
      const early = presence.storms.broadcast(event)
      return early ? early.then(() => broadcast(presence, event)) : broadcast(presence, event)
    })
    ctx.hook('pre-presence', event => {
      const subscription = subscriptionOf(event)
      if (subscription) return sendSubscription(presence, event, subscription)
      return noteDirected(presence, event)
    })

    const inbound = (event: StanzaEvent) => {
      const type = event.stanza.attrs.type
      const subscription = subscriptionOf(event)
      if (subscription) {
        if (isStray(event, subscription)) return HANDLED
        return receiveSubscription(presence, event, subscription)
      }
      if (type === 'probe') return answerProbe(presence, event)
      deliverPresence(event)
      return HANDLED
    }
    ctx.hook('presence/bare', inbound)
    ctx.hook('presence/full', inbound)

    ctx.hook('iq/full', async event => {
      if (!(await sharesPresence(presence, event))) throw new StanzaError('service-unavailable') // RFC 6121 §8.5.3.1
    })
    ctx.hook('session/closed', ({ session }) => goodbye(presence, session))
    ctx.hook('roster/removed', ({ user, item }) => endSubscriptions(presence, user, item))
    ctx.hook('account/removing', async ({ user }) => {
      await presence.roster.roster(user)
    })
    ctx.hook(
      'account/removed',
      async ({ user, tx }) => {
        const { items } = await presence.roster.roster(user) // in memory since `account/removing`
        tx.afterCommit(() => {
          for (const item of items.values()) endSubscriptions(presence, user, item)
        })
      },
      { priority: 10 }
    )
  }
})
