import { StanzaError, type CommandRun, type Context, type JID, type Role } from '#core'

const RANK: Record<Role, number> = { none: 0, member: 1, admin: 2, operator: 3 }

/**
 * An administrator of one host must not become more than that by taking over the account of somebody who is: nobody
 * acts on an account with more rights than their own, on whatever host. Also for accounts that do not exist yet:
 * the config may name them. Throws `forbidden`.
 */
export function mustBeAllowed(ctx: Context, run: CommandRun, account: JID): void {
  const { requester } = run
  if (!requester) return // the command line acts for the operator of the machine
  const { server } = ctx
  const above = server
    .hosts()
    .find(host => RANK[server.role(account, host)] > RANK[server.role(requester, host)])
  if (above) throw new StanzaError('forbidden', `${account.bare} has more rights than you have`)
}
