import type { SaslMechanism } from '../streams/mechanism'

/** The accounts of the hosts with accounts. User names are local parts, prepared (RFC 7622). */
export interface AccountApi {
  exists(user: string, host: string): Promise<boolean>
  /** Throws CodedError `ERR_ACCOUNT_EXISTS`, `ERR_ACCOUNT_NAME`, `ERR_PASSWORD`. */
  create(user: string, host: string, password: string): Promise<void>
  /** With everything that is the account's; ends its sessions. False if there was none. */
  remove(user: string, host: string): Promise<boolean>
  setPassword(user: string, host: string, password: string): Promise<boolean>
  checkPassword(user: string, host: string, password: string): Promise<boolean>
  count(host: string): Promise<number>
  /** In the order in which they were made, in pages: `after` is the place of the last one of the page before. */
  list(host: string, options: { after?: number; limit: number }): Promise<ListedAccount[]>
  /** The ways to log in with a password of these accounts: SCRAM-SHA-256, SCRAM-SHA-1, PLAIN. */
  mechanisms(): SaslMechanism[]
}

/** An account in a list. */
export interface ListedAccount {
  readonly user: string
  /** Where the next page goes on, also when this account is gone by then. */
  readonly place: number
}
