import { JID, z, type Context, type Store } from '#core'

const Granted = z.object({
  jids: z.array(z.string()),
  by: z.string(),
  /** Milliseconds since the epoch. */
  at: z.number()
})

type Granted = z.infer<typeof Granted>

const KEY = 'admins'

/** Who administers the host by command, beside those whom the config names: kept, and in force while this runs. */
export class Administrators {
  readonly #ctx: Context
  readonly #store: Store<Granted>
  /** What ends the role of each, by bare JID. */
  readonly #ends = new Map<string, () => void>()
  #hide = (): void => undefined

  constructor(ctx: Context) {
    this.#ctx = ctx
    this.#store = ctx.store('roles', Granted)
  }

  async load(): Promise<void> {
    this.#apply(await this.#store.get(KEY))
    // Who makes an account under that name later is somebody else
    this.#ctx.hook('account/purge', async ({ jid, tx }) => {
      if (!this.#ends.has(jid)) return
      const left = await this.#store.update(KEY, old => without(old, jid), tx)
      tx.afterCommit(() => this.#apply(left))
    })
  }

  /** Bare JIDs. */
  get granted(): string[] {
    return [...this.#ends.keys()]
  }

  /** Bare JIDs whom the config names; operators, who administer every host, are not among them. */
  get named(): string[] {
    const { server, host } = this.#ctx
    return server
      .administrators(host)
      .filter(jid => !this.#ends.has(jid) && server.role(JID.parse(jid), host) === 'admin')
  }

  /** Resolves when it is stored. */
  async grant(jids: string[], by: string): Promise<void> {
    const granted = jids.length > 0 ? { jids, by, at: Date.now() } : undefined
    await this.#store.update(KEY, () => granted)
    this.#apply(granted)
  }

  #apply(granted: Granted | undefined): void {
    this.#hide()
    this.#hide = (): void => undefined
    const wanted = new Set(granted?.jids)
    for (const [jid, end] of this.#ends) {
      if (wanted.has(jid)) continue
      this.#ends.delete(jid)
      end()
    }
    for (const jid of wanted)
      if (!this.#ends.has(jid)) this.#ends.set(jid, this.#ctx.add('administrator', { jid }))
    if (!granted) return
    const { jids, by, at } = granted
    this.#hide = this.#ctx.add('config-override', {
      option: 'admins',
      value: `also ${jids.join(', ')}`,
      by,
      at
    })
  }
}

function without(old: Granted | undefined, jid: string): Granted | undefined {
  const jids = old?.jids.filter(one => one !== jid) ?? []
  return old && jids.length > 0 ? { ...old, jids } : undefined
}
