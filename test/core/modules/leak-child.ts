import { writeFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { Rig } from './rig'

/*
 * Reloads one module again and again, with a real edit of a nested file, and prints by how many bytes the heap grew
 * for each. Started by leak.test.ts with the collector exposed; the argument is what the module does wrong.
 */

// The engine keeps some hundred KiB for the first hundreds of reloads, whatever they do
const WARM_UP = 500
const RELOADS = 300

/** A module that registers everything that there is. */
function busyModule(wrong: string): string {
  return `import { defineModule, z, HANDLED, StanzaError } from 'balcony'
import { ballast } from './deep/data'
import { Helper } from '../lib_help'
declare const process: any
export default defineModule({
  name: 'busy',
  description: 'Registers everything there is',
  on: ['virtual'],
  config: z.object({ word: z.string().default('x').describe('A word'), list: z.array(z.number()).default([]).describe('Numbers') }),
  setup (ctx: any, saved: any) {
    const helper = new Helper(ballast)
    let state = saved ?? { n: 0, who: new Map() }
    ctx.save(() => ({ ...state, n: state.n + 1 }))
    ctx.reconfigure(() => true)
    ctx.hook('pre-message', async () => { await null; if (helper.size === 0) throw new StanzaError('forbidden') })
    ctx.iq('get', 'host', 'urn:busy', 'query', () => { helper.size })
    ctx.on('config/reloaded', () => helper.size)
    ctx.add('disco-feature', 'urn:busy')
    ctx.watch('disco-feature', { added: () => { helper.size }, removed: () => { helper.size } })
    ctx.adhoc({ node: 'busy', name: 'Busy', access: 'any', stages: [{ form: () => ({ helper }) }], finish () { helper.size } })
    ctx.every(1, async () => { await null; helper.size })
    ctx.after(1_000_000, () => { helper.size })
    ctx.defer(() => { helper.size })
    ctx.signal.addEventListener('abort', () => helper.size)
    const friend = ctx.use('friend')
    friend.remember('busy')
    ${wrong}
    return { size: () => helper.size }
  }
})
`
}

const FRIEND = `import { defineModule, z } from 'balcony'
export default defineModule({
  name: 'friend', description: 'Uses the other', on: ['virtual'], config: z.object({}),
  setup (ctx: any) {
    const busy = ctx.use('busy', { optional: true })
    ctx.watch('disco-feature', {})
    ctx.hook('test/size', (event: any) => { event.answer = busy.size() })
    return { remember: (name: string) => name }
  }
})
`

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) {
    await new Promise(setImmediate)
    global.gc?.()
  }
}

async function main(wrong: string): Promise<void> {
  const cleanUps: (() => unknown)[] = []
  const rig = new Rig({ after: (fn: () => unknown) => void cleanUps.unshift(fn) } as unknown as TestContext, {
    files: {
      'mod_busy/index.ts': busyModule(wrong),
      'mod_busy/deep/data.ts': 'export const ballast: number[] = []',
      'lib_help/index.ts':
        'export class Helper { constructor (readonly data: number[]) {} get size () { return this.data.length } }',
      'mod_friend/index.ts': FRIEND
    },
    config: 'hosts: { a.example: { modules: { friend: {}, busy: { list: [1, 2] } } } }'
  })
  try {
    await rig.manager.start()
    const reload = async (n: number): Promise<void> => {
      // 16 KiB that a version which stays would be seen by
      writeFileSync(
        rig.file('mod_busy/deep/data.ts'),
        `export const ballast: number[] = Array.from({ length: ${2000 + (n % 7)} }, (_, i) => i / 3)`
      )
      const report = await rig.manager.reload('busy')
      if (!report.ok) throw new Error(report.message)
      if (rig.ask('test/size').answer !== 2000 + (n % 7))
        throw new Error('the edit of the nested file was not seen')
      rig.lines.length = 0
    }
    for (let n = 0; n < WARM_UP; n++) await reload(n)
    await settle()
    const before = process.memoryUsage().heapUsed
    for (let n = 0; n < RELOADS; n++) await reload(n)
    await settle()
    process.stdout.write(`${(process.memoryUsage().heapUsed - before) / RELOADS}\n`)
  } finally {
    for (const cleanUp of cleanUps) await cleanUp()
  }
}

main(process.argv[2] ?? '').catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`)
  process.exitCode = 1
})
