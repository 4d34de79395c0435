import { el, JID, type Context, type ClientSession } from '#core'
import { requestMessage } from './request-form'
import type { Buddies } from './buddies'
import type { Published } from './published'

/** Requests that administrators get a message about each; of what is more they see in the list. */
const PROMPTED = 20

/**
 * XEP-0267 §1: the administrators are asked, by a normal message with a form (headlines are hidden by common clients);
 * each of them once for each request, at once or when they come. Who has been told is kept with the request.
 */
export class Prompts {
  constructor(
    private readonly ctx: Context,
    private readonly buddies: Buddies,
    private readonly published: Published
  ) {}

  /** A request has come. */
  async asked(domain: string): Promise<void> {
    if (this.published.pending > PROMPTED) return
    for (const admin of this.ctx.server.administrators(this.ctx.host))
      if (this.#isReachable(JID.parse(admin))) await this.#tell(domain, admin, admin)
  }

  /** A client of this server is available: maybe an administrator's who has not been told. */
  async available({ jid }: ClientSession): Promise<void> {
    if (!jid || this.published.pending === 0) return
    if (!this.ctx.server.administrators(this.ctx.host).includes(jid.bare)) return
    const waiting = [...this.published.all()].filter(({ asks }) => asks).slice(0, PROMPTED)
    for (const { domain } of waiting) await this.#tell(domain, jid.bare, jid.full)
  }

  /** A form has come back: it is sent again at the next login. */
  async returned(id: string, admin: string): Promise<void> {
    if (id.startsWith(PREFIX)) await this.buddies.untold(id.slice(PREFIX.length), admin)
  }

  /** Whoever is on another server is so to us: that server keeps what it cannot deliver. */
  #isReachable({ domain, local }: JID): boolean {
    const host = this.ctx.server.host(domain)
    if (!host || host.type !== 'virtual' || host.relay) return true
    for (const { state } of host.sessions.of(local).values()) if ((state.priority ?? -1) >= 0) return true
    return false
  }

  async #tell(domain: string, admin: string, to: string): Promise<void> {
    const buddy = await this.buddies.tells(domain, admin)
    if (!buddy) return
    const { name } = this.ctx.host
    this.ctx.send(
      el('message', { to, type: 'normal', id: PREFIX + domain }, ...requestMessage(name, domain, buddy))
    )
  }
}

const PREFIX = 'server-buddy-request:'
