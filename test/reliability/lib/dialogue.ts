import { childText } from '../../../core/xml/element'
import type { Element } from '../../../core/xml/element'
import { inline } from '../../lib/print'
import { join } from '../../lib/wire'
import type { Player, Reachable } from '../../lib/wire'

/**
 * Juliet and romeo, who chat without a pause: each says the next number when the other's has come. So a message that
 * is lost ends the dialogue, and one that comes twice or late breaks the count.
 */
export class Dialogue {
  #spoken = 0
  #fault: Error | undefined
  #silent = false
  #wake: (() => void) | undefined
  #over: Promise<void> = Promise.resolve()

  private constructor(
    readonly juliet: Player,
    readonly romeo: Player
  ) {}

  static async begin(server: Reachable): Promise<Dialogue> {
    const juliet = await join(server, 'juliet', { jid: 'juliet@localhost/balcony', presence: true })
    const romeo = await join(server, 'romeo', { jid: 'romeo@localhost/orchard', presence: true })
    const dialogue = new Dialogue(juliet, romeo)
    dialogue.#over = dialogue.#talk().catch((error: unknown) => {
      dialogue.#fault = error as Error
      dialogue.#wake?.()
    })
    return dialogue
  }

  async #talk(): Promise<void> {
    const pair = [
      [this.juliet, this.romeo],
      [this.romeo, this.juliet]
    ] as const
    while (!this.#silent) {
      for (const [speaker, listener] of pair) {
        speaker.send(`<message type='chat' to='${listener.jid}'><body>${this.#spoken + 1}</body></message>`)
        hear(
          await listener.next(`number ${this.#spoken + 1} of ${speaker.name}`),
          speaker.jid,
          this.#spoken + 1
        )
        this.#spoken++
        this.#wake?.()
      }
    }
  }

  /** Waits until another `count` messages have been said and heard. Throws what broke the dialogue. */
  async goesOn(count = 10): Promise<void> {
    const wanted = this.#spoken + count
    while (this.#spoken < wanted && !this.#fault)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    if (this.#fault) throw this.#fault
  }

  /** How many messages have been said and heard. */
  get spoken(): number {
    return this.#spoken
  }

  /** Ends it in good order: nobody was disconnected, and nothing is left unread. */
  async ends(): Promise<void> {
    this.#silent = true
    await this.#over
    if (this.#fault) throw this.#fault
    for (const person of [this.juliet, this.romeo]) {
      await person.receivesNothing()
      await person.close()
    }
  }

  destroy(): void {
    this.juliet.destroy()
    this.romeo.destroy()
  }
}

function hear(stanza: Element, from: string, number: number): void {
  const said = stanza.name === 'message' && stanza.attrs.from === from && childText(stanza, 'body')
  if (said !== String(number)) throw new Error(`expected ${number} from ${from}, got ${inline(stanza)}`)
}
