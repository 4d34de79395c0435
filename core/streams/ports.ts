import type { AddressInfo, Server } from 'node:net'
import { CodedError } from '../errors'

/** Where a server listens; port 0 takes a free one. */
export interface Port {
  address: string
  port: number
}

interface Opened<P> {
  spec: P
  owner: string
  server: Server
}

/**
 * Listening sockets by address. They belong to core: a module says what it wants, and only the difference to
 * what it wanted before is opened and closed, so that its reload closes none.
 */
export class Ports<P extends Port> {
  readonly #open = new Map<string, Opened<P>>()

  /**
   * @param make the server for an address, not listening yet
   * @param kind what tells apart servers at the same address, '' for none
   */
  constructor(
    private readonly make: (spec: P, owner: string) => Server,
    private readonly kind: (spec: P) => string
  ) {}

  /**
   * Makes these the addresses of that owner and answers where it listens. Changes nothing when one cannot be
   * opened: throws CodedError `ERR_LISTEN`.
   */
  async claim(owner: string, specs: readonly P[]): Promise<P[]> {
    const wanted = new Map(specs.map(spec => [this.#key(spec, owner), spec]))
    const opened: Array<[string, Opened<P>]> = []
    try {
      for (const [key, spec] of wanted) {
        const known = this.#open.get(key)
        if (known?.owner === owner) continue
        if (known) throw new CodedError('ERR_LISTEN', `${place(spec)} is used by ${known.owner} already`)
        const server = this.make(spec, owner)
        await listen(server, spec)
        opened.push([key, { spec, owner, server }])
      }
    } catch (error) {
      for (const [, { server }] of opened) server.close()
      throw error
    }
    for (const [key, { owner: by, server }] of this.#open) {
      if (by !== owner || wanted.has(key)) continue
      server.close()
      this.#open.delete(key)
    }
    for (const [key, port] of opened) this.#open.set(key, port)
    return this.list(owner)
  }

  /** Where that owner listens, with the ports that were taken for 0; of all owners where none is given. */
  list(owner?: string): P[] {
    const ports = [...this.#open.values()].filter(port => owner === undefined || port.owner === owner)
    return ports.map(({ spec, server }) => ({ ...spec, port: (server.address() as AddressInfo).port }))
  }

  /** Accepts nothing more. */
  close(): void {
    for (const { server } of this.#open.values()) server.close()
    this.#open.clear()
  }

  /** Free ports are free for everybody. */
  #key(spec: P, owner: string): string {
    return `${this.kind(spec)} ${spec.address} ${spec.port === 0 ? `any of ${owner}` : spec.port}`
  }
}

function place({ address, port }: Port): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function listen(server: Server, spec: Port): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const why = REASONS[error.code ?? ''] ?? error.message
      reject(new CodedError('ERR_LISTEN', `cannot listen on ${place(spec)}: ${why}`, { cause: error }))
    }
    server.once('error', failed)
    server.listen({ host: spec.address, port: spec.port }, () => {
      server.off('error', failed)
      resolve()
    })
  })
}

const REASONS: Record<string, string> = {
  EADDRINUSE:
    'another program listens there. End it, or name another address or port in the config; a list that the config ' +
    'leaves out has its default, [] is none',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'ports below 1024 need a privilege (CAP_NET_BIND_SERVICE)'
}
