import {
  defineModule,
  HANDLED,
  StanzaError,
  z,
  type Handled,
  type HostEvents,
  type StanzaEvent,
  type Traced
} from '#core'
import { domainsOption } from '../lib_domains'
import { Answers } from './answers'
import { Buddies } from './buddies'
import { Buddy, isFrom, isTo } from './buddy'
import { commands } from './commands'
import { Counts } from './counts'
import { Override, PolicyInForce, PolicyName } from './policy'
import { Presences, type PeerPresence } from './presences'
import { Prompts } from './prompts'
import { Published, type ServerBuddy } from './published'
import { Requests } from './requests'

const FEATURE = 'urn:xmpp:server-presence'

const config = z.object({
  autoApprove: PolicyName.default('ask').describe(
    'What is done with a request of another server: `ask` an administrator, approve it `always`, approve the `listed` domains and ask about others, or `never` (refuse).'
  ),
  approve: domainsOption()
    .default([])
    .describe('Domains that `listed` approves; `*.example.org` means every domain below example.org.'),
  maxPending: z
    .number()
    .int()
    .min(1)
    .default(200)
    .describe('Requests that wait for an administrator, at most; further ones are refused for the moment.'),
  maxBuddies: z
    .number()
    .int()
    .min(1)
    .default(1000)
    .describe(
      'Servers in the server roster above which `always` and `listed` approve nobody new: an administrator is asked.'
    )
})

const CHANGED = {
  name: 'server_buddy/changed',
  when: 'something in the server roster has changed; both directions are told apart',
  payload: '{ domain, before, after }',
  async: 'yes',
  handled: ''
} as const

const PRESENCE = {
  name: 'server_buddy/presence',
  when: 'a peer that has approved our request has come or gone',
  payload: '{ domain, online, since }',
  async: 'yes',
  handled: ''
} as const

/** What other modules build on. */
export interface ServerBuddyApi {
  /** Whether trust is mutual: both subscriptions are there. */
  isBuddy(domain: string): Promise<boolean>
  /** Each direction by itself: `to`, we know their presence; `from`, they know ours. */
  directions(domain: string): Promise<{ to: boolean; from: boolean }>
  /** Whether a peer that has approved our request is there, and since when; undefined where that is not known. */
  presence(domain: string): PeerPresence | undefined
}

/** XEP-0267: servers that trust each other. */
export default defineModule({
  name: 'server_buddy',
  description: 'Server buddies (XEP-0267)',
  on: ['virtual', 'component'],
  dependencies: ['adhoc'],
  config,
  async setup(ctx, saved): Promise<ServerBuddyApi> {
    const policy = new PolicyInForce({
      store: ctx.store('policy', Override),
      settings: () => ctx.config,
      show: ({ policy: value, by, at }) =>
        ctx.add('config-override', { option: `${ctx.module}.autoApprove`, value, by, at })
    })
    await policy.load()
    const published = new Published(ctx)
    const counts = new Counts(ctx)
    const presences = new Presences(saved)
    const tell = async <E extends 'server_buddy/changed' | 'server_buddy/presence'>(
      event: E,
      payload: HostEvents[E]
    ): Promise<void> => {
      try {
        await ctx.run(event, payload)
      } catch (err) {
        ctx.log.error({ err }, `a handler of ${event} failed`)
      }
    }
    const buddies = new Buddies({
      ctx,
      store: ctx.store('buddies', Buddy),
      published,
      changed(domain, before, after) {
        published.set(domain, after)
        counts.roster(published)
        if (!isTo(after)) presences.forget(domain)
        void tell('server_buddy/changed', { domain, before, after })
      }
    })
    const prompts = new Prompts(ctx, buddies, published)
    const answers = new Answers(ctx, buddies, prompts)
    const requests = new Requests({
      ctx,
      buddies,
      policy,
      published,
      counts,
      limits: () => ctx.config,
      prompt: domain => prompts.asked(domain)
    })
    const heard = (domain: string, online: boolean): void => {
      const presence = published.get(domain)?.to ? presences.set(domain, online) : undefined
      if (presence) void tell('server_buddy/presence', { domain, ...presence })
    }

    for await (const [domain, buddy] of buddies.all()) published.set(domain, buddy)
    counts.roster(published)
    ctx.add('event', CHANGED)
    ctx.add('event', PRESENCE)
    ctx.add('disco-feature', FEATURE) // XEP-0267 §3
    for (const command of commands({ ctx, buddies, policy, presences, published })) ctx.adhoc(command)

    // Before the default handler: only bare domains are servers (XEP-0267 §1); others pass on.
    ctx.hook('presence/host', event => receive({ buddies, requests, heard }, event), { priority: 10 })
    ctx.hook('message/host', event => answers.receive(event))
    ctx.on('session/available', session => {
      prompts
        .available(session)
        .catch((err: unknown) => ctx.log.error({ err }, 'an administrator was not told of buddy requests'))
    })

    ctx.on('server/started', () => buddies.announce())
    // All of it is on its way when this ends: streams are closed next
    ctx.on('server/stopping', () => buddies.takeLeave())
    if (saved === undefined && ctx.server.started) ctx.after(0, () => buddies.announce())
    ctx.save(() => presences.save())
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
      presence: domain => presences.get(domain),
      async isBuddy(domain) {
        const { to, from } = await directions(domain)
        return to && from
      }
    }
  }
})

/** Whether the sender really is that domain: what core authenticated, not what `from` says. */
function isAuthentic({ origin, from }: StanzaEvent): boolean {
  // The server that this host is attached to answers for everybody it speaks for: nobody else can reach us
  if (origin.kind === 'upstream') return true
  return origin.kind !== 'c2s' && origin.name === from.full
}

interface Receiver {
  buddies: Buddies
  requests: Requests
  /** A peer has told its presence. */
  heard(domain: string, online: boolean): void
}

function receive(receiver: Receiver, event: StanzaEvent): Promise<Handled> | undefined {
  const { from, to, stanza, host, origin } = event
  if (from.kind !== 'host' || to.full !== host.name || from.full === host.name) return
  // A bounce is said by whoever could not deliver: the peer itself or our own side.
  const ours = stanza.attrs.type === 'error' && origin.kind === 'local'
  if (!ours && !isAuthentic(event)) return
  return receiver.buddies.handling(from.full, () => said(receiver, event)).then(() => HANDLED)
}

async function said({ buddies, requests, heard }: Receiver, { from, stanza }: StanzaEvent): Promise<void> {
  const domain = from.full
  switch (stanza.attrs.type) {
    case 'error':
      heard(domain, false)
      return buddies.onBounce(domain, stanza.attrs.id, StanzaError.from(stanza).condition)
    case 'subscribe':
      return requests.onSubscribe(domain)
    case 'subscribed':
      return buddies.onSubscribed(domain)
    case 'unsubscribe':
      return buddies.onUnsubscribe(domain)
    case 'unsubscribed':
      return buddies.onUnsubscribed(domain)
    case 'probe':
      return buddies.onProbe(domain)
    case undefined:
      return heard(domain, true)
    case 'unavailable':
      return heard(domain, false)
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
    /** A peer whose presence we may know has come or gone. */
    'server_buddy/presence': Traced & PeerPresence & { readonly domain: string }
  }
}
