import type { Tx } from '../storage/types'
import type { SaslMechanism } from '../streams/mechanism'

/** The accounts of the hosts with accounts. User names are local parts, prepared (RFC 7622). */
export interface AccountApi {
  exists(user: string, host: string): Promise<boolean>
  /** The same inside a write unit, where it stays true until the unit ends. */
  existsIn(tx: Tx, user: string, host: string): Promise<boolean>
  /** Throws CodedError `ERR_ACCOUNT_EXISTS`, `ERR_ACCOUNT_NAME`, `ERR_PASSWORD`. */
  create(user: string, host: string, password: string): Promise<void>
  /** With everything that is the account's; ends its sessions. False if there was none. */
  remove(user: string, host: string): Promise<boolean>
  setPassword(user: string, host: string, password: string): Promise<boolean>
  checkPassword(user: string, host: string, password: string): Promise<boolean>
  /**
   * Bars the account from logging in and ends its sessions, or lets it in again; nothing of it is lost. Resolves
   * with whether that changed anything, undefined if there is no such account.
   */
  setDisabled(user: string, host: string, disabled: boolean): Promise<boolean | undefined>
  /** All accounts of a host, or those that are disabled. */
  count(host: string, options?: { disabled?: boolean }): Promise<number>
  /**
   * In the order in which they were made, in pages: `after` is the place of the last one of the page before. With
   * `disabled` those alone.
   */
  list(host: string, options: { after?: number; limit: number; disabled?: boolean }): Promise<ListedAccount[]>
  /** Where an account is in these lists; undefined if there is no such account. */
  place(user: string, host: string): Promise<number | undefined>
  /** The ways to log in with a password of these accounts: SCRAM-SHA-256, SCRAM-SHA-1, PLAIN. */
  mechanisms(): SaslMechanism[]
}

/** An account in a list. */
export interface ListedAccount {
  readonly user: string
  /** Where the next page goes on, also when this account is gone by then. */
  readonly place: number
}
