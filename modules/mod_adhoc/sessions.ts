import { randomBytes } from 'node:crypto'
import { StanzaError, type AdhocCommand, type Role, type WalkState } from '#core'

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
  /** How many stages the command had when it began. */
  readonly stages: number
  readonly walk: WalkState
  /** Milliseconds since the epoch. */
  expires: number
}

/** What a dialogue begins with. */
export type Beginning = Omit<DialogueSession, 'id' | 'expires'>

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
    this.#sessions = new Map(sessionsOf(saved).map(session => [session.id, session]))
  }

  save(): DialogueSession[] {
    return [...this.#sessions.values()].filter(({ walk }) => !walk.finishing)
  }

  /** Administrators are bounded each for themselves alone: others cannot take their places. */
  open(start: Beginning, role: Role, now: number): DialogueSession {
    this.expire(now)
    let own = 0
    for (const { bare } of this.#sessions.values()) if (bare === start.bare) own++
    const full = this.#sessions.size >= this.limits.sessions && role !== 'admin' && role !== 'operator'
    if (own >= this.limits.sessionsPerUser || full)
      throw new StanzaError('resource-constraint', 'too many unfinished commands: finish or cancel some')
    const session = { ...start, id: this.newId(), expires: now + this.limits.sessionMinutes * 60_000 }
    this.#sessions.set(session.id, session)
    return session
  }

  /** XEP-0050 §3.3: never used twice, and nobody guesses it. */
  newId(): string {
    return randomBytes(15).toString('base64url')
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

  /** The command was loaded anew: what has another shape now cannot be gone on with. */
  reloaded({ node, stages }: AdhocCommand): void {
    for (const session of this.#of(node)) {
      if (session.stages === stages.length) session.walk.reloaded = true
      else this.end(session)
    }
  }

  /** The command is not there any more. */
  withdrawn(node: string): void {
    for (const session of this.#of(node)) this.end(session)
  }

  /** Those of commands that are not there. */
  retain(isThere: (node: string) => boolean): void {
    for (const session of this.#sessions.values()) if (!isThere(session.node)) this.end(session)
  }

  #of(node: string): DialogueSession[] {
    return [...this.#sessions.values()].filter(session => session.node === node)
  }

  expire(now: number): void {
    for (const session of this.#sessions.values())
      if (session.expires <= now) this.#sessions.delete(session.id)
  }
}

/** What an older version of this module hands over, as far as it has the same form. */
function sessionsOf(saved: unknown): DialogueSession[] {
  if (!Array.isArray(saved)) return []
  return (saved as Partial<DialogueSession>[]).filter((session): session is DialogueSession =>
    Array.isArray(session.walk?.said)
  )
}
