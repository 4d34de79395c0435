import net from 'node:net'
import type { AddressInfo } from 'node:net'

/** How a connection is cut. */
export type Cut = 'fin' | 'reset'

/** A relay that cuts each connection after some bytes of the client: a network that fails at any point. */
export class CuttingProxy {
  readonly #server: net.Server
  readonly #sockets = new Set<net.Socket>()

  private constructor(
    readonly target: number,
    readonly plan: () => { after: number; how: Cut }
  ) {
    this.#server = net.createServer(socket => this.#relay(socket))
  }

  /** `target` is a port of this machine; `plan` is asked for each connection. */
  static async start(target: number, plan: () => { after: number; how: Cut }): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target, plan)
    await new Promise<void>(listens => proxy.#server.listen(0, '127.0.0.1', listens))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(stopped => this.#server.close(stopped))
  }

  #relay(client: net.Socket): void {
    const server = net.connect(this.target, '127.0.0.1')
    const { after, how } = this.plan()
    let left = after
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    client.on('data', (chunk: Buffer) => {
      server.write(chunk.subarray(0, left))
      left -= chunk.length
      if (left > 0) return
      // What was written is sent before the end, and may be lost by a reset
      if (how === 'fin') server.end()
      else server.resetAndDestroy()
      client.destroy()
    })
    server.on('data', (chunk: Buffer) => client.write(chunk))
  }
}
