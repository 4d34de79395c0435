import type { ClientSession } from '#core'

/** The resources that may get messages for the account: available, with no negative priority (RFC 6121 §8.5.2.1). */
export function allNonNegative(sessions: ReadonlyMap<string, ClientSession>): ClientSession[] {
  const found: ClientSession[] = []
  for (const session of sessions.values()) {
    const { priority } = session.state
    if (priority !== undefined && priority >= 0) found.push(session)
  }
  return found
}

/** Those of the highest priority: the "most available" ones (RFC 6121 §8.5.2.1.1). */
export function mostAvailable(sessions: ReadonlyMap<string, ClientSession>): ClientSession[] {
  let found: ClientSession[] = []
  let highest = 0
  for (const session of sessions.values()) {
    const { priority } = session.state
    if (priority === undefined || priority < highest) continue
    if (priority > highest) found = []
    highest = priority
    found.push(session)
  }
  return found
}
