// time limit: 400 s
import assert from 'node:assert/strict'
import fs from 'node:fs'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { childOf, childrenOf } from '../../core/xml/element'
import type { Element } from '../../core/xml/element'
import { conditionOf, TestClient } from '../lib/client'
import type { ConnectOptions } from '../lib/client'
import { spawnTestServer } from '../lib/spawn'
import type { SpawnedServer } from '../lib/spawn'
import { join, PASSWORD } from '../lib/wire'
import type { Player } from '../lib/wire'
import { CuttingProxy } from './lib/cutting-proxy'
import type { Cut } from './lib/cutting-proxy'
import { Dialogue } from './lib/dialogue'
import { everything } from './lib/everything'

/*
 * What a whole server makes of those who mean harm, or of clients that are broken, while two others chat without a
 * pause: they, and the process, do not notice. Faults of single layers are in test/core and test/modules.
 */

const COMMANDS = 'http://jabber.org/protocol/commands'
const MANY = 10_000

interface Scene {
  server: SpawnedServer
  chat: Dialogue
  /** Logs somebody in, who is gone when the test ends. */
  enters(name: string, options?: { presence?: boolean }): Promise<Player>
}

async function play(t: TestContext): Promise<Scene> {
  const { hosts, modules } = everything()
  for (const host of Object.values(hosts)) host.admins = ['admin@localhost', 'nurse@localhost']
  const config = { limits: { unreadBytes: 1024 * 1024 } }
  const server = await spawnTestServer(t, { hosts, modules, config })
  const chat = await Dialogue.begin(server)
  t.after(() => chat.destroy())
  const enters: Scene['enters'] = async (name, { presence = false } = {}) => {
    const player = await join(server, name, { jid: `${name}@localhost/${name}`, presence })
    t.after(() => player.destroy())
    return player
  }
  return { server, chat, enters }
}

/** Sends an iq that may be broken and returns what comes back under that id. */
async function answerTo(player: Player, id: string, iq: string): Promise<Element> {
  player.send(iq)
  const answer = await player.next(`the answer to ${iq}`)
  assert.equal(answer.name, 'iq')
  assert.equal(answer.attrs.id ?? '', id)
  return answer
}

/** How often each condition was answered; `none` is no error. */
async function tally(player: Player, count: number): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (let i = 0; i < count; i++) {
    const answer = await player.next(`answer ${i + 1} of ${count}`)
    const what = answer.attrs.type === 'error' ? conditionOf(answer) : 'none'
    found[what] = (found[what] ?? 0) + 1
  }
  return found
}

const lines = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('')

test('a hostile world', async t => {
  const { server, chat, enters } = await play(t)
  const { pid } = server
  /** A test of the scene: the two who chat have gone on at its end. */
  const scene = (name: string, fn: () => Promise<void>): Promise<void> =>
    t.test(name, async () => {
      await fn()
      await chat.goesOn()
      assert.equal(server.pid, pid)
    })

  for (const transport of ['tcp', 'tls', 'ws'] as const) {
    await scene(`stanzas before authentication and before bind, over ${transport}`, async () => {
      await server.addUser('mallory@localhost', PASSWORD)
      const stanzas = [
        `<message to='juliet@localhost/balcony' type='chat'><body>early</body></message>`,
        `<presence to='juliet@localhost'/>`,
        `<iq type='get' id='1' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`,
        `<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='a@b'/></query></iq>`
      ]
      for (const stanza of stanzas)
        for (const authenticated of [false, true]) {
          const client = await connect(server, { transport })
          await client.open()
          if (authenticated) await client.authenticate({ user: 'mallory', password: PASSWORD })
          client.send(stanza)
          // RFC 6120 §4.3.5, §7.1
          assert.equal(conditionOf(await client.next()), 'not-authorized', stanza)
          await client.isClosed()
        }
    })
  }

  await scene('requests that are none', async () => {
    const mallory = await enters('mallory')
    const ping = `<ping xmlns='urn:xmpp:ping'/>`
    const nothing = `<query xmlns='urn:nobody:knows'/>`
    const table: [iq: string, condition: string][] = [
      [`<iq type='get'>${ping}</iq>`, 'bad-request'],
      [`<iq type='get' id=''>${ping}</iq>`, 'bad-request'],
      [`<iq type='get' id='1'/>`, 'bad-request'],
      [`<iq type='get' id='1'>${ping}${ping}</iq>`, 'bad-request'],
      [`<iq type='set' id='1'>${nothing}${ping}</iq>`, 'bad-request'],
      [`<iq id='1'>${ping}</iq>`, 'bad-request'],
      [`<iq type='query' id='1'>${ping}</iq>`, 'bad-request'],
      [`<iq type='get' id='1'>${nothing}</iq>`, 'service-unavailable'],
      [`<iq type='set' id='1'>${nothing}</iq>`, 'service-unavailable'],
      [`<iq type='get' id='1'><ping xmlns='urn:nobody:knows'/></iq>`, 'service-unavailable'],
      [`<iq type='get' id='1'><pong xmlns='urn:xmpp:ping'/></iq>`, 'service-unavailable']
    ]
    const hosts = ['', 'localhost', 'channels.localhost', 'pubsub.localhost', 'juliet@localhost']
    for (const to of hosts)
      for (const [iq, condition] of table) {
        const sent = to === '' ? iq : iq.replace('<iq', `<iq to='${to}'`)
        const answer = await answerTo(mallory, /id='(.*?)'/.exec(iq)?.[1] ?? '', sent)
        assert.equal(conditionOf(answer), condition, sent)
      }
    assert.equal(
      conditionOf(await answerTo(mallory, '1', `<iq type='get' id='1' to='@@'>${ping}</iq>`)),
      'jid-malformed'
    )
    // RFC 6120 §8.3.1: what is an answer itself is not answered
    mallory.send(`<iq type='result' id='1' to='localhost'/><iq type='error' id='1' to='localhost'/>`)
    mallory.send(
      `<message type='error' to='nobody@localhost'/><presence type='error' to='nobody@localhost'/>`
    )
    await mallory.receivesNothing()
    await mallory.close()
  })

  await scene('RFC 6120 §8.1.2.1: nobody speaks as somebody else', async () => {
    const stanzas = ['message', 'presence', 'iq'].map(
      name => (from: string, to: string) =>
        `<${name} from='${from}' to='${to}' type='set' id='1'><body>x</body></${name}>`
    )
    for (const from of [
      'juliet@localhost/balcony',
      'localhost',
      'channels.localhost',
      'mallory@elsewhere.example'
    ])
      for (const stanza of stanzas) {
        const mallory = await enters('mallory')
        mallory.send(stanza(from, 'romeo@localhost/orchard'))
        assert.equal(conditionOf(await mallory.next()), 'invalid-from', stanza(from, ''))
        await mallory.isClosed()
      }
  })

  await scene('RFC 6121 §2.1.5: nobody touches the roster of another', async () => {
    const mallory = await enters('mallory')
    const item = `<query xmlns='jabber:iq:roster'><item jid='mallory@localhost' name='friend'/></query>`
    for (const to of ['juliet@localhost', 'nobody@localhost']) {
      const answer = await mallory.request(`<iq type='set' to='${to}'>${item}</iq>`)
      assert.equal(conditionOf(answer), 'forbidden', to)
      const read = await mallory.request(`<iq type='get' to='${to}'><query xmlns='jabber:iq:roster'/></iq>`)
      assert.equal(conditionOf(read), 'forbidden', to)
    }
    // A push is taken from nobody but the own account (§2.1.6); the full JID is a client, not the account
    const push = await mallory.request(`<iq type='set' to='nurse@localhost/x'>${item}</iq>`)
    assert.equal(conditionOf(push), 'service-unavailable')
    await mallory.close()
  })

  await scene('dialogues of others, unknown ones, and ten thousand', async () => {
    const [admin, nurse, mallory] = [await enters('admin'), await enters('nurse'), await enters('mallory')]
    const node = 'http://jabber.org/protocol/admin#add-user'
    const execute = (id: string): string =>
      `<iq type='set' id='${id}' to='localhost'><command xmlns='${COMMANDS}' node='${node}'/></iq>`
    const goOn = (id: string, session: string): string =>
      `<iq type='set' id='${id}' to='localhost'><command xmlns='${COMMANDS}' node='${node}' sessionid='${session}' action='cancel'/></iq>`
    const sessionOf = (answer: Element): string => childOf(answer, 'command', COMMANDS)?.attrs.sessionid ?? ''
    const first = sessionOf(await admin.request(execute('first')))
    assert.notEqual(first, '')
    const appOf = (answer: Element): string | undefined =>
      childrenOf(childOf(answer, 'error') ?? answer, undefined, COMMANDS)[0]?.name

    assert.equal(conditionOf(await mallory.request(goOn('theirs', first))), 'forbidden')
    const theirs = await nurse.request(goOn('theirs', first))
    assert.deepEqual([conditionOf(theirs), appOf(theirs)], ['not-allowed', 'session-expired'])
    const unknown = await admin.request(goOn('unknown', 'nobody-has-this'))
    assert.deepEqual([conditionOf(unknown), appOf(unknown)], ['not-allowed', 'session-expired'])

    admin.write(lines(MANY, i => execute(`many-${i}`)))
    const opened = await tally(admin, MANY)
    assert.deepEqual(opened, { none: 19, 'resource-constraint': MANY - 19 })
    nurse.write(lines(MANY, i => goOn(`guess-${i}`, `guess-${i}`)))
    assert.deepEqual(await tally(nurse, MANY), { 'not-allowed': MANY })

    assert.notEqual(
      sessionOf(await nurse.request(execute('hers'))),
      '',
      'another administrator is not kept out'
    )
    assert.equal(
      (await admin.request(goOn('done', first))).attrs.type,
      'result',
      'the first dialogue is still there'
    )
    const over = await admin.request(goOn('over', first))
    assert.deepEqual([conditionOf(over), appOf(over)], ['not-allowed', 'session-expired'])
    for (const player of [admin, nurse, mallory]) await player.close()
  })

  await scene('a stanza of 2 MB', async () => {
    const [mallory, nurse] = [await enters('mallory'), await enters('nurse', { presence: true })]
    mallory.send(
      `<message to='nurse@localhost/nurse' type='chat'><body>${'x'.repeat(2 * 1024 * 1024)}</body></message>`
    )
    // RFC 6120 §4.9.3.14
    assert.equal(conditionOf(await mallory.next()), 'policy-violation')
    await mallory.isClosed()
    await nurse.receivesNothing()
    await nurse.close()
  })

  const FLOODS: {
    what: string
    stanza: (i: number) => string
    answers: Record<string, number> | undefined
  }[] = [
    {
      what: 'messages to somebody',
      stanza: i => `<message type='chat' to='nurse@localhost/nurse'><body>${i}</body></message>`,
      answers: undefined
    },
    {
      what: 'messages to nobody',
      stanza: i => `<message type='chat' id='${i}' to='nobody@localhost'><body>${i}</body></message>`,
      answers: { 'service-unavailable': MANY }
    },
    {
      what: 'roster sets',
      stanza: i =>
        `<iq type='set' id='${i}'><query xmlns='jabber:iq:roster'><item jid='a@example.org' name='${i}'/></query></iq>`,
      answers: { none: MANY }
    },
    {
      what: 'requests for what there is not',
      stanza: i => `<iq type='get' id='${i}' to='channels.localhost'><query xmlns='urn:nobody:knows'/></iq>`,
      answers: { 'service-unavailable': MANY }
    }
  ]
  for (const { what, stanza, answers } of FLOODS) {
    await scene(`a flood of ten thousand ${what}`, async () => {
      const [mallory, nurse] = [await enters('mallory'), await enters('nurse', { presence: true })]
      const before = chat.spoken
      mallory.write(lines(MANY, stanza))
      await nurse.fence()
      await nurse.fence('channels.localhost')
      if (answers) assert.deepEqual(await tally(mallory, MANY), answers)
      else await tally(nurse, MANY)
      assert.ok(chat.spoken > before, 'the others chatted meanwhile')
      await mallory.receivesNothing()
      for (const player of [mallory, nurse]) await player.close()
    })
  }

  await scene('a client that never reads is closed at the bound', async () => {
    const [mallory, nurse] = [await enters('mallory'), await enters('nurse', { presence: true })]
    // RFC 6121 §4.6.3: who was told of its presence is told of its end
    await mallory.sends(`<presence to='nurse@localhost/nurse'/>`)
    await nurse.receives(`<presence from='mallory@localhost/mallory'/>`)
    mallory.channel.pause()
    const headline = `<message type='headline' to='mallory@localhost/mallory'><body>${'x'.repeat(60_000)}</body></message>`
    // What the system itself buffers comes on top of the bound
    for (let i = 0; i < 1000 && nurse.unread.length === 0; i++) {
      nurse.send(headline)
      if (i % 10 === 9) await nurse.fence()
    }
    await nurse.receives(`<presence from='mallory@localhost/mallory' type='unavailable'/>`)
    const gone = await nurse.request(
      `<iq type='get' to='mallory@localhost/mallory'><ping xmlns='urn:xmpp:ping'/></iq>`
    )
    assert.equal(conditionOf(gone), 'service-unavailable')
    mallory.destroy()
    await nurse.close()
  })

  await scene('five hundred connections that break at random points of the negotiation', async () => {
    await server.addUser('mallory@localhost', PASSWORD)
    const before = descriptors(pid)
    const sessions = await sessionsOf(server)
    const seed = Math.floor(Math.random() * 2 ** 31)
    t.diagnostic(`seed of the cuts: ${seed}`)
    const random = seeded(seed)
    const broken = { early: 0, late: 0 }
    for (const transport of ['tcp', 'tls', 'ws'] as const) {
      const plan = (): { after: number; how: Cut } => ({
        after: 1 + Math.floor(random() * 4000),
        how: random() < 0.5 ? 'fin' : 'reset'
      })
      const proxy = await CuttingProxy.start(server.ports[transport] as number, plan)
      for (let batch = 0; batch < 7; batch++)
        await Promise.all(Array.from({ length: 24 }, () => negotiate(proxy.port, transport, broken)))
      await proxy.stop()
    }
    assert.equal(broken.early + broken.late, 504)
    assert.ok(broken.early > 100, `${broken.early} broke before they were bound`)
    await comesTrue('the sessions are gone', async () => (await sessionsOf(server)) === sessions)
    await comesTrue('the sockets are closed', () => descriptors(pid) <= before + 2)
  })

  await t.test('the two who chat have lost nothing, and the server has nothing to complain of', async () => {
    await chat.ends()
    const trouble = server.output.split('\n').filter(line => /"level":"(error|fatal)"/.test(line))
    assert.deepEqual(trouble, [])
  })
})

function connect(server: SpawnedServer, options: Pick<ConnectOptions, 'transport'>): Promise<TestClient> {
  const port = server.ports[options.transport as 'tcp']
  assert.ok(port)
  return TestClient.connect({ port, domain: 'localhost', ...options })
}

/** Logs in and is cut off on the way, or a little later. */
async function negotiate(
  port: number,
  transport: 'tcp' | 'tls' | 'ws',
  broken: { early: number; late: number }
): Promise<void> {
  const client = new TestClient({ port, domain: 'localhost', transport, name: 'mallory' })
  try {
    await client.connect()
    await client.login({ user: 'mallory', password: PASSWORD })
    broken.late++
    client.send('<presence/>')
    client.send(`<message to='nobody@localhost'><body>${'x'.repeat(4000)}</body></message>`)
    await client.isClosed()
  } catch {
    if (client.jid === '') broken.early++
  } finally {
    client.channel?.destroy()
  }
}

/** Open files of a process: sockets among them. */
function descriptors(pid: number): number {
  return fs.existsSync('/proc/self/fd') ? fs.readdirSync(`/proc/${pid}/fd`).length : 0
}

async function sessionsOf(server: SpawnedServer): Promise<number> {
  const { stdout } = await server.run(['status'])
  return Number(/localhost \((\d+) sessions?\)/.exec(stdout)?.[1])
}

async function comesTrue(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  const until = Date.now() + 20_000
  while (!(await done())) {
    assert.ok(Date.now() < until, what)
    await new Promise(setImmediate)
  }
}

/** A small generator of numbers in [0, 1) (mulberry32), so that a run can be repeated. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let n = Math.imul(state ^ (state >>> 15), 1 | state)
    n = (n + Math.imul(n ^ (n >>> 7), 61 | n)) ^ n
    return ((n ^ (n >>> 14)) >>> 0) / 2 ** 32
  }
}
