// time limit: 900 s
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { ScriptedServer } from '../lib/component'
import { spawnTestServer } from '../lib/spawn'
import type { SpawnedServer } from '../lib/spawn'
import { Crowd } from './lib/crowd'
import { Editions } from './lib/editions'
import { allModules, everything } from './lib/everything'
import { Inside, PROBED } from './lib/inside'
import { Numbers } from './lib/numbers'
import { Operator } from './lib/operator'
import { slope } from './lib/slope'

/** How often each module is reloaded; BALCONY_RELOADS=20 for a quick look, which the heap is not judged by. */
const RELOADS = Number(process.env.BALCONY_RELOADS ?? 200)
const CROWD = 20
/** Times that the heap is measured. */
const MEASUREMENTS = 50
/** The part of the reloads after which it counts: code is optimised and caches fill. */
const WARM_UP = 0.2
/** Bytes a reload; with fewer reloads the engine still makes up its mind about what to optimise. */
const MAX_GROWTH = RELOADS < 100 ? Infinity : 2048

interface Stage {
  server: SpawnedServer
  inside: Inside
  operator: Operator
  editions: Editions
  crowd: Crowd
}

async function stage(t: TestContext): Promise<Stage> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-editions-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const editions = new Editions(folder)
  const upstream = await ScriptedServer.listen(t)
  const { hosts, modules } = everything(upstream.port)
  const config = {
    moduleFolders: [folder],
    // The first is made by the server, with a password that nobody knows
    operators: ['first@localhost', 'admin@localhost'],
    // With a disk to wait for, handlers are under way when they are swapped
    storage: { driver: 'sqlite', durability: 'full' }
  }
  const server = await spawnTestServer(t, { hosts, modules, config, execArgv: PROBED })
  await (await upstream.next()).takes('a secret')
  const inside = new Inside(server)
  editions.settle(await inside.seen())
  const addUser = (jid: string, password: string): Promise<void> => inside.addUser(jid, password)
  const crowd = await Crowd.gather(server, { size: CROWD, numbers: new Numbers(), addUser })
  t.after(() => crowd.destroy())
  const operator = await Operator.enter(server, 'admin@localhost')
  t.after(() => operator.player.destroy())
  return { server, inside, operator, editions, crowd }
}

const turn = (): Promise<void> => new Promise(setImmediate)

/**
 * One real edit and one reload: by the command line's way and by command of a client in turn, with stanzas on their
 * way before, and coming all the while.
 */
async function reload(all: Stage, name: string, version: number): Promise<void> {
  const { inside, operator, editions, crowd } = all
  const { file, edition } = editions.edit(name)
  const ask =
    version % 2 === 0 ? await operator.prepare(name) : async () => (await inside.reload(name)).message
  const speak = crowd.round()
  // While the server is busy with the first, the request to reload arrives behind what the next have sent
  speak(1)
  await turn()
  speak(5)
  const reloading = ask()
  for (let spoken = 6; spoken < CROWD; spoken += 2) {
    speak(2)
    await turn()
  }
  const message = await reloading
  assert.ok(message.startsWith(`${name} reloaded (version ${version}) on `), message)
  assert.equal((await inside.seen())[file], edition, `the edit of ${file} was taken up`)
  await crowd.caughtUp(2 * crowd.perRound)
}

test(`every module is reloaded ${RELOADS} times under ${CROWD} sessions that notice nothing`, async t => {
  const all = await stage(t)
  const { server, inside, editions, crowd } = all
  const names = allModules()
  const every = Math.max(1, Math.floor(RELOADS / MEASUREMENTS))
  const heap: [reloads: number, bytes: number][] = []
  for (let pass = 1; pass <= RELOADS; pass++) {
    for (const name of names) await reload(all, name, pass + 1)
    if (pass % every > 0) continue
    await crowd.caughtUp()
    if (pass >= RELOADS * WARM_UP) heap.push([pass * names.length, await inside.heap()])
  }
  await crowd.caughtUp()
  assert.deepEqual(await crowd.audit(), [], 'what was written is there')

  const held = Object.entries(await inside.held()).filter(([file, count]) => count > editions.copiesOf(file))
  assert.deepEqual(held, [], 'nobody holds on to what was replaced')
  const growth = slope(heap)
  t.diagnostic(`${RELOADS * names.length} reloads, ${Math.round(growth)} bytes each`)
  assert.ok(growth < MAX_GROWTH, `the heap grows by ${Math.round(growth)} bytes a reload: ${heap.join(' ')}`)
  const trouble = server.output.split('\n').filter(line => /"level":"?(warn|error|fatal)/.test(line))
  assert.deepEqual(trouble, [])
  await crowd.leave()
})
