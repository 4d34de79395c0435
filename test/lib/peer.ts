import net from 'node:net'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import tls from 'node:tls'

export interface PeerTls {
  /** PEM */
  certificate?: string
  key?: string
  /** The name that is asked for. */
  servername?: string
}

export interface HeaderOptions {
  from?: string | undefined
  to?: string | undefined
  id?: string | undefined
  version?: string | undefined
  ns?: string
  /** Declares the namespace of dialback, as servers that know it do; on unless given. */
  dialback?: boolean
}

/** Milliseconds: long enough for a busy machine. */
const PATIENCE = 20_000

/** A stream header between servers, as it is written. */
export function serverHeader({ ns = 'jabber:server', dialback = true, ...attrs }: HeaderOptions): string {
  const written = Object.entries({ version: '1.0', ...attrs })
    .map(([name, value]) => (value === undefined ? '' : ` ${name}='${value}'`))
    .join('')
  return (
    `<?xml version='1.0'?><stream:stream xmlns='${ns}'` +
    (dialback ? ` xmlns:db='jabber:server:dialback'` : '') +
    ` xmlns:stream='http://etherx.jabber.org/streams'${written}>`
  )
}

/** One connection of a foreign server that says what the test tells it, and reads as text. */
export class Peer {
  /** What came and was not taken by `until`. */
  text = ''
  closed = false
  #socket: net.Socket
  readonly #changed = new Set<() => void>()

  constructor(socket: net.Socket) {
    this.#socket = socket
    this.#listen()
  }

  /** @param direct TLS from the first byte */
  static async connect(port: number, direct?: PeerTls): Promise<Peer> {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true })
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    const peer = new Peer(socket)
    if (direct) await peer.encrypt(direct)
    return peer
  }

  get socket(): net.Socket {
    return this.#socket
  }

  #listen(): void {
    const wake = (): void => {
      for (const changed of [...this.#changed]) changed()
    }
    this.#socket.setEncoding('utf8')
    this.#socket.on('data', (chunk: string) => {
      this.text += chunk
      wake()
    })
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => {
      this.closed = true
      wake()
    })
  }

  write(text: string): void {
    this.#socket.write(text)
  }

  /** Sends a header and waits for the one in return and the features. */
  async open(options: HeaderOptions): Promise<string> {
    this.write(serverHeader(options))
    return this.until('</stream:features>', '<stream:features/>')
  }

  /** Waits for one of these; takes and returns everything up to its end. */
  async until(...texts: string[]): Promise<string> {
    const find = (): number => {
      const ends = texts.flatMap(text => {
        const at = this.text.indexOf(text)
        return at < 0 ? [] : [at + text.length]
      })
      return ends.length === 0 ? -1 : Math.min(...ends)
    }
    await this.#when(() => find() >= 0 || this.closed, texts.join(' or '))
    const end = find()
    if (end < 0) throw new Error(`closed without ${texts.join(' or ')}; got: ${this.text.slice(-1000)}`)
    const taken = this.text.slice(0, end)
    this.text = this.text.slice(end)
    return taken
  }

  /** Waits for the end of the connection; returns what came before it. */
  async end(): Promise<string> {
    await this.#when(() => this.closed, 'the end of the connection')
    return this.text
  }

  async #when(done: () => boolean, what: string): Promise<void> {
    if (done()) return
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#changed.delete(changed)
        reject(new Error(`no ${what} within ${PATIENCE / 1000} s; got: ${this.text.slice(-1000)}`))
      }, PATIENCE)
      const changed = (): void => {
        if (!done()) return
        clearTimeout(timer)
        this.#changed.delete(changed)
        resolve()
      }
      this.#changed.add(changed)
    })
  }

  /** STARTTLS as the initiating entity. */
  async startTls(options: PeerTls = {}): Promise<void> {
    this.write(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`)
    await this.until('<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>')
    await this.encrypt(options)
  }

  /** Negotiates TLS as the client of the connection. */
  async encrypt({ certificate, key, servername }: PeerTls = {}): Promise<void> {
    const plain = this.#detach()
    const secure = tls.connect({
      socket: plain,
      rejectUnauthorized: false,
      ALPNProtocols: ['xmpp-server'],
      ...(servername === undefined ? {} : { servername }),
      ...(certificate === undefined ? {} : { cert: certificate, key })
    })
    this.#socket = secure
    this.#listen()
    await new Promise((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject))
  }

  /** Answers <starttls/> and negotiates TLS as the server of the connection. */
  async acceptTls({ certificate, key }: PeerTls, proceed = true): Promise<void> {
    if (proceed) {
      await this.until('<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>')
      this.write(`<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`)
    }
    const plain = this.#detach()
    const secure = new tls.TLSSocket(plain, {
      isServer: true,
      requestCert: true,
      rejectUnauthorized: false,
      secureContext: tls.createSecureContext({ cert: certificate, key })
    })
    this.#socket = secure
    this.#listen()
    await new Promise((resolve, reject) => secure.once('secure', resolve).once('error', reject))
  }

  #detach(): net.Socket {
    const plain = this.#socket
    plain.removeAllListeners('data').removeAllListeners('close')
    this.text = ''
    return plain
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

/** How a server of a test answers by itself. */
export interface AuthorityOptions {
  /** What it says of keys. */
  verdict?: 'valid' | 'invalid' | 'error' | 'silence'
}

/** A foreign server that others connect to. */
export class PeerServer {
  readonly peers: Peer[] = []
  #waiting: Array<(peer: Peer) => void> = []
  #taken = 0

  private constructor(private readonly server: net.Server) {
    server.on('connection', socket => {
      const peer = new Peer(socket)
      this.peers.push(peer)
      for (const waiting of this.#waiting.splice(0)) waiting(peer)
    })
  }

  static async listen(t: TestContext, port = 0): Promise<PeerServer> {
    const server = net.createServer()
    await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
    const made = new PeerServer(server)
    t.after(() => made.close())
    return made
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** The next connection that nobody has taken. */
  async next(): Promise<Peer> {
    while (this.peers.length <= this.#taken)
      await new Promise<Peer>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('nobody connects')), PATIENCE)
        this.#waiting.push(peer => {
          clearTimeout(timer)
          resolve(peer)
        })
      })
    return this.peers[this.#taken++] as Peer
  }

  /** The next connection, when its header has come and was answered with these features. */
  async nextStream(features: string, id = 'stream-1'): Promise<Peer> {
    const peer = await this.next()
    await answerHeader(peer, features, id)
    return peer
  }

  async close(): Promise<void> {
    for (const peer of this.peers) peer.destroy()
    await new Promise(resolve => this.server.close(resolve))
  }
}

/** Answers a stream header with one in return and features. */
export async function answerHeader(peer: Peer, features: string, id = 'stream-1'): Promise<void> {
  const dialback = features.includes('urn:xmpp:features:dialback')
  const header = await peer.until(`xml:lang='en'>`)
  const [, from] = / from='([^']*)'/.exec(header) ?? []
  const [, to] = / to='([^']*)'/.exec(header) ?? []
  peer.write(
    `${serverHeader({ from: to, to: from, id, dialback })}<stream:features>${features}</stream:features>`
  )
}

export const DIALBACK_FEATURE = `<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>`
export const STARTTLS_FEATURE = `<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`
export const ACKS_FEATURE = `<sm xmlns='urn:xmpp:sm:3'/>`
export const BIDI_FEATURE = `<bidi xmlns='urn:xmpp:features:bidi'/>`

/** The attributes of the first element of that name in a text. */
export function attrsOf(text: string, name: string): Record<string, string> {
  const tag = new RegExp(`<${name}([^>]*)>`).exec(text)?.[1] ?? ''
  return Object.fromEntries(
    [...tag.matchAll(/([\w:]+)=(?:'([^']*)'|"([^"]*)")/g)].map(m => [m[1], m[2] ?? m[3]])
  )
}
