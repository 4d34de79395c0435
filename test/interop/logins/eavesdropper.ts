import { once } from 'node:events'
import net from 'node:net'
import type { AddressInfo } from 'node:net'

/** RFC 8446 §4.2.1: the extension supported_versions with which a server says that it is TLS 1.3. */
const CHOSE_TLS13 = Buffer.from([0, 0x2b, 0, 2, 3, 4])

/** A wire between client and server that is listened to, for clients that do not tell which TLS they speak. */
export class Eavesdropper {
  #heard = Buffer.alloc(0)
  readonly #server: net.Server

  private constructor(port: number) {
    this.#server = net.createServer(client => {
      const server = net.connect(port, '127.0.0.1')
      client.on('error', () => server.destroy())
      server.on('error', () => client.destroy())
      server.on('data', (chunk: Buffer) => (this.#heard = Buffer.concat([this.#heard, chunk])))
      client.pipe(server).pipe(client)
    })
  }

  static async before(port: number): Promise<Eavesdropper> {
    const one = new Eavesdropper(port)
    one.#server.listen(0, '127.0.0.1')
    await once(one.#server, 'listening')
    return one
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** By the first ServerHello that went by. */
  get tlsVersion(): string {
    // RFC 8446 §5.1, §4: a record of a handshake (22, 3.3), of which a ServerHello (2) comes first
    for (
      let at = this.#heard.indexOf('\x16\x03\x03');
      at >= 0;
      at = this.#heard.indexOf('\x16\x03\x03', at + 1)
    ) {
      if (this.#heard[at + 5] !== 2) continue
      const hello = this.#heard.subarray(at + 5, at + 5 + this.#heard.readUInt16BE(at + 3))
      return hello.includes(CHOSE_TLS13) ? 'TLSv1.3' : 'TLSv1.2'
    }
    return 'no TLS'
  }

  close(): void {
    this.#server.close()
  }
}
