import {
  childOf,
  el,
  firstChild,
  HANDLED,
  NS,
  type DiscoNodeEvent,
  type Element,
  type Handled,
  type StanzaEvent
} from '#core'
import type { Page, PageRequest } from '../lib_pubsub'
import { asAnswer, metadataForm, pageElement, parsePage, PUBSUB, SHIM } from '../lib_pubsub/xml'
import { senderOf } from './sender'
import type { Pubsub } from './service'

/** disco#info of a node, with its meta-data (XEP-0060 §5.3, §5.4). */
export async function describeNode(pubsub: Pubsub, event: DiscoNodeEvent): Promise<Handled | void> {
  const { ctx, engine, stored } = pubsub
  if (!(await stored.node(event.node))) return
  const sender = senderOf(ctx, event.stanza)
  try {
    const metadata = await engine.metadata(stored, sender, { node: event.node })
    event.reply.children.push(
      el('identity', {
        category: 'pubsub',
        type: 'leaf',
        name: metadata.node.config.title || undefined
      }),
      el('feature', { var: PUBSUB }),
      el('feature', { var: NS.DISCO_INFO }),
      el('feature', { var: NS.DISCO_ITEMS }),
      metadataForm(engine.definition.fields, metadata)
    )
  } catch (error) {
    throw asAnswer(error)
  }
  return HANDLED
}

/** XEP-0131 §3.2: the headers that are used, where there are SubIDs. */
export function headers({ engine }: Pubsub, { node, reply }: DiscoNodeEvent): Handled | void {
  if (node !== SHIM || !engine.definition.multiSubscribe) return
  reply.children.push(
    el('identity', { category: 'pubsub', type: 'service' }),
    el('feature', { var: `${SHIM}#SubID` })
  )
  return HANDLED
}

/** disco#items: the nodes of the service (XEP-0060 §5.2), the items of a node (§5.5). */
export async function list(pubsub: Pubsub, event: DiscoNodeEvent): Promise<Handled | void> {
  const { ctx, engine, stored } = pubsub
  const jid = ctx.host.name
  const { node, reply, stanza } = event
  if (stanza.to.full !== jid) return
  const sender = senderOf(ctx, stanza)
  try {
    const page = pageOf(stanza)
    if (node === '') {
      const nodes = await engine.nodes(stored, sender, page && { page })
      const items = nodes.entries.map(({ name, config }) =>
        el('item', { jid, node: name, name: config.title || undefined })
      )
      reply.children.push(...items, ...setOf(nodes, page))
      return HANDLED
    }
    const found = await stored.node(node)
    if (!found) return
    if (!found.config.persist_items) return HANDLED
    const items = await engine.items(stored, sender, { node, ...(page && { page }) })
    reply.children.push(
      ...items.entries.map(({ id }) => el('item', { jid, name: id })),
      ...setOf(items, page)
    )
    return HANDLED
  } catch (error) {
    throw asAnswer(error)
  }
}

function pageOf({ stanza }: StanzaEvent): PageRequest | undefined {
  const query = firstChild(stanza)
  const set = query && childOf(query, 'set', NS.RSM)
  return set && parsePage(set)
}

/** A page is described where it was asked for, or where it is not the whole. */
function setOf(page: Page<unknown>, asked: PageRequest | undefined): Element[] {
  return asked || !page.complete ? [pageElement(page)] : []
}
