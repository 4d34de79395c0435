import { connect, type Socket, type TcpNetConnectOpts } from 'node:net'
import type { Dns } from './dns'
import { DnsFailure, Unreachable } from './errors'
import { formatPlace, type Address } from './place'
import type { Target } from './targets'

export interface DialOptions {
  dns: Dns
  /** Ends it: rejects with its reason. */
  signal?: AbortSignal
  /** Milliseconds for all of it. */
  timeout?: number
  /** Milliseconds for one address. */
  attempt?: number
  /** Milliseconds until the next address is tried beside the ones before (RFC 8305 §5). */
  stagger?: number
  /** The same, where the next one is of a lower priority: RFC 2782 wants the first that can be reached. */
  lowerStagger?: number
  /** In place of Node's own, for tests. */
  connect?: (options: TcpNetConnectOpts) => Socket
}

export interface Dialled {
  /** Connected, half-open connections allowed; nothing is read or written yet. */
  socket: Socket
  target: Target
  address: string
  /** The targets behind that one: for when it connects, but does not speak the protocol. */
  later: Target[]
}

interface Candidate extends Address {
  target: Target
  index: number
}

const DEFAULTS = { timeout: 30_000, attempt: 10_000, stagger: 250, lowerStagger: 1500, connect }

/** Addresses that are tried for one domain. */
const MAX_ATTEMPTS = 30

/** Milliseconds until the kernel asks whether a silent peer is there. */
const TCP_KEEPALIVE = 120_000

/**
 * Connects to the first address that answers: in the targets' order, each a little after the one before, or at once
 * when that has failed (RFC 8305). All other sockets are destroyed. Throws Unreachable, or the signal's reason.
 */
export function dial(targets: readonly Target[], options: DialOptions): Promise<Dialled> {
  return new Race(targets, options).run()
}

class Race {
  readonly #options: Required<Omit<DialOptions, 'signal'>>
  readonly #signal: AbortSignal | undefined
  readonly #candidates: AsyncGenerator<Candidate, void>
  readonly #running = new Map<Socket, Candidate>()
  readonly #failures: string[] = []
  #attempts = 0
  /** A DNS server did not answer for one of the names. */
  #unknown = false
  /** The next to be tried; undefined while it is looked up. */
  #next: Candidate | undefined
  #exhausted = false
  #ended = false
  #stagger: NodeJS.Timeout | undefined
  #resolve!: (dialled: Dialled) => void // both are set by `run`, which comes first
  #reject!: (error: unknown) => void

  constructor(
    private readonly targets: readonly Target[],
    { signal, ...options }: DialOptions
  ) {
    this.#signal = signal
    this.#options = { ...DEFAULTS, ...options }
    this.#candidates = this.#find()
  }

  async run(): Promise<Dialled> {
    this.#signal?.throwIfAborted()
    const { timeout } = this.#options
    const timer = setTimeout(() => this.#fail(`no connection within ${timeout} ms`), timeout)
    const abort = (): void => this.#reject(this.#signal?.reason)
    this.#signal?.addEventListener('abort', abort)
    try {
      return await new Promise<Dialled>((resolve, reject) => {
        this.#resolve = resolve
        this.#reject = reject
        this.#lookUp()
      })
    } finally {
      this.#ended = true
      clearTimeout(timer)
      clearTimeout(this.#stagger)
      this.#signal?.removeEventListener('abort', abort)
      for (const socket of this.#running.keys()) socket.destroy()
    }
  }

  /** The addresses of all targets. */
  async *#find(): AsyncGenerator<Candidate, void> {
    let count = 0
    for (const [index, target] of this.targets.entries()) {
      for (const address of await this.#addresses(target)) {
        if (++count > MAX_ATTEMPTS) return
        yield { ...address, target, index }
      }
    }
  }

  async #addresses({ host }: Target): Promise<readonly Address[]> {
    try {
      const addresses = await this.#options.dns.addresses(host)
      if (addresses.length === 0) this.#failures.push(`${host} has no address`)
      return addresses
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error
      this.#unknown = true
      this.#failures.push(error.message)
      return []
    }
  }

  /** Gets the next candidate ready, and tries it when its time has come. */
  #lookUp(): void {
    this.#candidates.next().then(
      ({ value, done }) => {
        if (this.#ended) return
        if (done) this.#exhausted = true
        else this.#next = value // not done
        this.#schedule()
      },
      (error: unknown) => this.#reject(error)
    )
  }

  #schedule(): void {
    clearTimeout(this.#stagger)
    const next = this.#next
    if (!next) {
      if (this.#exhausted && this.#running.size === 0) this.#fail('')
      return
    }
    if (this.#running.size === 0) return this.#try(next)
    const higher = [...this.#running.values()].some(({ target }) => target.priority !== next.target.priority)
    const { stagger, lowerStagger } = this.#options
    this.#stagger = setTimeout(() => this.#try(next), higher ? lowerStagger : stagger)
  }

  #try(candidate: Candidate): void {
    this.#next = undefined
    this.#attempts++
    const { address: host, target } = candidate
    const socket = this.#options.connect({
      host,
      port: target.port,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEPALIVE
    })
    this.#running.set(socket, candidate)
    const { attempt } = this.#options
    const timer = setTimeout(() => socket.destroy(new Error(`no connection within ${attempt} ms`)), attempt)
    // It stays: what goes wrong until somebody else listens must not end the process.
    socket.on('error', ignore)
    const failed = (error?: NodeJS.ErrnoException): void => {
      clearTimeout(timer)
      if (!this.#running.delete(socket) || this.#ended) return
      const why = error?.code ?? error?.message ?? 'closed'
      this.#failures.push(`${formatPlace({ host, port: target.port })}: ${why}`)
      this.#afterFailure(target)
    }
    const closed = (): void => failed()
    socket.once('error', failed).once('close', closed)
    socket.once('connect', () => {
      clearTimeout(timer)
      if (this.#ended) return
      socket.off('error', failed).off('close', closed)
      this.#running.delete(socket)
      const later = this.targets.slice(candidate.index + 1)
      this.#resolve({ socket, target, address: host, later })
    })
    this.#lookUp()
  }

  /** The next one need not wait, unless better ones than that are still being tried. */
  #afterFailure(failed: Target): void {
    const next = this.#next
    if (!next) return this.#schedule()
    const better = [...this.#running.values()].some(({ target }) => target.priority < next.target.priority)
    if (better) return
    clearTimeout(this.#stagger)
    if (failed.priority <= next.target.priority) this.#try(next)
  }

  #fail(why: string): void {
    const details = [...this.#failures, why].filter(text => text !== '').join('; ')
    this.#reject(this.#error(details))
  }

  /** RFC 6120 §8.3.3.16, §8.3.3.17. */
  #error(details: string): Unreachable {
    if (this.#unknown || !this.#exhausted) return new Unreachable('remote-server-timeout', details)
    if (this.#attempts === 0) return new Unreachable('remote-server-not-found', details)
    // An address alone, without SRV or a route, does not say that there ever was a server.
    const guessed = this.targets.every(({ by }) => by === 'address')
    return guessed
      ? new Unreachable('remote-server-not-found', details, true)
      : new Unreachable('remote-server-timeout', details)
  }
}

function ignore(): void {
  // whoever uses the socket listens too
}
