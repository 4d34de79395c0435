import { childOf, NS, type CommandRun } from '#core'

/** What is remembered, at most; the oldest is forgotten. */
const MAX = 200

/**
 * What administrators were shown, so that what they send back is taken for what they changed: two at once do not undo
 * what the other does. Plain data in `saved`.
 */
export class Shown {
  readonly #lists: Map<string, readonly string[]>

  constructor(saved: unknown) {
    this.#lists = new Map(saved instanceof Map ? (saved as Map<string, readonly string[]>) : [])
  }

  saved(): Map<string, readonly string[]> {
    return this.#lists
  }

  /** The form is made: at the start of a dialogue it is what they will have seen. */
  show(run: CommandRun, list: string, jids: readonly string[]): void {
    if (run.event && dialogueOf(run) === undefined) this.#keep(keyOf(run, list), jids)
  }

  /**
   * What they have seen. Undefined for the command line, which shows and takes at the same moment, and where it is
   * not known any more.
   */
  seen(run: CommandRun, list: string): readonly string[] | undefined {
    const dialogue = dialogueOf(run)
    if (dialogue === undefined) return undefined
    const known = this.#lists.get(dialogue)
    if (known) return known
    // Its first answer: that they begin another one later must not change what they have seen in this one
    const latest = this.#lists.get(keyOf(run, list))
    if (latest) this.#keep(dialogue, latest)
    return latest
  }

  #keep(key: string, jids: readonly string[]): void {
    this.#lists.delete(key)
    this.#lists.set(key, jids)
    if (this.#lists.size <= MAX) return
    for (const oldest of this.#lists.keys()) return void this.#lists.delete(oldest)
  }
}

function keyOf({ requester, actor }: CommandRun, list: string): string {
  return `${list} ${requester?.full ?? actor}`
}

/** The session of a dialogue (XEP-0050); a command that begins has none. */
function dialogueOf({ event }: CommandRun): string | undefined {
  return event && childOf(event.stanza, 'command', NS.COMMANDS)?.attrs.sessionid
}
