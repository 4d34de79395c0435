import { InvalidJid, JID, type Context } from '#core'
import { RegistrationError } from './errors'
import type { RegisterConfig } from './index'

/** The local part that a new account gets. Throws `not-acceptable`, or `conflict` where it is not free. */
export async function nameFor(ctx: Context<RegisterConfig>, username: string): Promise<string> {
  const { minNameLength, maxNameLength, reservedNames } = ctx.config
  if (username === '') throw new RegistrationError('not-acceptable', 'a user name is needed')
  const jid = prepare(ctx, username)
  const length = [...jid.local].length
  if (length < minNameLength || length > maxNameLength) {
    throw new RegistrationError(
      'not-acceptable',
      `a user name has ${minNameLength} to ${maxNameLength} characters`
    )
  }
  if (
    reservedNames.includes(jid.local) ||
    hasRights(ctx, jid) ||
    (await ctx.server.accounts.exists(jid.local, jid.domain))
  ) {
    throw taken(jid.local)
  }
  return jid.local
}

/** RFC 7622 §3.3 */
function prepare(ctx: Context, username: string): JID {
  try {
    return JID.of(username, ctx.host.name)
  } catch (error) {
    if (!(error instanceof InvalidJid)) throw error
    throw new RegistrationError('not-acceptable', `this cannot be a user name: it ${error.reason}`)
  }
}

/** The config may name an administrator whose account is yet to be made, or was removed: not by a stranger. */
function hasRights({ server }: Context, jid: JID): boolean {
  return server.hosts().some(host => ['admin', 'operator'].includes(server.role(jid, host)))
}

export function taken(name: string): RegistrationError {
  return new RegistrationError('conflict', `the name ${name} is not free`)
}

/** Throws `not-acceptable`. */
export function checkPassword({ config }: Context<RegisterConfig>, password: string): void {
  if (password === '') throw new RegistrationError('not-acceptable', 'a password is needed')
  if ([...password].length < config.minPasswordLength) {
    throw new RegistrationError(
      'not-acceptable',
      `a password has at least ${config.minPasswordLength} characters`
    )
  }
}
