import type { Socket } from 'node:net'

/** Counts round trips: how often one side has spoken after it had listened. */
export class Turns {
  count = 0
  #listened = true

  spoke(): void {
    if (this.#listened) this.count++
    this.#listened = false
  }

  heard(): void {
    this.#listened = true
  }

  /** What one side writes to that socket and reads from it. */
  static of(socket: Socket): Turns {
    const turns = new Turns()
    const write = socket.write
    socket.write = ((...args: Parameters<typeof write>) => {
      turns.spoke()
      return write.apply(socket, args)
    }) as typeof write
    socket.prependListener('data', () => turns.heard())
    return turns
  }
}
