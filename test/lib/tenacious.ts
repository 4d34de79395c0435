import { readCount } from '../../core/streams/smacks'
import { childText, nsOf, type Element } from '../../core/xml/element'
import { TestClient, type ConnectOptions } from './client'
import { PASSWORD } from './wire'

const SM = 'urn:xmpp:sm:3'
const REQUEST_EVERY = 7

/** One connection of a tenacious client: what comes is the client's to take. */
class Line extends TestClient {
  constructor(
    options: ConnectOptions,
    readonly heard: (stanza: Element) => void,
    readonly lost: () => void
  ) {
    super(options)
  }

  /** From here on nothing waits to be asked for. */
  live = false

  protected override listener() {
    const { stanza, closed, ...rest } = super.listener()
    return {
      ...rest,
      stanza: (element: Element) => (this.live ? this.heard(element) : stanza(element)),
      closed: () => {
        closed()
        this.lost()
      }
    }
  }
}

/**
 * A client that keeps its side of XEP-0198: it counts, remembers what it sent until that is acknowledged, and resumes
 * its session whenever the connection is lost. `dial` says where the next connection goes.
 */
export class Tenacious {
  /** The bodies that came, in order. */
  readonly received: string[] = []
  /** How often a session was resumed. */
  resumed = 0
  /** What went wrong; undefined as long as nothing has. */
  fault: unknown
  readonly #unacknowledged: string[] = []
  #previd = ''
  #acked = 0
  #h = 0
  #line: Line | undefined
  #stopped = false
  #busy: Promise<void> = Promise.resolve()

  constructor(
    readonly user: string,
    readonly resource: string,
    readonly dial: () => Pick<ConnectOptions, 'port' | 'transport'>
  ) {}

  get jid(): string {
    return `${this.user}@localhost/${this.resource}`
  }

  /** Everything that was sent is acknowledged. */
  get quiet(): boolean {
    return this.#unacknowledged.length === 0
  }

  /** The first connection, on which the session begins; it must hold. */
  async begin(port: number): Promise<void> {
    const line = await this.#connect({ port, transport: 'tcp' })
    await line.bind(this.resource)
    line.write(`<enable xmlns='${SM}' resume='true'/>`)
    this.#previd = String((await line.receives(`<enabled xmlns='${SM}'/>`)).attrs.id)
    this.#goLive(line)
  }

  /** Sends a stanza, now or when there is a connection again. */
  send(stanza: string): void {
    this.#unacknowledged.push(stanza)
    this.#line?.send(stanza)
    if (this.#unacknowledged.length % REQUEST_EVERY === 0) this.ask()
  }

  ask(): void {
    this.#line?.write(`<r xmlns='${SM}'/>`)
  }

  /** Drops the connection; the next follows at once. */
  cut(): void {
    this.#line?.destroy()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#line?.destroy()
    await this.#busy
  }

  async #connect(to: Pick<ConnectOptions, 'port' | 'transport'>): Promise<Line> {
    const line: Line = new Line(
      { ...to, domain: 'localhost', name: this.user, timeout: 20_000 },
      stanza => this.#heard(stanza),
      () => line.live && this.#again()
    )
    await line.connect()
    await line.open()
    await line.authenticate({ user: this.user, password: PASSWORD })
    return line
  }

  #goLive(line: Line): void {
    line.live = true
    this.#line = line
    for (const stanza of line.unread.splice(0)) this.#heard(stanza)
    if (line.closed) this.#again()
  }

  #again(): void {
    this.#line = undefined
    this.#busy = this.#busy.then(() => this.#resume()).catch((error: unknown) => void (this.fault ??= error))
  }

  async #resume(): Promise<void> {
    while (!this.#stopped && !this.#line && this.fault === undefined) {
      let line: Line | undefined
      try {
        line = await this.#connect(this.dial())
        line.write(`<resume xmlns='${SM}' previd='${this.#previd}' h='${this.#h}'/>`)
        const answer = await line.next('<resumed/>')
        if (answer.name !== 'resumed') throw new Refused(`${this.user} was answered ${answer.toString()}`)
        this.resumed++
        this.#takeAck(answer)
        this.#goLive(line)
        for (const stanza of this.#unacknowledged) line.send(stanza)
        this.ask()
      } catch (error) {
        line?.destroy()
        if (error instanceof Refused) throw error
      }
    }
  }

  #heard(stanza: Element): void {
    if (nsOf(stanza) === SM) {
      if (stanza.name === 'r') this.#line?.write(`<a xmlns='${SM}' h='${this.#h}'/>`)
      if (stanza.name === 'a') this.#takeAck(stanza)
      return
    }
    if (stanza.name === 'error') return
    this.#h++
    const body = childText(stanza, 'body')
    if (stanza.name === 'message' && body !== undefined) this.received.push(body)
  }

  #takeAck({ attrs }: Element): void {
    const h = readCount(attrs.h) ?? NaN
    const count = h - this.#acked
    if (!(count >= 0 && count <= this.#unacknowledged.length))
      return void (this.fault ??= new Error(`${this.user}: h is ${h}, after ${this.#acked} of ours`))
    this.#unacknowledged.splice(0, count)
    this.#acked = h
  }
}

class Refused extends Error {}
