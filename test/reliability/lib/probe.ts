/*
 * Loaded into the process of a server (`--require`) by tests that look into it: tells the size of its heap, and
 * which editions of the modules' files have been run and which are still held (see editions.ts).
 */

export interface Question {
  id: number
  ask: 'heap' | 'seen' | 'held'
}

/** By file, below the folder of modules: the edition that was run last. */
export type Seen = Record<string, number>

/** By file: how many editions of it somebody still holds on to. */
export type Held = Record<string, number>

const seen: Seen = {}
const refs = new Map<string, WeakRef<object>[]>()

/** What every edition of a file calls, with an object of its own that lives as long as any function of that file. */
Object.assign(globalThis, {
  editionRuns(file: string, edition: number, token: object) {
    seen[file] = edition
    const known = refs.get(file)
    if (known) known.push(new WeakRef(token))
    else refs.set(file, [new WeakRef(token)])
  }
})

/** Lets everything go that can go. */
async function collect(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await new Promise(setImmediate)
    global.gc?.()
  }
  for (const [file, all] of refs)
    refs.set(
      file,
      all.filter(ref => ref.deref() !== undefined)
    )
}

const ANSWERS: Record<Question['ask'], () => unknown> = {
  async heap() {
    await collect()
    return process.memoryUsage().heapUsed
  },
  seen: () => seen,
  async held(): Promise<Held> {
    await collect()
    return Object.fromEntries([...refs].map(([file, all]) => [file, all.length]))
  }
}

async function answer({ id, ask }: Question): Promise<void> {
  process.send?.({ id, value: await ANSWERS[ask]() })
}

process.on('message', (question: Question) => void answer(question))
