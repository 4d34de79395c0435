// time limit: 240 s
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { TestCa, writeLeaf } from '../lib/ca'
import { IM_HOST, type Options } from '../lib/config'
import { freePort, startFederated } from '../lib/federation'
import { spawnTestServer } from '../lib/spawn'
import { join, type Player } from '../lib/wire'

interface Parts {
  s2s?: Options
  config?: Options
}

const COUNT = 1000
const ACCOUNT = 'juliet@b.example'

/** The numbers of the messages that came, in their order. */
async function collect(juliet: Player, last: number): Promise<number[]> {
  const numbers: number[] = []
  while (!numbers.includes(last)) {
    const stanza = await juliet.next('a message')
    if (stanza.name === 'message') numbers.push(Number(/^m(\d+)$/.exec(stanza.attrs.id ?? '')?.[1]))
  }
  return numbers
}

/** By certificates of an authority that both trust. */
async function certified(folder: string): Promise<(name: string) => Promise<Parts>> {
  const ca = await TestCa.make()
  return async name => {
    const files = writeLeaf(folder, name, await ca.issue({ dns: [name] }))
    return { s2s: { auth: 'certificate' }, config: { tls: { ...files, ca: [ca.write(folder)] } } }
  }
}

for (const auth of ['dialback', 'external'] as const)
  test(
    `the receiving server is killed in the middle of a thousand messages, by ${auth}: none is missing`,
    { timeout: 110_000 },
    async t => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-kill-'))
      t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
      const partsOf = auth === 'external' ? await certified(folder) : async (): Promise<Parts> => ({})
      const [mine, theirs] = [await partsOf('a.example'), await partsOf('b.example')]
      const [port, back] = [await freePort(), await freePort()]
      const at = (number: number): Options => ({
        listen: [{ address: '127.0.0.1', port: number }],
        directTls: []
      })
      const offline = { limit: 2 * COUNT, maxBytes: 8_000_000 }
      const receiver = await spawnTestServer(t, {
        hosts: { 'b.example': { modules: { ...(IM_HOST.modules as Options), offline } } },
        modules: { s2s: { ...at(port), ...theirs.s2s, routes: { 'a.example': `127.0.0.1:${back}` } } },
        config: { limits: { unreadBytes: 16_000_000 }, ...theirs.config }
      })
      const sender = await startFederated(t, 'a.example', {
        s2s: { ...at(back), ...mine.s2s, routes: { 'b.example': `127.0.0.1:${port}` } },
        ...(mine.config ? { config: mine.config } : {})
      })
      await receiver.addUser(ACCOUNT, 'a password for tests')
      const { federation } = sender.server
      const romeo = await join(sender, 'romeo', { jid: 'romeo@a.example/orchard' })
      t.after(() => romeo.destroy())
      const waiting = (): number => federation.queues().reduce((sum, { stanzas }) => sum + stanzas, 0)
      let sent = 0
      const send = async (until: number): Promise<void> => {
        while (sent < until) {
          sent++
          await romeo.sends(
            `<message to='${ACCOUNT}' id='m${sent}' type='chat'><body>${sent}</body></message>`
          )
        }
        await romeo.fence()
      }
      await send(COUNT / 2)
      while (waiting() > COUNT / 4) await new Promise(setImmediate)
      assert.ok(federation.streams().some(stream => stream.auth === auth))
      const more = send(COUNT)
      await receiver.kill('SIGKILL')
      await more
      assert.ok(waiting() > 0, 'some are under way')
      await receiver.start()
      while (waiting() > 0) await new Promise(setImmediate)
      const juliet = await join(receiver, 'juliet', { jid: `${ACCOUNT}/balcony` })
      t.after(() => juliet.destroy())
      await juliet.sends('<presence/>')
      const numbers = await collect(juliet, COUNT)
      const seen = new Set(numbers)
      const missing = Array.from({ length: COUNT }, (_, i) => i + 1).filter(number => !seen.has(number))
      assert.deepEqual(missing, [])
      const first = [...seen]
      assert.deepEqual(
        first,
        [...first].sort((a, b) => a - b),
        'in their order'
      )
      await romeo.receivesNothing()
    }
  )
