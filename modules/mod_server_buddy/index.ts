import { defineModule, HANDLED, StanzaError, z, type Handled, type StanzaEvent, type Traced } from '#core'
import { Buddies } from './buddies'
import { Buddy, isFrom, isTo } from './buddy'
import { commands } from './commands'
import { PolicyInForce, PolicyName } from './policy'

const FEATURE = 'urn:xmpp:server-presence'

const config = z.object({
  autoApprove: PolicyName.default('ask').describe(
    'What is done with a request of another server: `ask` an administrator, approve it `always`, approve the `listed` domains and ask about others, or `never` (refuse).'
  ),
  approve: z
    .array(z.string())
    .default([])
    .describe('Domains that `listed` approves; `*.example.org` means every domain below example.org.'),
  maxPending: z
    .number()
    .int()
    .min(1)
    .default(200)
    .describe('Requests that wait for an administrator, at most; further ones are dropped.')
})

/** What other modules build on. */
export interface ServerBuddyApi {
  /** Whether trust is mutual: both subscriptions are there. */
  isBuddy(domain: string): Promise<boolean>
  /** Each direction by itself: `to`, we know their presence; `from`, they know ours. */
  directions(domain: string): Promise<{ to: boolean; from: boolean }>
}

/** XEP-0267: servers that trust each other. */
export default defineModule({
  name: 'server_buddy',
  description: 'Server buddies (XEP-0267)',
  on: ['virtual', 'component'],
  dependencies: ['adhoc'],
  config,
  setup(ctx, saved): ServerBuddyApi {
    const policy = new PolicyInForce(ctx.store('policy', PolicyName), () => ctx.config)
    const buddies = new Buddies(
      ctx,
      ctx.store('buddies', Buddy),
      policy,
      () => ctx.config,
      (domain, before, after) => {
        void ctx.run('server_buddy/changed', { domain, before, after })
      }
    )
    ctx.add('disco-feature', FEATURE) // XEP-0267 §3
    for (const command of commands(ctx, buddies, policy)) ctx.adhoc(command)

    // Before the default handler: only bare domains are servers (XEP-0267 §1); others pass on.
    ctx.hook('presence/host', event => receive(buddies, event), { priority: 10 })

    const announce = (): Promise<void> => buddies.tellAll(undefined)
    ctx.on(
      'server/started',
      () => void announce().catch((err: unknown) => ctx.log.error({ err }, 'presence to buddies failed'))
    )
    ctx.on(
      'server/stopping',
      () =>
        void buddies
          .tellAll('unavailable')
          .catch((err: unknown) => ctx.log.error({ err }, 'presence to buddies failed'))
    )
    if (saved === undefined && ctx.server.started) ctx.after(0, announce)
    ctx.save(() => 'running')
    ctx.defer(({ why }) => (why === 'unload' ? buddies.tellAll('unavailable') : undefined))

    ctx.reconfigure(() => true)
    const directions = async (domain: string): Promise<{ to: boolean; from: boolean }> => {
      const buddy = await buddies.get(domain)
      return { to: isTo(buddy), from: isFrom(buddy) }
    }
    return {
      directions,
      async isBuddy(domain) {
        const { to, from } = await directions(domain)
        return to && from
      }
    }
  }
})

/** Whether the sender really is that domain: what core authenticated, not what `from` says. */
function isAuthentic({ origin, from }: StanzaEvent): boolean {
  return origin.kind !== 'c2s' && origin.name === from.full
}

async function receive(buddies: Buddies, event: StanzaEvent): Promise<Handled | void> {
  const { from, to, stanza, host } = event
  if (from.kind !== 'host' || to.full !== host.name || from.full === host.name) return
  const type = stanza.attrs.type
  if (type === 'error') {
    // A bounce is said by whoever could not deliver: the peer itself or our own side.
    if (!isAuthentic(event) && event.origin.kind !== 'local') return
    await buddies.onBounce(from.full, StanzaError.from(stanza).condition)
    return HANDLED
  }
  if (!isAuthentic(event)) return
  const domain = from.full
  switch (type) {
    case 'subscribe':
      await buddies.onSubscribe(domain)
      return HANDLED
    case 'subscribed':
      await buddies.onSubscribed(domain)
      return HANDLED
    case 'unsubscribe':
      await buddies.onUnsubscribe(domain)
      return HANDLED
    case 'unsubscribed':
      await buddies.onUnsubscribed(domain)
      return HANDLED
    case 'probe':
      await buddies.onProbe(domain)
      return HANDLED
    case undefined:
    case 'unavailable':
      return HANDLED
    default:
      throw new StanzaError('bad-request', 'unknown type of presence')
  }
}

declare module '#core' {
  interface ModuleApis {
    server_buddy: ServerBuddyApi
  }
  interface HostEvents {
    /** The server roster has changed. */
    'server_buddy/changed': Traced & {
      readonly domain: string
      readonly before: Buddy | undefined
      readonly after: Buddy | undefined
    }
  }
}
