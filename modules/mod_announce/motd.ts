import { randomUUID } from 'node:crypto'
import { z, type Context, type Store } from '#core'
import { announcement, inSlices, isReachable } from '../lib_announce'
import type { AnnounceConfig } from './index'
import { Text } from './text'

/** Each one that is set has an id: who has had that one does not get it again. */
const Message = Text.extend({ id: z.string() })
type Message = z.infer<typeof Message>

/** The message that an account has had. */
const Had = z.object({ id: z.string() })

const CURRENT = 'current'
/** There are marks of messages that are no more. */
const STALE = 'stale'
/** Marks in one page. */
const PAGE = 500

/**
 * The message of the day (XEP-0133 §4.24): to everybody once. Who has had it is kept with the account, one mark for
 * each account, and goes with the account and with the message.
 */
export class Motd {
  readonly #ctx: Context<AnnounceConfig>
  readonly #messages: Store<Message>
  readonly #stale: Store<boolean>
  readonly #had: Store<z.infer<typeof Had>>
  #current: Message | undefined
  #sweeping = false
  #sweepWanted = false

  constructor(ctx: Context<AnnounceConfig>) {
    this.#ctx = ctx
    this.#messages = ctx.store('motd', Message)
    this.#stale = ctx.store('motd_stale', z.boolean())
    this.#had = ctx.store('motd_had', Had, { owner: 'user' })
    // A mark that was written while an account was removed is not of the next one of that name
    ctx.hook('account/created', async ({ user, tx }) => void (await this.#had.delete(user, tx)))
  }

  async load(): Promise<void> {
    this.#current = await this.#messages.get(CURRENT)
    if (await this.#stale.get(STALE)) this.#sweepSoon()
  }

  get current(): Message | undefined {
    return this.#current
  }

  /** In place of the one there is, for everybody; resolves with how many have it at once. */
  async set(text: Text): Promise<number> {
    const message: Message = { ...text, id: randomUUID() }
    const replaced = this.#current !== undefined
    await this.#ctx.db.write(async tx => {
      await this.#messages.set(CURRENT, message, tx)
      if (replaced) await this.#stale.set(STALE, true, tx)
      tx.afterCommit(() => (this.#current = message))
    })
    if (replaced) this.#sweepSoon()
    return this.#sendToAll(message)
  }

  /** Other words for the same message, for those who have not had it; false if there is none. */
  async edit(text: Text): Promise<boolean> {
    const old = this.#current
    if (!old) return false
    const edited = await this.#ctx.db.write(async tx => {
      // It may have been deleted, or replaced, by somebody else at the same moment
      const message = await this.#messages.update(
        CURRENT,
        now => (now?.id === old.id ? { ...text, id: old.id } : now),
        tx
      )
      tx.afterCommit(() => (this.#current = message))
      return message?.id === old.id
    })
    return edited
  }

  /** False if there was none. */
  async delete(): Promise<boolean> {
    const deleted = await this.#ctx.db.write(async tx => {
      if (!(await this.#messages.delete(CURRENT, tx))) return false
      await this.#stale.set(STALE, true, tx)
      tx.afterCommit(() => (this.#current = undefined))
      return true
    })
    if (deleted) this.#sweepSoon()
    return deleted
  }

  /** Somebody can be sent messages from now on. */
  async came(user: string): Promise<void> {
    const message = this.#current
    if (message) await this.#sendTo([user], message)
  }

  async #sendToAll(message: Message): Promise<number> {
    const { host, signal } = this.#ctx
    let sent = 0
    await inSlices([...host.sessions.users()], signal, async some => {
      // Who cannot be sent messages now gets it when they can
      sent += await this.#sendTo(
        some.filter(user => isReachable(host, user)),
        message
      )
    })
    return sent
  }

  /** First it is written down, then it is sent: sessions that begin together get it once. */
  async #sendTo(users: readonly string[], message: Message): Promise<number> {
    if (users.length === 0) return 0
    const fresh = await this.#ctx.db.write(async tx => {
      const found: string[] = []
      // It may have been deleted or replaced by now
      if ((await this.#messages.get(CURRENT, tx))?.id !== message.id) return found
      for (const user of users) {
        if ((await this.#had.get(user, tx))?.id === message.id) continue
        await this.#had.set(user, { id: message.id }, tx)
        found.push(user)
      }
      return found
    })
    const { text, lang, id } = message
    const { name } = this.#ctx.host
    const subject = this.#ctx.config.motdSubject
    for (const user of fresh)
      this.#ctx.send(announcement(`${user}@${name}`, { from: name, text, subject, lang, id }))
    return fresh.length
  }

  #sweepSoon(): void {
    this.#sweepWanted = true
    if (this.#sweeping) return
    this.#sweeping = true
    this.#ctx.after(0, async () => {
      try {
        while (this.#sweepWanted && !this.#ctx.signal.aborted) await this.#sweep()
      } finally {
        this.#sweeping = false
      }
    })
  }

  /** Deletes the marks of messages that are no more. What is left when it is cut short is done at the next start. */
  async #sweep(): Promise<void> {
    this.#sweepWanted = false
    const { db, signal } = this.#ctx
    const current = this.#current?.id
    for (let after: string | undefined; !signal.aborted;) {
      const page = await this.#had.entries({ limit: PAGE, ...(after === undefined ? {} : { after }) })
      await db.write(async tx => {
        // By now somebody may have had a new one
        for (const { key } of page)
          await this.#had.update(key, had => (had?.id === this.#current?.id ? had : undefined), tx)
      })
      after = page.at(-1)?.key
      if (page.length < PAGE) break
    }
    if (signal.aborted) return
    await db.write(async tx => {
      if ((await this.#messages.get(CURRENT, tx))?.id === current) await this.#stale.delete(STALE, tx)
    })
  }
}
