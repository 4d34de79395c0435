import { Hooks } from '../events/hooks'
import { Items } from '../events/items'
import { JID } from '../jid'
import { SessionRegistry } from './sessions'

/** `server` is the scope of the modules of the whole server; it has no name and no address. */
export type HostType = 'virtual' | 'component' | 'server'

/** A domain that this server answers for, with what its modules registered. */
export class Host {
  /** Undefined for the server's own scope. */
  readonly jid: JID | undefined
  readonly hooks = new Hooks()
  readonly items = new Items()
  readonly sessions = new SessionRegistry()

  constructor(
    readonly name: string,
    readonly type: HostType
  ) {
    this.jid = type === 'server' ? undefined : JID.parse(name)
  }
}
