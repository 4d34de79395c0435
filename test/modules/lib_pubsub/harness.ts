import assert from 'node:assert/strict'
import { bareOf, defineService, PubsubError, PubsubService } from '../../../modules/lib_pubsub'
import type {
  Actor,
  ConfigChanges,
  DefinitionOptions,
  ErrorName,
  Node,
  Notification,
  Outcome,
  PayloadSummary
} from '../../../modules/lib_pubsub'
import { MemoryStore } from './memory-store'

export const HAMLET = 'hamlet@denmark.lit'
export const FRANCISCO = 'francisco@denmark.lit'
export const BERNARDO = 'bernardo@denmark.lit'
export const BARD = 'bard@shakespeare.lit'
export const NODE = 'princely_musings'

export function actor(jid: string): Actor {
  return { jid, bare: bareOf(jid) }
}

/** A payload in Atom's namespace with that text. */
export function entry(text = ''): PayloadSummary {
  const ns = 'http://www.w3.org/2005/Atom'
  return { xml: `<entry xmlns="${ns}">${text}</entry>`, name: 'entry', ns }
}

/** A service on a store in memory, with a clock that counts and ids that can be foretold. */
export class Bench<X = unknown> {
  readonly store = new MemoryStore<X>()
  readonly service: PubsubService<Node, X>
  #clock = 1000
  #ids = 0

  constructor(options: DefinitionOptions<Node, X> = {}) {
    const now = () => ++this.#clock
    const newId = () => `id-${++this.#ids}`
    this.service = new PubsubService(defineService<Node, X>({ now, newId, ...options }))
  }

  /** Hamlet's node, with the others' affiliations. */
  async node(config: ConfigChanges = {}, affiliations: Record<string, string> = {}): Promise<this> {
    await this.service.create(this.store, actor(HAMLET), { node: NODE, config })
    const changes = Object.entries(affiliations).map(([jid, affiliation]) => ({ jid, affiliation }))
    const { result } = await this.service.changeAffiliations(this.store, actor(HAMLET), {
      node: NODE,
      changes
    })
    assert.deepEqual(result.rejected, [])
    return this
  }

  async publish(jid: string, id: string | undefined, text = 'x') {
    return await this.service.publish(this.store, actor(jid), {
      node: NODE,
      item: { ...(id !== undefined && { id }), payload: entry(text) }
    })
  }

  async subscribe(jid: string) {
    return await this.service.subscribe(this.store, actor(jid), { node: NODE, jid })
  }

  /** The affiliation and the subscription states of an entity, as `member subscribed`. */
  async standing(bare: string): Promise<string> {
    const node = this.store.node(NODE)
    assert.ok(node)
    const states = this.store.subscriptions(node, bare).map(one => one.state)
    return await Promise.resolve([this.store.affiliation(node, bare), ...states].join(' '))
  }

  async ids(jid = HAMLET): Promise<string[]> {
    const page = await this.service.items(this.store, actor(jid), { node: NODE })
    return page.entries.map(item => item.id)
  }

  /** The request is refused with that error, and nothing has changed. */
  async refuses(
    request: Promise<unknown>,
    error: ErrorName,
    details: { feature?: string; uri?: string } = {}
  ) {
    const before = this.store.dump()
    await assert.rejects(request, (thrown: unknown) => {
      assert.ok(thrown instanceof PubsubError, String(thrown))
      assert.equal(thrown.error, error)
      if (details.feature) assert.equal(thrown.feature, details.feature)
      if (details.uri) assert.equal(thrown.uri, details.uri)
      return true
    })
    assert.deepEqual(this.store.dump(), before)
  }
}

/** What an outcome tells to whom: `items:id -> jid jid`. */
export function told(outcome: Outcome<unknown>): string[] {
  return outcome.notifications.map(one => `${summary(one)} -> ${[...one.recipients].sort().join(' ')}`)
}

/** The same with a line for each message, SubIDs by `name`, and what else is special about it. */
export function messages(outcome: Outcome<unknown>, name: (subId: string) => string): string[] {
  return outcome.notifications.flatMap(one => {
    const { event, subIds, body } = one
    const named = 'subId' in event && event.subId !== undefined ? [event.subId] : (subIds ?? [])
    const mark = named.length > 0 ? `#${named.map(name).join(',')}` : ''
    const end = 'expiry' in event && event.expiry !== undefined ? '!' : ''
    return one.recipients.map(jid => `${summary(one)}${mark}${body ? '+body' : ''}${end} -> ${jid}`)
  })
}

function summary({ event }: Notification): string {
  switch (event.kind) {
    case 'items':
      return `items:${event.item?.id ?? ''}`
    case 'retract':
      return `retract:${event.ids.join(',')}`
    case 'subscription':
      return `subscription:${event.jid}=${event.state}`
    case 'affiliation':
      return `affiliation:${event.jid}=${event.affiliation}`
    case 'approval':
      return `approval:${event.jid}`
    case 'delete':
      return `delete:${event.redirect ?? ''}`
    case 'configuration':
      return `configuration:${event.config ? 'payload' : ''}`
    case 'purge':
      return 'purge'
  }
}
