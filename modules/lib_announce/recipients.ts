import type { Host } from '#core'

/** Whether a message for the account is shown to somebody now (RFC 6121 §8.5.2.1). */
export function isReachable(host: Host, user: string): boolean {
  for (const { state } of host.sessions.of(user).values()) if ((state.priority ?? -1) >= 0) return true
  return false
}

/**
 * Where a message reaches an account that has a session: its bare JID, or, where no resource takes messages for the
 * account (RFC 6121 §8.5.2.1), each of them by its full JID (§8.5.3.1).
 */
export function connectedAt(host: Host, user: string): string[] {
  const bare = `${user}@${host.name}`
  if (isReachable(host, user)) return [bare]
  return [...host.sessions.of(user).keys()].map(resource => `${bare}/${resource}`)
}
