import { CodedError, StreamError } from '../errors'
import type { Host } from '../hosts/host'
import { JID } from '../jid'
import { isPromise } from '../events/hooks'
import type { Traced } from '../events/hooks'
import type {
  AccountCreatingEvent,
  AccountEvent,
  AccountNameEvent,
  AccountPurgeEvent
} from '../routing/events'
import { isDuplicate } from '../storage'
import type { Database, Tx } from '../storage'
import {
  decodeCredentials,
  DEFAULT_ITERATIONS,
  encodeCredentials,
  newCredentials,
  passwordMechanisms,
  verifyPassword,
  type Credentials,
  type SaslAccount,
  type SaslAccounts
} from '../streams/sasl'
import type { SaslMechanism } from '../streams/mechanism'
import type { AccountApi, ListedAccount } from './api'
import { AccountTable } from './table'

/** Characters in a password, at most: a derivation of a megabyte would be work for nothing. */
const MAX_PASSWORD = 1024

/** Milliseconds for which it is remembered that an account was removed or disabled: longer than anybody may take to log in. */
const REMEMBERED = 2 * 3_600_000

/** Accounts of a host that is purged, in one page. */
const PURGE = 100

/** The hosts of this server, as far as accounts must know them. */
export interface AccountHosts {
  get(name: string): Host | undefined
  all(): Iterable<Host>
}

export interface AccountEvents {
  passwordChanged(user: string, host: string): void
}

/** The accounts of the hosts with accounts. */
export class Accounts implements AccountApi, SaslAccounts {
  readonly iterations = DEFAULT_ITERATIONS
  readonly #db: Database
  readonly #table: AccountTable
  readonly #hosts: AccountHosts
  readonly #events: AccountEvents
  /** When accounts were removed lately, by JID, oldest first. */
  readonly #removals = new Map<string, number>()
  /** When accounts were disabled lately, in the same way. */
  readonly #disablings = new Map<string, number>()

  /** `secret` makes the salts of accounts that do not exist: it is kept as long as the database. */
  constructor(
    db: Database,
    readonly secret: Buffer,
    hosts: AccountHosts,
    events: AccountEvents
  ) {
    this.#db = db
    this.#table = new AccountTable(db)
    this.#hosts = hosts
    this.#events = events
  }

  async find(user: string, domain: string): Promise<SaslAccount | undefined> {
    const row = await this.#table.find(domain, user)
    return row && { credentials: decodeCredentials(row.credentials), disabled: row.disabled === 1 }
  }

  async exists(user: string, host: string): Promise<boolean> {
    // Who is connected is there; that spares the look-up on the way of most stanzas.
    if ((this.#hosts.get(host)?.sessions.of(user).size ?? 0) > 0) return true
    return (await this.#table.find(host, user)) !== undefined
  }

  async existsIn(tx: Tx, user: string, host: string): Promise<boolean> {
    return (await this.#table.findIn(tx, host, user)) !== undefined
  }

  async create(user: string, host: string, password: string): Promise<void> {
    const name = prepareUser(user, host)
    const target = this.#hostWithAccounts(host)
    const credentials = encodeCredentials(await this.#derive(password))
    try {
      await this.#db.write(async tx => {
        if (await this.#table.findIn(tx, host, name)) throw nameTaken(`${name}@${host}`)
        const jid = `${name}@${host}`
        for (const other of this.#hosts.all())
          await raise<AccountCreatingEvent>(other, 'account/creating', { jid, tx })
        await this.#table.insert(tx, host, name, credentials)
        await raise<AccountEvent>(target, 'account/created', { user: name, tx })
      })
    } catch (error) {
      throw isDuplicate(error) ? nameTaken(`${name}@${host}`) : error
    }
  }

  async remove(user: string, host: string): Promise<boolean> {
    const name = prepareUser(user, host)
    const target = this.#hostWithAccounts(host)
    if (!(await this.#table.find(host, name))) return false
    await raise<AccountNameEvent>(target, 'account/removing', { user: name })
    const removed = await this.#db.write(async tx => {
      const found = await this.#table.delete(tx, host, name)
      if (!found) return false
      await raise<AccountEvent>(target, 'account/removed', { user: name, tx })
      const jid = `${name}@${host}`
      for (const other of this.#hosts.all())
        await raise<AccountPurgeEvent>(other, 'account/purge', { jid, tx })
      await this.#db.purgeAccount(tx, host, name)
      return true
    })
    if (removed) {
      remember(this.#removals, `${name}@${host}`)
      // XEP-0077 §3.2: the streams of an account that is gone end with not-authorized.
      for (const session of [...target.sessions.of(name).values()]) {
        session.close(new StreamError('not-authorized', 'the account was removed'))
      }
    }
    return removed
  }

  /**
   * Deletes everything of a host that the config no longer has: its accounts, what other hosts keep of them, and the
   * rows of all modules. Resolves with how many accounts and rows that were.
   */
  async purgeHost(host: string): Promise<{ accounts: number; rows: number }> {
    let accounts = 0
    for (;;) {
      const page = await this.#table.list(host, 0, PURGE)
      for (const { user } of page) {
        const jid = `${user}@${host}`
        await this.#db.write(async tx => {
          await this.#table.delete(tx, host, user)
          for (const other of this.#hosts.all())
            await raise<AccountPurgeEvent>(other, 'account/purge', { jid, tx })
          await this.#db.purgeAccount(tx, host, user)
        })
        remember(this.#removals, jid)
      }
      accounts += page.length
      if (page.length < PURGE) return { accounts, rows: await this.#db.purgeHost(host) }
    }
  }

  /**
   * Whether an account of that name was removed since then: whoever was connected before is not the owner of
   * one that was made anew.
   */
  removedSince(user: string, host: string, time: number): boolean {
    const removed = this.#removals.size > 0 ? this.#removals.get(`${user}@${host}`) : undefined
    return removed !== undefined && removed >= time
  }

  /** Whether an account was disabled since then: who logged in before must not come in after. */
  disabledSince(user: string, host: string, time: number): boolean {
    const disabled = this.#disablings.size > 0 ? this.#disablings.get(`${user}@${host}`) : undefined
    return disabled !== undefined && disabled >= time
  }

  async setDisabled(user: string, host: string, disabled: boolean): Promise<boolean | undefined> {
    const name = prepareUser(user, host)
    const target = this.#hostWithAccounts(host)
    const before = await this.#db.write(async tx => {
      const row = await this.#table.findIn(tx, host, name)
      if (row) await this.#table.setDisabled(tx, host, name, disabled)
      return row?.disabled
    })
    if (before === undefined) return undefined
    if (disabled) {
      remember(this.#disablings, `${name}@${host}`)
      for (const session of [...target.sessions.of(name).values()]) {
        session.close(new StreamError('policy-violation', 'the account was disabled'))
      }
    }
    return (before === 1) !== disabled
  }

  async setPassword(user: string, host: string, password: string): Promise<boolean> {
    const name = prepareUser(user, host)
    this.#hostWithAccounts(host)
    const credentials = encodeCredentials(await this.#derive(password))
    const changed = await this.#db.write(tx => this.#table.setCredentials(tx, host, name, credentials))
    if (changed) this.#events.passwordChanged(name, host)
    return changed
  }

  async checkPassword(user: string, host: string, password: string): Promise<boolean> {
    const row = await this.#table.find(host, prepareUser(user, host))
    return (
      row !== undefined && row.disabled === 0 && verifyPassword(decodeCredentials(row.credentials), password)
    )
  }

  count(host: string, { disabled = false }: { disabled?: boolean } = {}): Promise<number> {
    return this.#table.count(host, disabled)
  }

  list(
    host: string,
    { after = 0, limit, disabled = false }: { after?: number; limit: number; disabled?: boolean }
  ): Promise<ListedAccount[]> {
    return this.#table.list(host, after, limit, disabled)
  }

  async place(user: string, host: string): Promise<number | undefined> {
    return (await this.#table.find(host, prepareUser(user, host)))?.id
  }

  mechanisms(): SaslMechanism[] {
    return passwordMechanisms(this)
  }

  #hostWithAccounts(name: string): Host {
    const host = this.#hosts.get(name)
    if (host?.type !== 'virtual')
      throw new CodedError('ERR_ACCOUNT_HOST', `${name} is no host with accounts of this server`)
    return host
  }

  async #derive(password: string): Promise<Credentials> {
    if (password === '') throw new CodedError('ERR_PASSWORD', 'the password is empty')
    if (password.length > MAX_PASSWORD) {
      throw new CodedError('ERR_PASSWORD', `the password is longer than ${MAX_PASSWORD} characters`)
    }
    try {
      return await newCredentials(password, { iterations: this.iterations })
    } catch (error) {
      throw new CodedError('ERR_PASSWORD', `the password cannot be used: ${(error as Error).message}`, {
        cause: error
      })
    }
  }
}

/** Notes that it happens now, and forgets what was longer ago than anybody may take to log in. */
function remember(times: Map<string, number>, jid: string): void {
  const now = Date.now()
  times.delete(jid) // to the end
  times.set(jid, now)
  for (const [old, time] of times) {
    if (now - time < REMEMBERED) return
    times.delete(old)
  }
}

/** The local part as RFC 7622 prepares it. */
function prepareUser(user: string, host: string): string {
  try {
    const jid = JID.of(user, host)
    if (jid.local !== '') return jid.local
  } catch (error) {
    throw new CodedError('ERR_ACCOUNT_NAME', (error as Error).message, { cause: error })
  }
  throw new CodedError('ERR_ACCOUNT_NAME', 'the name of the account is empty')
}

/** No account of that name can be made: for handlers of `account/creating`, who say what has it. */
export function nameTaken(jid: string, by?: string): CodedError {
  return new CodedError(
    'ERR_ACCOUNT_EXISTS',
    by === undefined ? `${jid} exists already` : `${jid} is the name of ${by}: choose another one`
  )
}

async function raise<E extends Traced>(host: Host, event: string, payload: E): Promise<void> {
  const result = host.hooks.run(event, payload)
  if (isPromise(result)) await result
}
