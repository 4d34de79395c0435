import {
  childOf,
  childrenOf,
  defineModule,
  delayed,
  HANDLED,
  parseElement,
  serialize,
  StanzaError,
  z,
  type ClientSession,
  type Context,
  type Element,
  type Handled,
  type StanzaEvent
} from '#core'
import { OfflineMessages, type Stored } from './messages'

const config = z.object({
  limit: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(200)
    .describe('Messages kept for one account; the next is refused.'),
  maxBytes: z
    .number()
    .int()
    .min(1024)
    .max(1_073_741_824)
    .default(2_097_152)
    .describe(
      'Bytes of the messages kept for one account, less than limits.unreadBytes: all of them come at one login.'
    ),
  days: z.number().int().min(1).max(3650).default(90).describe('Days after which a message is dropped.')
})

type OfflineContext = Context<z.infer<typeof config>>

const CHAT_STATES = 'http://jabber.org/protocol/chatstates'
const HINTS = 'urn:xmpp:hints'

/** XEP-0160 §3. */
const NEVER: ReadonlySet<string> = new Set(['groupchat', 'headline', 'error'])

const PAGE = 50
const HOUR = 3_600_000

/** XEP-0160: keeps messages for accounts that are away. */
export default defineModule({
  name: 'offline',
  description: 'Messages kept for accounts that are away (XEP-0160)',
  on: ['virtual'],
  dependencies: ['message'],
  config,
  setup(ctx) {
    const messages = new OfflineMessages(ctx.db, ctx.host.name)
    ctx.add('disco-feature', 'msgoffline') // XEP-0160 §4
    ctx.hook('message/offline', event => keep(ctx, messages, event))
    ctx.hook('presence/available', ({ session, before }) =>
      before === undefined || before < 0 ? deliver(ctx, messages, session) : undefined
    )
    ctx.hook('account/removed', ({ user, tx }) => messages.purge(user, tx))
    // What came in while an account was being removed is not for the next one of that name
    ctx.hook('account/created', ({ user, tx }) => messages.purge(user, tx))
    ctx.every(HOUR, () => messages.dropOlderThan(Date.now() - ctx.config.days * 24 * HOUR))
  }
})

/** XEP-0160 §3: normal and chat messages; a type that nobody knows is normal (RFC 6121 §5.2.2). */
async function keep(
  ctx: OfflineContext,
  messages: OfflineMessages,
  event: StanzaEvent
): Promise<Handled | void> {
  const { type } = event.stanza.attrs
  if (type !== undefined && NEVER.has(type)) return
  // XEP-0334 §4.2. An error would tell strangers who is there
  if (childOf(event.stanza, 'no-store', HINTS)) return HANDLED
  if (type === 'chat' && isChatState(event.stanza)) return HANDLED
  const received = Date.now()
  // XEP-0203 §2: when it came, said by the host that keeps it
  const stanza = serialize(delayed(event.stanza, ctx.host.name, received))
  const kept = await messages.add(event.to.local, { received, stanza }, ctx.config, event)
  if (!kept) throw new StanzaError('service-unavailable', 'the account keeps as many messages as it may') // XEP-0160 §3
  return HANDLED
}

/** XEP-0160 §3: a message of nothing but a chat state (XEP-0085), which is of no use later. */
function isChatState(stanza: Element): boolean {
  // XEP-0085 §5.7: the thread may go along
  return childrenOf(stanza).every(child => child.attrs.xmlns === CHAT_STATES || child.name === 'thread')
}

/** XEP-0160 §3: in order, to the first resource that becomes available with a priority that is not negative. */
async function deliver(
  ctx: OfflineContext,
  messages: OfflineMessages,
  session: ClientSession
): Promise<void> {
  if ((session.state.priority ?? -1) < 0) return
  for (;;) {
    const page = await messages.page(session.user, PAGE)
    if (page.length === 0 || session.closed) return
    for (const { stanza } of page) session.send(parseElement(stanza))
    await messages.delete(session.user, page.at(-1) as Stored)
    if (page.length < PAGE || ctx.signal.aborted) return
  }
}
