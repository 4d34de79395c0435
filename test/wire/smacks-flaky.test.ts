// time limit: 300 s
import assert from 'node:assert/strict'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { managedHost, eventually } from '../lib/smacks'
import { startTestServer, type TestServer } from '../lib/server'
import { Tenacious } from '../lib/tenacious'
import { PASSWORD } from '../lib/wire'

/*
 * Two people tell each other a thousand numbered messages over a network that fails at any point, in the middle of a
 * login, of a stanza or of an acknowledgement: each message comes once, in its order.
 */

const MESSAGES = 1000
const SEED = Number(process.env.BALCONY_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** A generator with a seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296
  }
}

/** A relay that cuts each connection after so many bytes in either direction, in good order or not. */
async function relay(t: TestContext, target: number, chance: () => number): Promise<number> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer(client => {
    const far = net.connect(target, '127.0.0.1')
    const left = new Map([
      [client, 500 + chance() * 9000],
      [far, 1500 + chance() * 15_000]
    ])
    const inOrder = chance() < 0.5
    for (const [socket, other] of [
      [client, far],
      [far, client]
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.on('data', (chunk: Buffer) => {
        const rest = left.get(socket) ?? 0
        other.write(chunk.subarray(0, rest))
        left.set(socket, rest - chunk.length)
        if (rest > chunk.length) return
        if (inOrder) other.end()
        else other.resetAndDestroy()
        socket.destroy()
      })
    }
  })
  await new Promise<void>(listens => server.listen(0, '127.0.0.1', listens))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

/**
 * Reloads one module after the other, with some progress between two, until the function that it returns is called;
 * that tells how many.
 */
function swap(server: TestServer, progress: () => number): () => Promise<number> {
  const { modules } = server.server.api
  let going = true
  let swaps = 0
  const done = (async () => {
    while (going) {
      for (const name of new Set(modules.list().map(module => module.name))) {
        const report = await modules.reload(name)
        assert.ok(report.ok, report.message)
        swaps++
        const before = progress()
        await eventually(() => !going || progress() > before)
        if (!going) return
      }
    }
  })()
  return async () => {
    going = false
    await done
    return swaps
  }
}

for (const together of ['one after the other', 'in bursts', 'while modules are swapped'] as const) {
  test(`a thousand messages each way over a flaky network, ${together} (BALCONY_SEED=${SEED})`, async t => {
    const server = await startTestServer(t, {
      ...managedHost({ askEvery: 5 }),
      config: { limits: { queueStanzas: 50 } },
      tls: 'off'
    })
    const chance = random(SEED)
    const ports = {
      tcp: await relay(t, server.ports.tcp as number, chance),
      ws: await relay(t, server.ports.ws as number, chance)
    }
    const dial = () => {
      const transport = chance() < 0.3 ? 'ws' : 'tcp'
      return { transport, port: ports[transport] } as const
    }
    const people = ['romeo', 'juliet'].map(user => new Tenacious(user, 'here', dial))
    const [romeo, juliet] = people as [Tenacious, Tenacious]
    t.after(() => Promise.all(people.map(one => one.stop())))
    for (const one of people) {
      await server.addUser(`${one.user}@localhost`, PASSWORD)
      await one.begin(server.ports.tcp as number)
      one.cut()
    }
    const progress = (): number => people.reduce((sum, one) => sum + one.received.length + one.resumed, 0)
    const swapping = together === 'while modules are swapped' ? swap(server, progress) : undefined
    const tell = (from: Tenacious, to: Tenacious, n: number): void =>
      from.send(`<message to='${to.jid}' type='chat' id='${n}'><body>${n}</body></message>`)
    for (let n = 0; n < MESSAGES; n++) {
      tell(romeo, juliet, n)
      tell(juliet, romeo, n)
      if (together === 'in bursts' ? chance() < 0.02 : true) await new Promise(setImmediate)
      if (chance() < 0.01) (chance() < 0.5 ? romeo : juliet).cut()
    }
    const done = (): boolean =>
      people.every(one => one.quiet && one.received.length >= MESSAGES) || people.some(one => one.fault)
    const asking = setInterval(() => people.forEach(one => one.ask()), 200)
    t.after(() => clearInterval(asking))
    // What is missing is told below
    await eventually(done, 'the end', 120_000).catch(() => undefined)
    const swaps = await swapping?.()
    const numbers = Array.from({ length: MESSAGES }, (_, n) => String(n))
    for (const one of people) {
      assert.equal(one.fault, undefined)
      assert.deepEqual(one.received, numbers, `what ${one.user} received`)
      assert.ok(one.quiet, `all that ${one.user} sent is acknowledged`)
      assert.ok(one.resumed > 5, `${one.user} was cut off ${one.resumed} times`)
    }
    if (swaps !== undefined) {
      t.diagnostic(`${swaps} modules were swapped`)
      assert.ok(swaps > 10)
    }
    t.diagnostic(`resumed ${romeo.resumed} and ${juliet.resumed} times`)
    assert.deepEqual(server.errors(), [])
    for (const one of people) await one.stop()
    await eventually(() => server.server.clients.managed.hibernating().length === 2)
  })
}
