import { randomUUID } from 'node:crypto'
import { z, type Context, type Store } from '#core'
import { announcement } from '../lib_announce'
import type { AnnounceConfig } from './index'
import { Text } from './text'

const CURRENT = 'current'

/**
 * The welcome message (XEP-0133 §4.27): to each account at its first login, however it was made. An account is marked
 * when it is made, and no longer new when it has logged in, also where nothing was there to be said.
 */
export class Welcome {
  readonly #ctx: Context<AnnounceConfig>
  readonly #messages: Store<Text>
  readonly #newcomers: Store<boolean>
  #current: Text | undefined

  constructor(ctx: Context<AnnounceConfig>) {
    this.#ctx = ctx
    this.#messages = ctx.store('welcome', Text)
    this.#newcomers = ctx.store('newcomers', z.boolean(), { owner: 'user' })
    ctx.hook('account/created', ({ user, tx }) => this.#newcomers.set(user, true, tx))
  }

  async load(): Promise<void> {
    this.#current = await this.#messages.get(CURRENT)
  }

  get current(): Text | undefined {
    return this.#current
  }

  async set(text: Text): Promise<void> {
    await this.#ctx.db.write(async tx => {
      await this.#messages.set(CURRENT, text, tx)
      tx.afterCommit(() => (this.#current = text))
    })
  }

  /** False if there was none. */
  async delete(): Promise<boolean> {
    return this.#ctx.db.write(async tx => {
      const deleted = await this.#messages.delete(CURRENT, tx)
      tx.afterCommit(() => (this.#current = undefined))
      return deleted
    })
  }

  /** Somebody can be sent messages from now on. */
  async came(user: string): Promise<void> {
    if (!(await this.#newcomers.get(user))) return
    // Of sessions that begin together one finds the mark
    if (!(await this.#newcomers.delete(user)) || !this.#current) return
    const { text, lang } = this.#current
    const { name } = this.#ctx.host
    const subject = this.#ctx.config.welcomeSubject
    this.#ctx.send(announcement(`${user}@${name}`, { from: name, text, subject, lang, id: randomUUID() }))
  }
}
