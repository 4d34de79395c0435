import { Hooks } from '../events/hooks'
import { Items } from '../events/items'
import { JID } from '../jid'
import type { Element } from '../xml/element'
import { SessionRegistry } from './sessions'

/** `server` is the scope of the modules of the whole server; it has no name and no address. */
export type HostType = 'virtual' | 'component' | 'server'

/** Where the stanzas of a host go whose work is done by another process: an external component (XEP-0114). */
export interface Relay {
  /** Takes a stanza for the host, whatever it is; iq results and errors too. Answers what cannot be delivered. */
  stanza(event: Relayed): void
}

/** As much of a StanzaEvent as a relay needs. */
export interface Relayed {
  readonly stanza: Element
  readonly from: JID
  readonly to: JID
  /** Answers with a stanza error, where an answer is allowed. */
  fail(error: unknown): void
}

/** A domain that this server answers for, with what its modules registered. */
export class Host {
  /** Undefined for the server's own scope. */
  readonly jid: JID | undefined
  readonly hooks = new Hooks()
  readonly items = new Items()
  readonly sessions = new SessionRegistry()
  /** When set, the host's stanzas go there and not to handlers. */
  relay: Relay | undefined

  constructor(
    readonly name: string,
    readonly type: HostType
  ) {
    this.jid = type === 'server' ? undefined : JID.parse(name)
  }
}
