import { el, frozen, NS, type Context, type Element, type ItemTypes } from '#core'
import type { DiscoConfig } from './index'

const KINDS = [
  'disco-feature',
  'disco-identity',
  'disco-form'
] as const satisfies readonly (keyof ItemTypes)[]

/** disco#info of the host: made once, again when an item comes or goes. */
export class HostInfo {
  readonly #ctx: Context<DiscoConfig>
  #reply: Element | undefined

  constructor(ctx: Context<DiscoConfig>) {
    this.#ctx = ctx
    const changed = (): void => {
      this.#reply = undefined
    }
    for (const kind of KINDS) ctx.watch(kind, { added: changed, removed: changed })
    ctx.reconfigure(() => {
      changed()
      return true
    })
  }

  reply(): Element {
    return (this.#reply ??= frozen(this.#build()))
  }

  #build(): Element {
    const { host, config } = this.#ctx
    const identities = this.#ctx.items('disco-identity')
    const own = {
      category: host.type === 'virtual' ? 'server' : 'component',
      type: host.type === 'virtual' ? 'im' : 'generic'
    }
    // XEP-0030 §3.1: at least one identity.
    const all = host.type === 'virtual' || identities.length === 0 ? [own, ...identities] : identities
    const features = [...new Set(this.#ctx.items('disco-feature'))].sort()
    return el(
      'query',
      NS.DISCO_INFO,
      all.map(identity => el('identity', { name: config.name, ...identity })),
      features.map(feature => el('feature', { var: feature })),
      this.#ctx.items('disco-form')
    )
  }
}
