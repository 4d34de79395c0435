import { HANDLED, serialize, StanzaError, type HandlerResult } from '#core'
import { isAtom, nodeType, payloadFault, renderEntry, type Content, type Submission } from '../lib_channels'
import { PubsubError, type HookContext, type ItemDraft } from '../lib_pubsub'
import type { RateEvent } from './events'
import type { ChannelItem, ChannelNode, ItemColumns, ItemKind } from './model'
import type { ChannelStore } from './store/write-store'

/*
 * What somebody submits becomes an item of the channel (protoXEP §6.3): checked against what is there, completed
 * with what the server knows, inside the write unit.
 */

/** What completing entries asks of its surroundings. */
export interface Composition {
  /** What a post is called where its author says nothing. */
  readonly objectType: string
  /** Whether ratings are there. */
  canRate(): boolean
  rate(event: RateEvent): HandlerResult
}

type Context = HookContext<ChannelNode, ItemColumns>
type Draft = ItemDraft<ItemColumns>

/** The engine's hook `complete`. */
export async function complete(
  composition: Composition,
  draft: Draft,
  previous: ChannelItem | undefined,
  context: Context
): Promise<Draft> {
  const { node } = context
  const store = context.store as ChannelStore
  if (previous && previous.publisher !== draft.publisher) throw new PubsubError('forbidden')
  if (!previous && (await store.isBuried(node, draft.id))) {
    throw new StanzaError('not-acceptable', { type: 'modify', text: 'that item was deleted' })
  }
  // order of publication and order of time are the same within a node
  const updatedAt = Math.max(draft.updatedAt, node.lastItem)
  const stamped = { ...draft, updatedAt, createdAt: previous?.createdAt ?? updatedAt }
  if (!isAtom(node.type)) return asData(stamped, node, store)
  const { publication } = store
  if (publication?.fault) throw publication.fault
  if (publication?.submission === undefined) throw payloadFault('entry-element-required')
  return await asEntry(composition, stamped, publication.submission, previous, context)
}

function asData(draft: Draft, node: ChannelNode, { publication }: ChannelStore): Draft {
  const { root } = nodeType(node.type)
  if (publication?.root !== root) throw payloadFault('invalid-payload', `this node takes <${root}/>`)
  return { ...draft, extra: columns('data') }
}

async function asEntry(
  composition: Composition,
  draft: Draft,
  submission: Submission,
  previous: ChannelItem | undefined,
  context: Context
): Promise<Draft> {
  const { node, store } = context
  // told before anything else about the entry: who has no ratings cannot say what is wrong with one
  if (submission.rating !== undefined && !composition.canRate()) throw noRatings()
  const parent = await parentOf(submission, node, store as ChannelStore)
  const target = await targetOf(submission, parent, node, store as ChannelStore)
  const rating =
    submission.rating === undefined ? undefined : await rated(composition, submission.rating, parent, target)
  const kind: ItemKind = rating ? 'rating' : parent ? 'comment' : 'post'
  if (previous) checkEdit(previous, kind, parent)
  const content: Content | undefined = rating ? { type: 'text', text: rating.content } : submission.content
  if (content === undefined) throw payloadFault('content-element-required')
  const entry = renderEntry({
    id: draft.id,
    title: rating?.title ?? submission.title ?? (parent ? 'Comment' : 'Post'),
    published: draft.createdAt,
    updated: draft.updatedAt,
    author: draft.publisher,
    content,
    verb: rating?.verb ?? verbOf(submission),
    objectType: objectTypeOf(composition, submission, kind),
    ...(parent && { inReplyTo: parent.id }),
    ...(target && {
      target: { id: target.id, objectType: target.extra.kind === 'post' ? 'post' : 'comment' }
    }),
    ...(rating && { rating: rating.rating }),
    parts: submission
  })
  const extra = columns(kind, parent?.extra.key, target?.extra.key, rating?.rating)
  return { ...draft, payload: serialize(entry), extra }
}

/** protoXEP §6.3.2: threads have a depth of one. */
async function parentOf(
  { inReplyTo }: Submission,
  node: ChannelNode,
  store: ChannelStore
): Promise<ChannelItem | undefined> {
  if (inReplyTo === undefined) return undefined
  // a node with one item has no threads: the reply would take the place of what it answers
  const parent = nodeType(node.type).single ? undefined : await store.item(node, inReplyTo)
  if (parent === undefined) throw payloadFault('parent-item-not-found')
  if (parent.extra.parent !== undefined) throw payloadFault('max-thread-depth-exceeded')
  return parent
}

/** protoXEP §6.3.3: what is referred to is in the same thread. */
async function targetOf(
  { target: id }: Submission,
  parent: ChannelItem | undefined,
  node: ChannelNode,
  store: ChannelStore
): Promise<ChannelItem | undefined> {
  if (id === undefined) return undefined
  if (id === '') throw payloadFault('missing-target-id')
  if (parent === undefined) throw payloadFault('missing-in-reply-to')
  const target = await store.item(node, id)
  if (target === undefined) throw payloadFault('targeted-item-not-found')
  const { key } = parent.extra
  if (target.extra.key !== key && target.extra.parent !== key) throw payloadFault('target-outside-thread')
  return target
}

/** protoXEP §6.3.4: whoever has ratings says what is right and what it becomes. */
async function rated(
  composition: Composition,
  value: string,
  parent: ChannelItem | undefined,
  target: ChannelItem | undefined
): Promise<NonNullable<RateEvent['result']>> {
  const event: RateEvent = { value, parent, target }
  const handled = await composition.rate(event)
  if (handled !== HANDLED || event.result === undefined) throw noRatings()
  return event.result
}

function noRatings(): StanzaError {
  return new StanzaError('feature-not-implemented', 'ratings are not offered here')
}

/** An edit changes what an item says, not what it is or where it belongs. */
function checkEdit(previous: ChannelItem, kind: ItemKind, parent: ChannelItem | undefined): void {
  const { extra } = previous
  if (extra.kind === 'rating') throw unchangeable('a rating is changed by deleting it first')
  if (extra.kind !== kind || extra.parent !== parent?.extra.key) {
    throw unchangeable('an edit cannot make another kind of item, nor move it')
  }
}

function unchangeable(text: string): StanzaError {
  return new StanzaError('not-acceptable', { type: 'modify', text })
}

/** Only the server says that something is a rating. */
function verbOf({ verb }: Submission): string {
  return verb === undefined || verb === 'rated' ? 'post' : verb
}

function objectTypeOf({ objectType }: Composition, submission: Submission, kind: ItemKind): string {
  if (kind !== 'post') return 'comment'
  const given = submission.objectType
  return given === undefined || given === 'comment' ? objectType : given
}

function columns(kind: ItemKind, parent?: number, target?: number, rating?: number): ItemColumns {
  return { key: 0, kind, parent, target, rating }
}
