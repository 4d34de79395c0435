import {
  defineModule,
  HANDLED,
  StanzaError,
  z,
  type Context,
  type Handled,
  type HostEvents,
  type StanzaEvent,
  type Traced
} from '#core'
import { Buddies } from './buddies'
import { Buddy, isFrom, isTo } from './buddy'
import { commands } from './commands'
import { PolicyInForce, PolicyName } from './policy'
import { Published, type ServerBuddy } from './published'

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

const CHANGED = {
  name: 'server_buddy/changed',
  when: 'something in the server roster has changed; both directions are told apart',
  payload: '{ domain, before, after }',
  async: 'yes',
  handled: ''
} as const

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
  async setup(ctx, saved): Promise<ServerBuddyApi> {
    const policy = new PolicyInForce(
      ctx.store('policy', PolicyName),
      () => ctx.config,
      value => ctx.add('config-override', { option: `${ctx.module}.autoApprove`, value })
    )
    await policy.load()
    const published = new Published(ctx)
    const buddies = new Buddies({
      ctx,
      store: ctx.store('buddies', Buddy),
      policy,
      limits: () => ctx.config,
      published,
      changed(domain, before, after) {
        published.set(domain, after)
        void tell({ domain, before, after })
      }
    })
    const tell = async (change: HostEvents['server_buddy/changed']): Promise<void> => {
      try {
        await ctx.run('server_buddy/changed', change)
      } catch (err) {
        ctx.log.error({ err }, 'a handler of server_buddy/changed failed')
      }
    }
    for await (const [domain, buddy] of buddies.all()) published.set(domain, buddy)
    ctx.add('event', CHANGED)
    ctx.add('disco-feature', FEATURE) // XEP-0267 §3
    for (const command of commands(ctx, buddies, policy)) ctx.adhoc(command)

    // Before the default handler: only bare domains are servers (XEP-0267 §1); others pass on.
    ctx.hook('presence/host', event => receive(ctx, buddies, event), { priority: 10 })

    ctx.on('server/started', () => buddies.announce())
    // All of it is on its way when this ends: streams are closed next
    ctx.on('server/stopping', () => buddies.takeLeave())
    if (saved === undefined && ctx.server.started) ctx.after(0, () => buddies.announce())
    ctx.save(() => 'running')
    ctx.defer(({ why }) => {
      if (why === 'unload') buddies.takeLeave()
    })

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
function isAuthentic(ctx: Context, { origin, from }: StanzaEvent): boolean {
  // The server that this host is attached to answers for everybody it speaks for: nobody else can reach us
  if (origin.kind === 'upstream') return true
  if (origin.name !== from.full) return false
  // An external component is a host of this server, and proved it by its secret
  if (origin.kind === 'component') return ctx.server.isLocal(from.full)
  return origin.kind === 's2s' || origin.kind === 'local'
}

async function receive(ctx: Context, buddies: Buddies, event: StanzaEvent): Promise<Handled | void> {
  const { from, to, stanza, host } = event
  if (from.kind !== 'host' || to.full !== host.name || from.full === host.name) return
  const type = stanza.attrs.type
  if (type === 'error') {
    // A bounce is said by whoever could not deliver: the peer itself or our own side.
    if (!isAuthentic(ctx, event) && event.origin.kind !== 'local') return
    await buddies.onBounce(from.full, StanzaError.from(stanza).condition)
    return HANDLED
  }
  if (!isAuthentic(ctx, event)) return
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
  interface ItemTypes {
    /** A peer in the server roster of the host, with its state; another item takes its place at each change. */
    'server-buddy': ServerBuddy
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
