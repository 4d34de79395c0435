import { isDeepStrictEqual } from 'node:util'
import { childOf, childrenOf, childText, firstChild, textOf } from '../../../core/xml/element'
import type { Element } from '../../../core/xml/element'
import type { ConnectOptions } from '../../lib/client'
import type { Reachable } from '../../lib/wire'
import { CountingClient } from './counting-client'
import type { Numbers } from './numbers'

const PASSWORD = 'a password for tests'
const DOMAIN = 'localhost'
const PUBSUB = 'http://jabber.org/protocol/pubsub'
const TRANSPORTS: readonly ConnectOptions['transport'][] = ['tcp', 'tcp', 'tls', 'ws']

/** Milliseconds for what was sent to arrive, on a busy machine. */
const PATIENCE = 60_000

/** Contacts of each, which are renamed again and again. */
const CONTACTS = 5
/** Items of each on the plain node, which are replaced again and again. */
const ITEMS = 10

/** Of whom each publishes and changes the roster in every so many rounds: these write to the database. */
const WRITES_EVERY = 4

export interface CrowdOptions {
  size: number
  numbers: Numbers
  addUser(jid: string, password: string): Promise<void>
}

/**
 * People who send numbered messages, pings, roster sets and publications; each writes to the next, who follows them.
 */
export class Crowd {
  #round = 0
  /** How often each has changed their roster and published. */
  readonly #writes = new Map<CountingClient, number>()

  private constructor(
    readonly members: readonly CountingClient[],
    readonly numbers: Numbers
  ) {}

  /** Makes the accounts, logs everybody in over all transports, and has them follow each other. */
  static async gather(server: Reachable, { size, numbers, addUser }: CrowdOptions): Promise<Crowd> {
    const members: CountingClient[] = []
    for (let i = 0; i < size; i++) {
      const transport = TRANSPORTS[i % TRANSPORTS.length]
      const port = server.ports[transport ?? 'tcp']
      if (port === undefined) throw new Error(`the server does not listen for ${transport}`)
      await addUser(`${nameOf(i)}@${DOMAIN}`, PASSWORD)
      const member = new CountingClient(
        { port, domain: DOMAIN, transport, name: nameOf(i), timeout: PATIENCE },
        numbers
      )
      await member.connect()
      await member.login({ user: nameOf(i), password: PASSWORD, resource: 'crowd' })
      await member.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`)
      await member.sends('<presence/>')
      members.push(member)
    }
    for (const [i, member] of members.entries()) await prepare(member, nameOf(i))
    for (const [i, member] of members.entries()) await follow(member, nameOf((i + size - 1) % size))
    for (const member of members) {
      await member.forgets()
      member.count()
    }
    return new Crowd(members, numbers)
  }

  /**
   * Begins a round, in which each sends the next numbers. Returns what lets the next few of them speak. The first of
   * them, and every fourth from there, writes to the database.
   */
  round(): (count: number) => void {
    const n = ++this.#round
    const first = (WRITES_EVERY - (n % WRITES_EVERY)) % WRITES_EVERY
    const order = this.members.map((_, i) => (first + i) % this.members.length)
    return count => {
      for (const i of order.splice(0, count)) this.#speakOne(i)
    }
  }

  #speakOne(i: number): void {
    const { members, numbers } = this
    const member = members[i] as CountingClient // it is below their number
    const next = members[(i + 1) % members.length] as CountingClient
    const n = this.#round
    // RFC 6121 §8.5.2 and §8.5.3 lead to the same session
    const to = n % 3 === 0 ? `${nameOf((i + 1) % members.length)}@${DOMAIN}` : next.jid
    member.send(`<message type='chat' to='${to}'><body>${n}</body></message>`)
    const host = [DOMAIN, `pubsub.${DOMAIN}`, `channels.${DOMAIN}`][n % 3]
    member.send(`<iq type='get' id='ping-${n}' to='${host}'><ping xmlns='urn:xmpp:ping'/></iq>`)
    numbers.expect(2)
    if ((n + i) % WRITES_EVERY === 0) this.#write(i, member)
  }

  #write(i: number, member: CountingClient): void {
    const n = (this.#writes.get(member) ?? 0) + 1
    this.#writes.set(member, n)
    member.send(
      `<iq type='set' id='roster-${n}'><query xmlns='jabber:iq:roster'>` +
        `<item jid='contact-${n % CONTACTS}@example.org' name='${n}'/></query></iq>`
    )
    member.send(
      `<iq type='set' id='publish-${n}' to='pubsub.${DOMAIN}'><pubsub xmlns='${PUBSUB}'><publish node='${nameOf(i)}'>` +
        `<item id='${n % ITEMS}'><number xmlns='urn:balcony:test'>${n}</number></item></publish></pubsub></iq>`
    )
    member.send(
      `<iq type='set' id='post-${n}' to='channels.${DOMAIN}'><pubsub xmlns='${PUBSUB}'>` +
        `<publish node='${postsOf(i)}'><item><entry xmlns='http://www.w3.org/2005/Atom'><content>${n}</content></entry>` +
        `</item></publish></pubsub></iq>`
    )
    // Answer and push; answers; the owner follows their own channel
    this.numbers.expect(2 + 2 + 2 + 1)
  }

  /** Waits until no more than so many numbers are on their way. */
  caughtUp(left = 0): Promise<void> {
    return this.numbers.caughtUp(left, PATIENCE)
  }

  /** How many numbers are sent in one round, about. */
  get perRound(): number {
    return this.members.length * (2 + 7 / WRITES_EVERY)
  }

  /** Looks whether what was written last is what is there; from then on nothing is counted. Returns what is wrong. */
  async audit(): Promise<string[]> {
    const faults: string[] = []
    for (const [i, member] of this.members.entries()) {
      member.countNoMore()
      const writes = this.#writes.get(member) ?? 0
      const roster = await member.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`)
      const names = itemsOf(childOf(roster, 'query')).map(item => Number(item.attrs.name))
      const items = itemsOf(await nodeOf(member, `pubsub.${DOMAIN}`, nameOf(i), ITEMS))
      const posts = itemsOf(await nodeOf(member, `channels.${DOMAIN}`, postsOf(i), ITEMS))
      for (const [what, found, kept] of [
        ['roster', names, CONTACTS],
        ['items', items.map(item => Number(textOf(firstChild(item) ?? item))), ITEMS],
        ['posts', posts.map(item => Number(childText(childOf(item, 'entry') ?? item, 'content'))), ITEMS]
      ] as const) {
        const expected = Array.from({ length: Math.min(writes, kept) }, (_, back) => writes - back)
        const sorted = [...found].sort((a, b) => b - a)
        if (!isDeepStrictEqual(sorted, expected))
          faults.push(`${what} of ${member.name}: ${sorted.join(' ')} instead of ${expected.join(' ')}`)
      }
    }
    return faults
  }

  async leave(): Promise<void> {
    for (const member of this.members) await member.close()
  }

  destroy(): void {
    for (const member of this.members) {
      member.countNoMore()
      member.destroy()
    }
  }
}

function nameOf(i: number): string {
  return `voice${i}`
}

function postsOf(i: number): string {
  return `/user/${nameOf(i)}@${DOMAIN}/posts`
}

function itemsOf(list: Element | undefined): Element[] {
  return list ? childrenOf(list, 'item') : []
}

/** The newest items of a node. */
async function nodeOf(
  member: CountingClient,
  service: string,
  node: string,
  max: number
): Promise<Element | undefined> {
  const answer = await member.request(
    `<iq type='get' to='${service}'><pubsub xmlns='${PUBSUB}'><items node='${node}' max_items='${max}'/></pubsub></iq>`
  )
  return childOf(childOf(answer, 'pubsub') ?? answer, 'items')
}

async function asks(member: CountingClient, iq: string): Promise<void> {
  const answer = await member.request(iq)
  if (answer.attrs.type !== 'result')
    throw new Error(`${member.name}: ${iq} is answered by ${answer.toString()}`)
}

async function prepare(member: CountingClient, name: string): Promise<void> {
  await asks(
    member,
    `<iq type='set' to='pubsub.${DOMAIN}'><pubsub xmlns='${PUBSUB}'><create node='${name}'/></pubsub></iq>`
  )
  await asks(member, `<iq type='set' to='channels.${DOMAIN}'><query xmlns='jabber:iq:register'/></iq>`)
}

async function follow(member: CountingClient, whom: string): Promise<void> {
  const own = member.jid.split('/')[0]
  for (const [host, node] of [
    [`pubsub.${DOMAIN}`, whom],
    [`channels.${DOMAIN}`, `/user/${whom}@${DOMAIN}/posts`]
  ])
    await asks(
      member,
      `<iq type='set' to='${host}'><pubsub xmlns='${PUBSUB}'><subscribe node='${node}' jid='${own}'/></pubsub></iq>`
    )
}
