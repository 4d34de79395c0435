import assert from 'node:assert/strict'
import { childOf, childrenOf, childText, firstChild, nsOf, textOf } from '../../../core/xml/element'
import type { Element } from '../../../core/xml/element'
import type { Player } from '../../lib/wire'
import { NODES, rosterOf, runs } from '../../modules/mod_server_buddy/hosts'
import { Counter, Ledger } from './ledger'

const PUBSUB = 'http://jabber.org/protocol/pubsub'
const ROSTER = 'jabber:iq:roster'
const RSM = 'http://jabber.org/protocol/rsm'
const ATOM = 'http://www.w3.org/2005/Atom'
const PAGE = 100

/** One kind of load: changes that are asked for until the server is killed, and what must be there afterwards. */
export interface Changes {
  /** How many may be under way at a time. */
  readonly window: number
  /** One change, acknowledged when it resolves. */
  change(person: Player): Promise<void>
  /** Looks what is there, and says what is wrong. */
  audit(person: Player): Promise<string[]>
}

async function result(person: Player, iq: string): Promise<Element> {
  const answer = await person.request(iq)
  assert.equal(answer.attrs.type, 'result', `${iq} is answered by ${answer.toString()}`)
  return answer
}

/** Publications without an id of the client's own, so that one that came twice would be two. */
export class Publications implements Changes {
  readonly window = 10
  readonly ledger: Ledger
  #n = 0

  constructor(
    readonly service: string,
    readonly node: string,
    readonly payload: (n: number) => string
  ) {
    this.ledger = new Ledger(node)
  }

  async change(person: Player): Promise<void> {
    const n = ++this.#n
    this.ledger.asked(`${n}`)
    await result(
      person,
      `<iq type='set' to='${this.service}'><pubsub xmlns='${PUBSUB}'><publish node='${this.node}'>` +
        `<item>${this.payload(n)}</item></publish></pubsub></iq>`
    )
    this.ledger.acknowledged(`${n}`)
  }

  /** Somebody was notified: nothing is told before its commit (design §5). */
  told(stanza: Element): void {
    const items = childOf(childOf(stanza, 'event') ?? stanza, 'items')
    if (items?.attrs.node !== this.node) return
    for (const item of childrenOf(items, 'item')) this.ledger.acknowledged(numberOf(item))
  }

  async audit(person: Player): Promise<string[]> {
    const found: string[] = []
    const ids: string[] = []
    for (let after = ''; ;) {
      const answer = await result(
        person,
        `<iq type='get' to='${this.service}'><pubsub xmlns='${PUBSUB}'><items node='${this.node}'/>` +
          `<set xmlns='${RSM}'><max>${PAGE}</max>${after}</set></pubsub></iq>`
      )
      const pubsub = childOf(answer, 'pubsub', PUBSUB)
      const items = childrenOf(childOf(pubsub ?? answer, 'items') ?? answer, 'item')
      found.push(...items.map(numberOf))
      ids.push(...items.map(item => item.attrs.id as string))
      const last = childText(childOf(pubsub ?? answer, 'set', RSM) ?? answer, 'last')
      if (items.length === 0 || last === undefined) break
      after = `<after>${last}</after>`
    }
    assert.equal(new Set(ids).size, ids.length, `an id is used twice in ${this.node}`)
    return this.ledger.audit(found)
  }
}

function numberOf(item: Element): string {
  const payload = firstChild(item)
  if (!payload) return 'no payload'
  return (nsOf(payload) === ATOM ? childText(payload, 'content') : textOf(payload)) ?? ''
}

/** Contacts that come and go, and one that is renamed. */
export class RosterChanges implements Changes {
  readonly window = 6
  readonly contacts = new Ledger('contacts')
  readonly name = new Counter('the name of a contact')
  #n = 0

  async change(person: Player): Promise<void> {
    const n = ++this.#n
    if (n % 3 === 0) return this.#rename(person)
    await this.#set(person, `${n}@example.org`, true)
    const old = `${n - 100}@example.org`
    if (this.contacts.has(old)) await this.#set(person, old, false)
  }

  async #rename(person: Player): Promise<void> {
    const n = ++this.name.asked
    await result(person, set(`renamed@example.org`, `name='${n}'`))
    this.name.acknowledged = Math.max(this.name.acknowledged, n)
  }

  async #set(person: Player, jid: string, there: boolean): Promise<void> {
    this.contacts.asked(jid)
    await result(person, set(jid, there ? '' : `subscription='remove'`))
    this.contacts.acknowledged(jid, there)
  }

  async audit(person: Player): Promise<string[]> {
    const answer = await result(person, `<iq type='get'><query xmlns='${ROSTER}'/></iq>`)
    const items = childrenOf(childOf(answer, 'query', ROSTER) ?? answer, 'item')
    const renamed = items.filter(item => item.attrs.jid === 'renamed@example.org')
    const others = items.filter(item => !renamed.includes(item))
    return [
      ...this.contacts.audit(others.map(item => item.attrs.jid as string)),
      ...(renamed.length > 1 ? ['the renamed contact is there twice'] : []),
      ...this.name.audit(Number(renamed[0]?.attrs.name ?? 0))
    ]
  }
}

function set(jid: string, attrs: string): string {
  return `<iq type='set'><query xmlns='${ROSTER}'><item jid='${jid}' ${attrs}/></query></iq>`
}

/** Buddies of a host that an administrator asks for and removes. */
export class BuddyChanges implements Changes {
  readonly window = 1
  readonly ledger = new Ledger('buddies')
  #n = 0

  constructor(readonly host: string) {}

  async change(person: Player): Promise<void> {
    const n = ++this.#n
    const peer = peerNamed(n)
    this.ledger.asked(peer)
    await this.#completes(person, NODES.request, { peerjid: peer })
    this.ledger.acknowledged(peer)
    const old = peerNamed(n - 20)
    if (!this.ledger.has(old)) return
    this.ledger.asked(old)
    await this.#completes(person, NODES.remove, { peers: [old] })
    this.ledger.acknowledged(old, false)
  }

  async #completes(person: Player, node: string, said: Record<string, string | string[]>): Promise<void> {
    const answer = (await runs(person, this.host, node, said)).toString()
    assert.match(answer, /status="completed"/, `${node} ${JSON.stringify(said)}: ${answer}`)
  }

  async audit(person: Player): Promise<string[]> {
    return this.ledger.audit(Object.keys(await rosterOf(person, this.host)))
  }
}

function peerNamed(n: number): string {
  return `peer${n}.example.org`
}
