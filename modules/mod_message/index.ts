import {
  Copies,
  defineModule,
  HANDLED,
  StanzaError,
  z,
  type ClientSession,
  type Context,
  type Element,
  type Handled,
  type StanzaEvent
} from '#core'
import { allNonNegative, mostAvailable } from './recipients'

/** RFC 6121 §8.5: which resources of an account get a message. */
export default defineModule({
  name: 'message',
  description: 'Delivery of messages to the resources of an account (RFC 6121 §8.5)',
  on: ['virtual'],
  config: z.object({}),
  setup(ctx) {
    ctx.add('event', {
      name: 'message/offline',
      when: 'no resource can take a message for an account',
      payload: 'StanzaEvent',
      async: 'yes',
      handled: 'it is stored'
    })
    ctx.hook('message/bare', event => toAccount(ctx, event), { priority: -1 })
    ctx.hook('message/full', event => toResource(ctx, event), { priority: -1 })
  }
})

/** RFC 6121 §8.5.2. `to` is never rewritten (§8.5.2.1). */
function toAccount(ctx: Context, event: StanzaEvent): Handled | Promise<Handled> {
  const { stanza, to, host } = event
  const sessions = host.sessions.of(to.local)
  switch (stanza.attrs.type) {
    case 'error':
      return HANDLED // §8.5.2: silently ignored
    case 'groupchat':
      throw new StanzaError('service-unavailable') // §8.5.2.1.1, §8.5.2.2.1
    case 'headline':
      sendToAll(allNonNegative(sessions), stanza)
      return HANDLED
    case 'chat':
      return deliver(ctx, event, mostAvailable(sessions))
    default:
      return deliver(ctx, event, allNonNegative(sessions))
  }
}

function deliver(ctx: Context, event: StanzaEvent, sessions: ClientSession[]): Handled | Promise<Handled> {
  if (sessions.length === 0) return keep(ctx, event)
  sendToAll(sessions, event.stanza)
  return HANDLED
}

function sendToAll(sessions: ClientSession[], stanza: Element): void {
  // One that has it is enough: what another does not acknowledge is not sent anew (XEP-0198 §4)
  const copies = sessions.length > 1 ? new Copies(sessions.length) : undefined
  for (const session of sessions) session.send(stanza, copies)
}

/** RFC 6121 §8.5.2.2, with nobody there to take it: whoever stores messages, else an error. */
async function keep(ctx: Context, event: StanzaEvent): Promise<Handled> {
  const exists = await ctx.server.accounts.exists(event.to.local, event.host.name)
  if (exists && (await ctx.run('message/offline', event)) === HANDLED) return HANDLED
  throw new StanzaError('service-unavailable')
}

/** RFC 6121 §8.5.3. */
function toResource(ctx: Context, event: StanzaEvent): Handled | Promise<Handled> {
  const { stanza, to, host } = event
  const session = host.sessions.get(to.local, to.resource)
  if (session) {
    session.send(stanza)
    return HANDLED
  }
  const type = stanza.attrs.type
  if (type === 'chat') return toAccount(ctx, event) // §8.5.3.2.1
  if (type === 'headline' || type === 'error') return HANDLED
  throw new StanzaError('service-unavailable')
}

declare module '#core' {
  interface HostEvents {
    /** A message for an account of which no resource can take it. HANDLED: it is stored. */
    'message/offline': StanzaEvent
  }
}
