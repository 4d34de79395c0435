import {
  childOf,
  el,
  firstChild,
  HANDLED,
  NS,
  nsOf,
  renderForm,
  StanzaError,
  type DiscoNodeEvent,
  type Element,
  type FormDef,
  type FormValues,
  type Handled
} from '#core'
import { parseNodeName } from '../lib_channels'
import { showConfig } from '../lib_pubsub'
import { asAnswer, META_DATA, pageElement, parsePage, PUBSUB } from '../lib_pubsub/xml'
import type { ChannelActor } from './access'
import { CHANNEL_FIELDS } from './fields'
import { idOf, pageOfItems } from './items'
import { creatorOf, type ChannelNode } from './model'
import type { Channels } from './service'
import { NodeItems } from './store/item-source'
import type { ChannelReader } from './store/read-store'
import { mayView } from './view'

const SHOWN = CHANNEL_FIELDS.filter(field => field.metadata)

/** XEP-0060 §5.4 with protoXEP §4: what a node is. Name, title and description are everybody's to know (table 5). */
export async function nodeInfo(
  { engine, reader }: Channels,
  { node: name, reply }: DiscoNodeEvent,
  actor: ChannelActor
): Promise<Handled | void> {
  const parsed = parseNodeName(name)
  const node = parsed && (await reader.node(parsed.name))
  if (node === undefined) return
  const visible = await mayView(engine.definition, reader, actor, node.name)
  append(
    reply,
    el('identity', { category: 'pubsub', type: 'leaf', name: node.config.title }),
    el('feature', { var: PUBSUB }),
    metadata(node, {
      owners: await ownersOf(reader, node, visible),
      followers: visible ? await reader.countSubscribers(node) : undefined,
      actor
    })
  )
  return HANDLED
}

/** Table 5: for those who may see the followers. Else it is no more than the old servers' name for the creator. */
async function ownersOf(reader: ChannelReader, node: ChannelNode, visible: boolean): Promise<string[]> {
  if (!visible) return creatorOf(node)
  const { rows } = await reader.affiliations(node, { limit: 50 }, ['owner'])
  return rows.map(row => row.jid)
}

/** What a node tells about itself; how many follow is for those who may see who. */
function metadata(
  node: ChannelNode,
  { owners, followers, actor }: { owners: string[]; followers: number | undefined; actor: ChannelActor }
): Element {
  const def: FormDef = {
    formType: META_DATA,
    fields: [
      ...SHOWN.map(field => field.form),
      { var: 'pubsub#creation_date', label: 'When the channel was created' },
      { var: 'pubsub#creator', label: 'Who created the channel' },
      { var: 'pubsub#owner', type: 'jid-multi', label: 'Who owns the channel' },
      { var: 'pubsub#num_subscribers', label: 'The number of followers' }
    ]
  }
  const { config } = node
  const values: FormValues = {
    ...showConfig(SHOWN, config),
    'pubsub#creation_date': String(config.creation_date),
    'pubsub#owner': owners,
    'pubsub#num_subscribers': followers === undefined ? undefined : String(followers)
  }
  if (node.creator !== '') values['pubsub#creator'] = node.creator
  // protoXEP table 3: who is not from here sees a closed channel
  if (config.access_model === 'local' && !actor.local) values['pubsub#access_model'] = 'authorize'
  return renderForm(def, values, 'result')
}

/** The channels that are advertised, one item for each node (XEP-0060 §5.2). */
export async function nodeList(
  { engine, reader, name }: Channels,
  { stanza, reply }: DiscoNodeEvent,
  actor: ChannelActor
): Promise<void> {
  const query = firstChild(stanza.stanza)
  const set = query && childOf(query, 'set', NS.RSM)
  try {
    const page = set && parsePage(set)
    const listed = await engine.nodes(reader, actor, page ? { page } : {})
    append(
      reply,
      ...listed.entries.map(node => el('item', { jid: name, node: node.name, name: node.config.title })),
      ...(page || !listed.complete ? [pageElement(listed)] : [])
    )
  } catch (error) {
    throw asAnswer(error)
  }
}

/** The ids of the newest items (XEP-0060 §5.5), to whoever may read them. */
export async function itemList(
  channels: Channels,
  event: DiscoNodeEvent,
  actor: ChannelActor
): Promise<Handled | void> {
  const { reader, engine, config, name } = channels
  const parsed = parseNodeName(event.node)
  const node = parsed && (await reader.node(parsed.name))
  if (node === undefined) return
  if (!(await mayView(engine.definition, reader, actor, node.name))) throw new StanzaError('forbidden')
  const query = firstChild(event.stanza.stanza)
  const set = query && childOf(query, 'set', NS.RSM)
  try {
    const page = set && parsePage(set)
    const source = new NodeItems(reader, node, { parentOnly: false, noRatings: false })
    const { rows, ...info } = await pageOfItems(reader, node, source, { max: config.itemsPerPage, page })
    // places are counted with what was deleted, which is in no list of what is there
    if (node.tombstones > 0) {
      delete info.count
      delete info.index
    }
    append(
      event.reply,
      ...rows.flatMap(row => (row.item ? [el('item', { jid: name, name: idOf(reader, node, row) })] : [])),
      ...(page || !info.complete ? [pageElement(info)] : [])
    )
    return HANDLED
  } catch (error) {
    throw asAnswer(error)
  }
}

/** The domains of topics have no service of their own: they name it, as the deployed servers do. */
export function topicDomain(service: string, event: DiscoNodeEvent): Handled | void {
  if (event.node !== '') return
  if (nsOf(event.reply) === NS.DISCO_ITEMS) {
    append(event.reply, el('item', { jid: service, name: 'buddycloud-server' }))
  } else {
    append(
      event.reply,
      el('identity', { category: 'component', type: 'generic' }),
      el('feature', { var: NS.DISCO_INFO }),
      el('feature', { var: NS.DISCO_ITEMS })
    )
  }
  return HANDLED
}

function append(parent: Element, ...children: Element[]): void {
  for (const child of children) {
    child.parent = parent
    parent.children.push(child)
  }
}
