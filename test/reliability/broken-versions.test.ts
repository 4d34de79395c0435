// time limit: 300 s
import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { spawnTestServer } from '../lib/spawn'
import type { Ran, SpawnedServer } from '../lib/spawn'
import { join } from '../lib/wire'
import type { Player } from '../lib/wire'
import { Dialogue } from './lib/dialogue'
import { Workbench } from './lib/workbench'

/** A server on modules that can be edited, and two who chat. */
class Scene {
  private constructor(
    readonly bench: Workbench,
    readonly server: SpawnedServer,
    readonly chat: Dialogue
  ) {}

  static async open(t: TestContext): Promise<Scene> {
    const bench = new Workbench(t)
    const server = await spawnTestServer(t, { config: { moduleFolders: [bench.folder] } })
    const chat = await Dialogue.begin(server)
    t.after(() => chat.destroy())
    await chat.goesOn()
    return new Scene(bench, server, chat)
  }

  /** `balcony module reload` while they chat: they said something meanwhile, and go on. */
  async reload(name: string): Promise<Ran> {
    const before = this.chat.spoken
    const ran = await this.server.run(['module', 'reload', name])
    assert.ok(this.chat.spoken > before, 'they chatted meanwhile')
    await this.chat.goesOn()
    return ran
  }

  /** What `balcony module list` says of mod_message: how often it was loaded, and its last fault. */
  async listed(): Promise<{ loads: number; fault: string }> {
    const { stdout } = await this.server.run(['module', 'list'])
    const [, loads, fault] = /^message +localhost +running +(\d+) *(.*)$/m.exec(stdout) ?? []
    assert.ok(fault !== undefined, stdout)
    return { loads: Number(loads), fault }
  }
}

/** How the host calls its software (XEP-0092). */
async function softwareName(player: Player): Promise<string> {
  const answer = await player.request(`<iq type='get' to='localhost'><query xmlns='jabber:iq:version'/></iq>`)
  return /<name>(.*?)<\/name>/.exec(answer.toString())?.[1] ?? ''
}

const NESTED = 'mod_message/recipients.ts'
const ENTRY = 'mod_message/index.ts'
const LAST_HOOK = `ctx.hook('message/full', event => toResource(ctx, event), { priority: -1 })`

/** What is done to mod_message, which carries the chat itself, and what the command then says of which line. */
const BROKEN: { what: string; file: string; old: string; text: string; says: (place: string) => string }[] = [
  {
    what: 'a syntax error in a nested file',
    file: NESTED,
    old: 'export function',
    text: 'const wherefore = ;\nexport function',
    says: place => `${place}:19: Unexpected token`
  },
  {
    what: 'code that throws when it is loaded',
    file: NESTED,
    old: 'export function',
    text: `throw new Error('not tonight')\nexport function`,
    says: place => `${place}: not tonight`
  },
  {
    what: 'a setup that throws',
    file: ENTRY,
    old: LAST_HOOK,
    text: `throw new Error('a plague on it'); ${LAST_HOOK}`,
    says: place => `message on localhost: ${place}: a plague on it`
  },
  {
    what: 'a setup that fails after it has registered everything',
    file: ENTRY,
    old: LAST_HOOK,
    text: `${LAST_HOOK}; return Promise.reject(new Error('a plague on it'))`,
    says: place => `message on localhost: ${place}: a plague on it`
  },
  {
    what: 'a config that no longer fits',
    file: ENTRY,
    old: 'config: z.object({})',
    text: `config: z.object({ colour: z.enum(['red', 'blue']) })`,
    // The place is that of the config file
    says: () => 'hosts.localhost.modules.message.colour: missing; expected "red" or "blue"'
  }
]

test('modules are edited and reloaded by command while two people chat', async t => {
  const scene = await Scene.open(t)
  const { bench, chat, server } = scene

  await t.test('an edit is taken up', async () => {
    const mercutio = await join(server, 'mercutio', { jid: 'mercutio@localhost' })
    assert.equal(await softwareName(mercutio), 'Balcony')
    bench.edit('mod_version/index.ts', `'Balcony'`, `'Balcony by moonlight'`)
    assert.equal(await softwareName(mercutio), 'Balcony', 'an edit counts from the reload on')
    assert.deepEqual(await scene.reload('version'), {
      code: 0,
      stdout: 'version reloaded (version 2) on localhost\n',
      stderr: ''
    })
    assert.equal(await softwareName(mercutio), 'Balcony by moonlight')
    await mercutio.close()
  })

  await t.test('an edit of a nested file is taken up, of the module that carries the chat', async () => {
    bench.edit(NESTED, 'export function', `console.log('the edited file runs')\nexport function`)
    assert.equal((await scene.reload('message')).code, 0)
    assert.match(server.output, /the edited file runs/)
    assert.deepEqual(await scene.listed(), { loads: 2, fault: '' })
    bench.restore(NESTED)
  })

  for (const { what, file, old, text, says } of BROKEN) {
    await t.test(`the version before runs on, and the command says why: ${what}`, async () => {
      const { loads } = await scene.listed()
      const line = bench.edit(file, old, text)
      const expected = says(`${bench.file(file)}:${line}`)
      const { code, stdout, stderr } = await scene.reload('message')
      assert.deepEqual([code, stdout], [1, ''])
      assert.ok(stderr.includes(expected), `"${expected}" is in:\n${stderr}`)
      assert.match(
        stderr,
        /^message was not reloaded: .*\/\S+:\d+(:\d+)?:? .*; version \d+ goes on running\n$/
      )
      assert.ok(stderr.includes(`; version ${loads} goes on running`), stderr)
      assert.ok(server.output.includes(JSON.stringify(expected).slice(1, -1)), 'the log has it too')
      const after = await scene.listed()
      assert.equal(after.loads, loads)
      assert.ok(after.fault.startsWith('not reloaded: ') && after.fault.includes(expected), after.fault)

      bench.restore(file)
      const repaired = await scene.reload('message')
      assert.deepEqual([repaired.code, repaired.stderr], [0, ''])
      assert.match(repaired.stdout, /^message reloaded \(version \d+\) on localhost\n$/)
      assert.equal((await scene.listed()).fault, '')
    })
  }

  await t.test('nobody was disconnected, and nothing was lost', () => chat.ends())
})
