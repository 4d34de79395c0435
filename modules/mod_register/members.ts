import { childrenOf, childText, el, JID, sourceOf, type Context, type Element, type StanzaEvent } from '#core'
import { RegistrationError } from './errors'
import type { RegisterConfig } from './index'
import { REGISTER } from './namespace'
import { faultOf, type Limits } from './newcomers'
import { checkPassword } from './rules'

type RegisterContext = Context<RegisterConfig>

/** Those whose accounts are being removed at their own wish: answered once that is stored. */
export type Leaving = Map<string, StanzaEvent>

/** XEP-0077 §3.1: what is on file. */
export function describe(ctx: RegisterContext, event: StanzaEvent): Element {
  const user = ownAccount(ctx, event)
  return el(
    'query',
    REGISTER,
    el('registered'),
    el('instructions', null, 'You are registered: the password can be changed, or the account removed.'),
    el('username', null, user),
    el('password')
  )
}

/** A new password, or the end. */
export async function change(
  ctx: RegisterContext,
  limits: Limits,
  leaving: Leaving,
  event: StanzaEvent,
  query: Element
): Promise<void> {
  const children = childrenOf(query)
  const removes = children.some(({ name }) => name === 'remove')
  const user = ownAccount(ctx, event, removes)
  if (!removes) return changePassword(ctx, limits, event, query, user)
  // XEP-0077 §3.2, table 1
  if (children.length !== 1) throw new RegistrationError('bad-request', '<remove/> stands alone')
  if (!ctx.config.removal) throw new RegistrationError('not-allowed', 'accounts are removed by the operator')
  await remove(ctx, leaving, event, user)
}

/** The account whose stream this is: nobody else has one here. */
function ownAccount(ctx: RegisterContext, { from, to, origin }: StanzaEvent, removes = false): string {
  if (from.domain === ctx.host.name && origin.session && (to.kind === 'host' || to.bare === from.bare))
    return from.local
  if (removes) throw new RegistrationError('registration-required', `you have no account at ${ctx.host.name}`)
  throw new RegistrationError('service-unavailable', `you have no account at ${ctx.host.name}`)
}

/** XEP-0077 §3.2: the account goes, then the answer, then its streams end with not-authorized. */
async function remove(
  ctx: RegisterContext,
  leaving: Leaving,
  event: StanzaEvent,
  user: string
): Promise<void> {
  if (leaving.has(user)) throw new RegistrationError('unexpected-request', 'the account is being removed')
  leaving.set(user, event)
  try {
    if (!(await ctx.server.accounts.remove(user, ctx.host.name))) {
      throw new RegistrationError('registration-required', 'there is no such account any more')
    }
    ctx.log.info({ user }, 'an account was removed by its owner')
  } finally {
    leaving.delete(user)
  }
}

/** XEP-0077 §3.3. */
async function changePassword(
  ctx: RegisterContext,
  limits: Limits,
  event: StanzaEvent,
  query: Element,
  user: string
): Promise<void> {
  const { session } = event.origin
  const name = childText(query, 'username') ?? ''
  const password = childText(query, 'password') ?? ''
  if (name === '' || password === '')
    throw new RegistrationError('bad-request', 'user name and password are needed')
  if (!ctx.config.passwordChange)
    throw new RegistrationError('not-allowed', 'passwords are changed by the operator')
  if (!session || (ctx.config.requireTls && !session.secure)) {
    throw new RegistrationError('not-authorized', 'a password is changed inside TLS', 'modify')
  }
  // §3.1.1: nobody makes a second account
  if (JID.tryParse(`${name}@${ctx.host.name}`)?.local !== user) {
    throw new RegistrationError('not-acceptable', `you are ${user}`)
  }
  checkPassword(ctx, password)
  if (!limits.attempts.take(sourceOf(session.remoteAddress), Date.now())) {
    throw new RegistrationError('resource-constraint', 'too many changes: try again later')
  }
  try {
    if (await ctx.server.accounts.setPassword(user, ctx.host.name, password)) {
      return ctx.log.info({ user }, 'a password was changed by its owner')
    }
  } catch (error) {
    throw faultOf(error, user)
  }
  throw new RegistrationError('registration-required', 'there is no such account any more')
}
