import assert from 'node:assert/strict'
import test from 'node:test'
import { IM_HOST, type Options } from '../lib/config'
import { freePort, startFederated } from '../lib/federation'
import { spawnTestServer } from '../lib/spawn'
import { join, type Player } from '../lib/wire'

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

test(
  'the receiving server is killed in the middle of a thousand messages: none is missing',
  { timeout: 110_000 },
  async t => {
    const [port, back] = [await freePort(), await freePort()]
    const at = (number: number): Options => ({
      listen: [{ address: '127.0.0.1', port: number }],
      directTls: []
    })
    const offline = { limit: 2 * COUNT, maxBytes: 8_000_000 }
    const receiver = await spawnTestServer(t, {
      hosts: { 'b.example': { modules: { ...(IM_HOST.modules as Options), offline } } },
      modules: { s2s: { ...at(port), routes: { 'a.example': `127.0.0.1:${back}` } } },
      config: { limits: { unreadBytes: 16_000_000 } }
    })
    const sender = await startFederated(t, 'a.example', {
      s2s: { ...at(back), routes: { 'b.example': `127.0.0.1:${port}` } }
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
        await romeo.sends(`<message to='${ACCOUNT}' id='m${sent}' type='chat'><body>${sent}</body></message>`)
      }
      await romeo.fence()
    }
    await send(COUNT / 2)
    while (waiting() > COUNT / 4) await new Promise(setImmediate)
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
