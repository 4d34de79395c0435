import { randomBytes } from 'node:crypto'
import { StanzaError, type FormValues } from '#core'

/** A dialogue under way: plain data, so that it outlives a reload of the module. */
export interface DialogueSession {
  readonly id: string
  /** Full JID of the requester: nobody else goes on with it (XEP-0050 §3.3). */
  readonly requester: string
  readonly bare: string
  /** The address that was asked. */
  readonly asked: string
  readonly node: string
  readonly lang: string | undefined
  /** The stage that waits for an answer. */
  stage: number
  /** What was said in each stage, kept when the requester goes back. */
  said: FormValues[]
  /** Milliseconds since the epoch. */
  expires: number
}

export interface SessionLimits {
  sessionMinutes: number
  sessionsPerUser: number
  sessions: number
}

/** The dialogues under way: bound to requester and node, expiring, bounded. */
export class Sessions {
  limits: SessionLimits
  readonly #sessions: Map<string, DialogueSession>

  constructor(limits: SessionLimits, saved: unknown) {
    this.limits = limits
    // Only an older version of this module hands anything over.
    this.#sessions = new Map(
      ((saved as DialogueSession[] | undefined) ?? []).map(session => [session.id, session])
    )
  }

  save(): DialogueSession[] {
    return [...this.#sessions.values()]
  }

  open(
    start: Pick<DialogueSession, 'requester' | 'bare' | 'asked' | 'node' | 'lang'>,
    now: number
  ): DialogueSession {
    this.expire(now)
    let own = 0
    for (const { bare } of this.#sessions.values()) if (bare === start.bare) own++
    if (own >= this.limits.sessionsPerUser || this.#sessions.size >= this.limits.sessions) {
      throw new StanzaError('resource-constraint', 'too many unfinished commands: finish or cancel some')
    }
    const session = {
      ...start,
      id: randomBytes(15).toString('base64url'),
      stage: 0,
      said: [],
      expires: now + this.limits.sessionMinutes * 60_000
    }
    this.#sessions.set(session.id, session)
    return session
  }

  /** The session, if it is this requester's at this address and node and has not expired. */
  find(
    id: string,
    who: { requester: string; asked: string; node: string },
    now: number
  ): DialogueSession | undefined {
    const session = this.#sessions.get(id)
    if (!session || session.requester !== who.requester) return undefined
    if (session.asked !== who.asked || session.node !== who.node) return undefined
    if (session.expires <= now) {
      this.#sessions.delete(id)
      return undefined
    }
    session.expires = now + this.limits.sessionMinutes * 60_000
    return session
  }

  end(session: DialogueSession): void {
    this.#sessions.delete(session.id)
  }

  expire(now: number): void {
    for (const session of this.#sessions.values())
      if (session.expires <= now) this.#sessions.delete(session.id)
  }
}
