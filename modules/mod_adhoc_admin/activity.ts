import type { Context } from '#core'
import type { AdminConfig } from './index'

/** XEP-0133 §4.15: accounts with at least one connected resource. */
export function onlineUsers(ctx: Context): string[] {
  return [...ctx.host.sessions.users()]
}

/** XEP-0133 §4.16: who is online and has done something lately, on any resource. */
export function activeUsers(ctx: Context<AdminConfig>): string[] {
  const since = idleSince(ctx)
  return onlineUsers(ctx).filter(user => isActive(ctx, user, since))
}

/** XEP-0133 §4.17: all others who are online. */
export function idleUsers(ctx: Context<AdminConfig>): string[] {
  const since = idleSince(ctx)
  return onlineUsers(ctx).filter(user => !isActive(ctx, user, since))
}

function idleSince(ctx: Context<AdminConfig>): number {
  return Date.now() - ctx.config.idleMinutes * 60_000
}

function isActive(ctx: Context, user: string, since: number): boolean {
  for (const session of ctx.host.sessions.of(user).values()) if (session.active > since) return true
  return false
}
