import { createHash } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import type { TestContext } from 'node:test'
import { NS } from '../../core/xml/namespaces'
import { TcpChannel } from './channel'
import { Conversation } from './conversation'
import type { ConversationOptions } from './conversation'
import type { TestServer } from './server'

/** What shows that a component knows the secret (XEP-0114 §3). */
export function handshake(streamId: string, secret: string): string {
  return createHash('sha1')
    .update(streamId + secret)
    .digest('hex')
}

/** An external component that does what a test tells it and nothing else (XEP-0114). */
export class TestComponent extends Conversation {
  private constructor(
    readonly port: number,
    options: ConversationOptions
  ) {
    super(options)
  }

  /** Connects, and says nothing yet. The connection ends with the test. */
  static async connect(
    t: TestContext,
    port: number,
    domain: string,
    options: Partial<ConversationOptions & { host: string }> = {}
  ): Promise<TestComponent> {
    const component = new TestComponent(port, { domain, name: domain, ...options })
    const to = { host: options.host ?? '127.0.0.1', port, domain, timeout: component.timeout }
    component.channel = await TcpChannel.connect(to, component.listener(), false)
    t.after(() => component.destroy())
    return component
  }

  /** Connects and shakes hands. */
  static async attach(
    t: TestContext,
    port: number,
    domain: string,
    secret: string,
    options: Partial<ConversationOptions & { host: string }> = {}
  ): Promise<TestComponent> {
    const component = await TestComponent.connect(t, port, domain, options)
    await component.open()
    component.shakeHands(secret)
    await component.receives(`<handshake t:exact='yes'/>`)
    return component
  }

  /** Opens the stream and waits for the server's header, whose id is returned. */
  async open(attrs: Record<string, string> = {}): Promise<string> {
    this.channel.open({ xmlns: NS.COMPONENT, to: this.domain, ...attrs })
    await this.until(() => this.header !== undefined, 'the stream header')
    return this.header?.id ?? ''
  }

  shakeHands(secret: string): void {
    this.write(`<handshake>${handshake(this.header?.id ?? '', secret)}</handshake>`)
  }

  /** A stanza of a component names who sends it. */
  override async fence(to = 'localhost'): Promise<void> {
    await this.request(`<iq type='get' from='${this.domain}' to='${to}'><ping xmlns='urn:xmpp:ping'/></iq>`)
  }

  /** The server ends the stream with that error, and the connection. */
  async isRefused(condition: string): Promise<void> {
    await this.finds(`<stream:error><${condition} xmlns='${NS.STREAM_ERRORS}'/></stream:error>`)
    await this.isClosed()
  }
}

/** One connection of a component to a ScriptedServer. */
export class AcceptedComponent extends Conversation {
  constructor(socket: net.Socket, options: ConversationOptions) {
    super(options)
    const to = { host: '127.0.0.1', port: 0, domain: '', timeout: this.timeout }
    this.channel = TcpChannel.over(socket, to, this.listener())
  }

  /** Waits for the component's header and returns the name in it. */
  async opened(): Promise<string> {
    await this.until(() => this.header !== undefined, 'the stream header')
    return this.header?.to ?? ''
  }

  /** Answers the header with that stream id. */
  answers(id: string): void {
    const from = this.header?.to ?? ''
    this.write(
      `<stream:stream xmlns='${NS.COMPONENT}' xmlns:stream='${NS.STREAM}' from='${from}' id='${id}'>`
    )
  }

  /** Waits until the component has ended its stream. */
  async hearsEnd(): Promise<void> {
    await this.until(() => this.ended, 'the end of the stream')
  }

  /** All of it; the handshake must be the one that the secret asks for. Returns the component's name. */
  async takes(secret: string, id = 'the stream’s id'): Promise<string> {
    const name = await this.opened()
    this.answers(id)
    await this.receives(`<handshake>${handshake(id, secret)}</handshake>`)
    this.write('<handshake/>')
    return name
  }
}

/** Waits until so many of a server's components, or of its connections to others, are there. */
export async function connected({ server }: TestServer, count: number): Promise<void> {
  const end = Date.now() + 60_000
  const list = () => server.components.list()
  while (list().filter(one => one.connected).length !== count) {
    if (Date.now() > end) throw new Error(`${count} should be connected: ${JSON.stringify(list())}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** Waits until a connection to another server has failed for that reason. */
export async function failedBy({ server }: TestServer, why: RegExp): Promise<void> {
  const end = Date.now() + 60_000
  const problems = (): string =>
    server.components
      .list()
      .map(({ problem = '' }) => problem)
      .join('\n')
  while (!why.test(problems())) {
    if (Date.now() > end) throw new Error(`${why} is expected: ${problems()}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** A server that external components connect to: a test plays its part. */
export class ScriptedServer {
  readonly #server = net.createServer(socket => this.#accept(socket))
  readonly #sockets = new Set<net.Socket>()
  readonly #come: AcceptedComponent[] = []
  #wake = (): void => undefined
  port = 0
  /** How many connections there were. */
  count = 0

  static async listen(t: TestContext): Promise<ScriptedServer> {
    const server = new ScriptedServer()
    await server.start()
    t.after(() => server.stop())
    return server
  }

  /** Listens; at the same port as before, if it did before. */
  async start(): Promise<void> {
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as net.AddressInfo).port
  }

  /** Goes away with all its connections. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** The next connection. */
  async next(): Promise<AcceptedComponent> {
    while (this.#come.length === 0)
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('no component has connected in 15 s')), 15_000)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    return this.#come.shift() as AcceptedComponent
  }

  #accept(socket: net.Socket): void {
    this.count++
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    this.#come.push(new AcceptedComponent(socket, { domain: '', name: 'the scripted server' }))
    this.#wake()
  }
}
