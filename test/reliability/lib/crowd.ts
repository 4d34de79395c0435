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

  /** Some of them send the next numbers: those from `first` on, every `step`th. */
  speak(first: number, step: number): void {
    if (first === 0) this.#round++
    for (let i = first; i < this.members.length; i += step) this.#speakOne(i)
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

  async leave(): Promise<void> {
    for (const member of this.members) member.countNoMore()
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
