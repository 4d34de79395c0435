import type { ClientSession } from '#core'
import { bareOf } from '../lib_pubsub'
import type { Presences } from './presences'
import type { PubsubContext } from './service'

/**
 * Who is available, as far as this service knows (XEP-0060 §12.6): accounts of this server by their sessions, others
 * by the presence that they have directed to it.
 */
export class Availability {
  readonly #ctx: PubsubContext
  readonly #presences: Presences

  constructor(ctx: PubsubContext, presences: Presences) {
    this.#ctx = ctx
    this.#presences = presences
  }

  /** A bare address: whether a message to it would be shown by one of its resources. */
  isAvailable(jid: string): boolean {
    if (this.#presences.has(jid)) return true
    const sessions = this.sessions(jid)
    if (sessions === undefined) return false
    const bare = bareOf(jid)
    if (jid !== bare) return sessions.get(jid.slice(bare.length + 1))?.state.priority !== undefined
    for (const { state } of sessions.values()) if ((state.priority ?? -1) >= 0) return true
    return false
  }

  /** The sessions of an account of this server, by resource. */
  sessions(jid: string): ReadonlyMap<string, ClientSession> | undefined {
    const bare = bareOf(jid)
    const at = bare.indexOf('@')
    const host = at < 0 ? undefined : this.#ctx.server.host(bare.slice(at + 1))
    return host?.type === 'virtual' ? host.sessions.of(bare.slice(0, at)) : undefined
  }
}
