import type { JID } from '../jid'
import type { Host } from '../hosts/host'
import type { Role } from '../modules/server-api'

/** Who may do what, as the config says it; modules add to it (`Administrator`). */
export interface RoleLists {
  /** Bare JIDs that administer the whole server. */
  operators(): readonly string[]
  /** Bare JIDs that administer one host. */
  admins(host: string): readonly string[]
}

/** Who administers a host beside those whom the config names: an item of that host. */
export interface Administrator {
  /** The bare JID. */
  readonly jid: string
}

declare module '../events/items' {
  interface ItemTypes {
    administrator: Administrator
  }
}

/** The bare JIDs of the admins of a host. */
export function adminsOf(host: Host, lists: RoleLists): string[] {
  return [...lists.admins(host.name), ...host.items.list('administrator').map(({ jid }) => jid)]
}

/**
 * The role of an address on a host. Only a bare or full JID of an account can have one; what asks must have
 * checked that the sender is who it says.
 */
export function roleOf(jid: JID, host: Host, lists: RoleLists): Role {
  if (jid.local === '') return 'none'
  if (lists.operators().includes(jid.bare)) return 'operator'
  if (adminsOf(host, lists).includes(jid.bare)) return 'admin'
  return jid.domain === host.name ? 'member' : 'none'
}
