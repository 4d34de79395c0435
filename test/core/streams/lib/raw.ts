import net from 'node:net'

/** A socket that a test reads as text. */
export class Raw {
  text = ''
  closed = false
  readonly #changed = new Set<() => void>()

  constructor(readonly socket: net.Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString()
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
  }

  static async connect(port: number): Promise<Raw> {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true })
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new Raw(socket)
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data)
  }

  /** Resolves when this has come; rejects when it cannot come any more. */
  async until(text: string): Promise<void> {
    while (!this.text.includes(text)) {
      if (this.closed) throw new Error(`closed without ${text}; got: ${this.text.slice(-500)}`)
      await this.#next()
    }
  }

  async end(): Promise<void> {
    while (!this.closed) await this.#next()
  }

  destroy(): void {
    this.socket.destroy()
  }

  #wake(): void {
    for (const changed of [...this.#changed]) changed()
    this.#changed.clear()
  }

  #next(): Promise<void> {
    return new Promise(resolve => this.#changed.add(resolve))
  }
}
