import type { JID } from '../jid'
import type { Host } from '../hosts/host'
import type { Role } from '../modules/server-api'

/** Who may do what, as the config says it. */
export interface RoleLists {
  /** Bare JIDs that administer the whole server. */
  operators(): readonly string[]
  /** Bare JIDs that administer one host. */
  admins(host: string): readonly string[]
}

/**
 * The role of an address on a host. Only a bare or full JID of an account can have one; what asks must have
 * checked that the sender is who it says.
 */
export function roleOf(jid: JID, host: Host, lists: RoleLists): Role {
  if (jid.local === '') return 'none'
  if (lists.operators().includes(jid.bare)) return 'operator'
  if (lists.admins(host.name).includes(jid.bare)) return 'admin'
  return jid.domain === host.name ? 'member' : 'none'
}
