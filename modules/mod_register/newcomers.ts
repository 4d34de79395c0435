import {
  childText,
  el,
  firstChild,
  isStanzaError,
  JID,
  sourceOf,
  StreamError,
  type CollapsedLog,
  type ClientSession,
  type CodedError,
  type Context,
  type Element
} from '#core'
import { RegistrationError } from './errors'
import type { RegisterConfig } from './index'
import type { HourlyLimit } from './limiter'
import { REGISTER } from './namespace'
import { checkPassword, nameFor, taken } from './rules'

/** What is counted, each by itself. */
export interface Limits {
  /** Requests to make an account or to change a password, by address. */
  attempts: HourlyLimit
  /** Accounts made, by address. */
  accounts: HourlyLimit
  /** Accounts made, by IPv6 networks that have many addresses of the kind above, and by address. */
  shares: HourlyLimit
  /** Accounts made, on the host. */
  host: HourlyLimit
  /** What is refused, for the log. */
  refusals: CollapsedLog
}

/** What one party may have of all accounts that can be made in an hour: nobody keeps all others out. */
export function shareOf({ accountsPerHour }: Pick<RegisterConfig, 'accountsPerHour'>): number {
  return Math.ceil(accountsPerHour / 4)
}

type RegisterContext = Context<RegisterConfig>

/** XEP-0077 §3.1.1: somebody without an account asks, before authentication. */
export async function answerNewcomer(
  ctx: RegisterContext,
  limits: Limits,
  session: ClientSession,
  iq: Element
): Promise<void> {
  const { type, to, id } = iq.attrs as Record<string, string | undefined>
  // RFC 6120 §4.3.5: nothing is for anybody else yet
  if ((type !== 'get' && type !== 'set') || (to !== undefined && JID.tryParse(to)?.full !== session.domain)) {
    return session.close(new StreamError('not-authorized', 'authenticate first'))
  }
  try {
    const payload = await answer(ctx, limits, session, iq, type)
    session.send(el('iq', { type: 'result', id, from: session.domain }, payload))
  } catch (thrown) {
    if (!isStanzaError(thrown)) ctx.log.error({ err: thrown }, 'registration failed')
    const error = isStanzaError(thrown)
      ? thrown
      : new RegistrationError('internal-server-error', 'a fault of the server')
    session.send(el('iq', { type: 'error', id, from: session.domain }, error.toElement()))
  }
}

/** Whether a stream is told of registration, and may register. */
export function mayRegister({ config }: RegisterContext, session: ClientSession): boolean {
  return config.newAccounts && (session.secure || !config.requireTls)
}

async function answer(
  ctx: RegisterContext,
  limits: Limits,
  session: ClientSession,
  iq: Element,
  type: 'get' | 'set'
): Promise<Element | undefined> {
  if (iq.attrs.id === undefined) throw new RegistrationError('bad-request', 'an iq has an id') // RFC 6120 §8.2.3
  if (!ctx.config.newAccounts) throw new RegistrationError('not-allowed', 'accounts are made by the operator')
  if (!mayRegister(ctx, session)) throw new RegistrationError('not-authorized', 'use TLS first', 'modify')
  if (type === 'get') return fields(ctx)
  const query = firstChild(iq) as Element // core has looked at it to find this module
  // XEP-0077 §3.2, table 1: nobody is registered here who could leave
  if (childText(query, 'remove') !== undefined)
    throw new RegistrationError('unexpected-request', 'log in first')
  await register(ctx, limits, session, query)
  return undefined
}

/** XEP-0077 §3.1: what is asked for. */
function fields({ config }: RegisterContext): Element {
  return el('query', REGISTER, el('instructions', null, config.instructions), el('username'), el('password'))
}

async function register(
  ctx: RegisterContext,
  limits: Limits,
  session: ClientSession,
  query: Element
): Promise<void> {
  if (session.state.registered !== undefined) {
    throw new RegistrationError('not-acceptable', `you are registered as ${session.state.registered}: log in`) // §3.1.1
  }
  const source = sourceOf(session.remoteAddress)
  if (!limits.attempts.take(source, Date.now())) throw tooMany(limits, source)
  const password = childText(query, 'password') ?? ''
  const name = await nameFor(ctx, childText(query, 'username') ?? '')
  checkPassword(ctx, password)
  const give = takeAll(limits, session.remoteAddress)
  // Before anything is awaited: a second request on the stream must find it
  session.state.registered = name
  try {
    await ctx.server.accounts.create(name, ctx.host.name, password)
  } catch (error) {
    delete session.state.registered
    give.back()
    throw faultOf(error, name)
  }
  ctx.log.info({ user: name, address: session.remoteAddress }, 'an account was registered')
}

/** Counts an account that is about to be made. */
function takeAll({ accounts, shares, host, ...limits }: Limits, address: string): { back(): void } {
  const now = Date.now()
  const source = sourceOf(address)
  const taken: [HourlyLimit, string][] = []
  const back = (): void => {
    for (const [limit, key] of taken) limit.giveBack(key)
  }
  const wanted: [HourlyLimit, string][] = [
    [accounts, source],
    [shares, sourceOf(address, 48)],
    [host, '']
  ]
  for (const [limit, key] of wanted) {
    if (!limit.take(key, now)) {
      back()
      throw tooMany(limits, source)
    }
    taken.push([limit, key])
  }
  return { back }
}

function tooMany({ refusals }: Pick<Limits, 'refusals'>, source: string): RegistrationError {
  refusals.warn(source, { address: source }, 'registration refused: too many within an hour')
  return new RegistrationError('resource-constraint', 'too many registrations: try again later')
}

export function faultOf(error: unknown, name: string): unknown {
  const { code, message } = error as Partial<CodedError>
  if (code === 'ERR_ACCOUNT_EXISTS') return taken(name)
  if (code === 'ERR_ACCOUNT_NAME' || code === 'ERR_PASSWORD')
    return new RegistrationError('not-acceptable', message ?? '')
  return error
}

declare module '#core' {
  interface SessionState {
    /** The account that was made on this stream before authentication (XEP-0077 §3.1.1). */
    registered?: string
  }
}
