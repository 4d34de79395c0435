import {
  defineModule,
  el,
  HANDLED,
  NS,
  StanzaError,
  z,
  type Context,
  type Element,
  type StanzaEvent
} from '#core'
import { accountInfo } from './account'
import { HostInfo } from './host-info'

const config = z.object({
  name: z.string().optional().describe('The name of the host in its disco identity.'),
  items: z
    .array(
      z.object({
        jid: z.string().describe('Its address.'),
        name: z.string().optional().describe('Its name.')
      })
    )
    .default([])
    .describe(
      'Further services to list in disco#items, besides the components of this server below this host.'
    )
})

export type DiscoConfig = z.infer<typeof config>

/** XEP-0030: what the host is and can do, summed up from the items of all its modules. */
export default defineModule({
  name: 'disco',
  description: 'Service discovery (XEP-0030)',
  on: ['virtual', 'component'],
  config,
  setup(ctx) {
    ctx.add('disco-feature', NS.DISCO_INFO)
    ctx.add('disco-feature', NS.DISCO_ITEMS)
    const info = new HostInfo(ctx)

    ctx.iq('get', 'host', NS.DISCO_INFO, 'query', (event, query) =>
      answer(ctx, 'disco/info', event, query, () => info.reply())
    )
    ctx.iq('get', 'host', NS.DISCO_ITEMS, 'query', (event, query) => hostItems(ctx, event, query))
    if (ctx.host.type !== 'virtual') return
    ctx.iq('get', 'bare', NS.DISCO_INFO, 'query', (event, query) =>
      answer(ctx, 'disco/info', event, query, () => accountInfo(ctx, event))
    )
    ctx.iq('get', 'bare', NS.DISCO_ITEMS, 'query', (event, query) =>
      answer(ctx, 'disco/items', event, query, () => ownAccount(event, el('query', NS.DISCO_ITEMS)))
    )
  }
})

/** Nodes and further domains are other modules' business; without a node the host or account answers itself. */
function answer(
  ctx: Context,
  chain: 'disco/info' | 'disco/items',
  event: StanzaEvent,
  query: Element,
  own: () => Element
): Element | Promise<Element> {
  const node = nodeOf(query)
  if (node === '' && event.to.domain === ctx.host.name) return own()
  return ask(ctx, chain, event, node, empty(query, node))
}

/** The host's own list: modules may add what they do not keep as items (the nodes of a pubsub service). */
function hostItems(
  ctx: Context<DiscoConfig>,
  event: StanzaEvent,
  query: Element
): Element | Promise<Element> {
  const node = nodeOf(query)
  const own = node === '' && event.to.domain === ctx.host.name
  return ask(ctx, 'disco/items', event, node, own ? listItems(ctx) : empty(query, node))
}

function nodeOf(query: Element): string {
  return query.attrs.node ?? ''
}

function empty(query: Element, node: string): Element {
  return el('query', { xmlns: query.attrs.xmlns as string, node: node === '' ? undefined : node })
}

function ask(
  ctx: Context,
  chain: 'disco/info' | 'disco/items',
  event: StanzaEvent,
  node: string,
  reply: Element
): Element | Promise<Element> {
  const handled = ctx.run(chain, { stanza: event, node, reply })
  if (handled instanceof Promise) return handled.then(result => found(result, reply, node))
  return found(handled, reply, node)
}

function found(handled: typeof HANDLED | void, reply: Element, node: string): Element {
  if (handled === HANDLED) return reply
  if (node === '') return reply
  throw new StanzaError('item-not-found', 'no such node') // XEP-0030 §3.2, §7
}

/** What an account has is told to its owner only: others must not learn whether it exists (RFC 6121 §8.5.1). */
function ownAccount(event: StanzaEvent, reply: Element): Element {
  if (event.from.bare !== event.to.bare) throw new StanzaError('service-unavailable')
  return reply
}

function listItems(ctx: Context<DiscoConfig>): Element {
  const below = ctx.server
    .hosts()
    .filter(host => host.type === 'component' && host.name.endsWith(`.${ctx.host.name}`))
    .map(host => ({
      jid: host.name,
      name: undefined as string | undefined,
      node: undefined as string | undefined
    }))
  const offered = ctx.items('disco-item')
  return el(
    'query',
    NS.DISCO_ITEMS,
    [...below, ...ctx.config.items, ...offered].map(item => el('item', { ...item }))
  )
}

declare module '#core' {
  interface ItemTypes {
    /** An item of the host in disco#items. */
    'disco-item': { jid: string; node?: string; name?: string }
    /** A feature of every account of the host, in disco#info of the bare JID. */
    'account-feature': string
    /** A form in disco#info of the host (XEP-0128). */
    'disco-form': Element
  }
}
