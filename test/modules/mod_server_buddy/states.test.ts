import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { Abroad } from '../../lib/abroad'
import { startTestServer } from '../../lib/server'
import { scenario, type Player } from '../../lib/wire'
import { agrees, NODES, rosterOf, runs, twoHosts } from './hosts'

/** Every state of RFC 6121 appendix A that a peer server can be in, and everything that can happen in it. */

type Event = 'subscribe' | 'subscribed' | 'unsubscribe' | 'unsubscribed'
type Act = Event | 'remove to' | 'remove from' | 'remove both'

/** What is in the server roster then ('' for nothing) and what the peer is told, in this order. */
type Outcome = [after: string, ...told: string[]]

interface Case {
  /** How it comes to it: what the peer says, and what an administrator does. */
  by: (Event | 'ask' | 'approve')[]
  acts: Record<Act, Outcome | 'nothing to end'>
}

const END = ['unavailable', 'unsubscribed'] as const

const CASES: Record<string, Case> = {
  'none out': {
    by: ['ask'],
    acts: {
      // §1: the originating server approves what is asked in return
      subscribe: ['from out', 'subscribed', 'available'],
      subscribed: ['to'],
      unsubscribe: ['none out'],
      unsubscribed: ['none'],
      'remove to': ['', 'unsubscribe'],
      'remove from': 'nothing to end',
      'remove both': ['', 'unsubscribe']
    }
  },
  'none in': {
    by: ['subscribe'],
    acts: {
      subscribe: ['none in'],
      subscribed: ['none in'],
      unsubscribe: ['', 'unsubscribed'],
      unsubscribed: ['none in'],
      'remove to': 'nothing to end',
      'remove from': ['', 'unsubscribed'],
      'remove both': ['', 'unsubscribed']
    }
  },
  'none out, in': {
    by: ['subscribe', 'ask'],
    acts: {
      subscribe: ['from out', 'subscribed', 'available'],
      subscribed: ['to in'],
      unsubscribe: ['none out', 'unsubscribed'],
      unsubscribed: ['none in'],
      'remove to': ['none in', 'unsubscribe'],
      'remove from': ['none out', 'unsubscribed'],
      'remove both': ['', 'unsubscribe', 'unsubscribed']
    }
  },
  to: {
    by: ['ask', 'subscribed'],
    acts: {
      subscribe: ['both', 'subscribed', 'available'],
      subscribed: ['to'],
      unsubscribe: ['to'],
      unsubscribed: [''],
      'remove to': ['', 'unsubscribe'],
      'remove from': 'nothing to end',
      'remove both': ['', 'unsubscribe']
    }
  },
  'to in': {
    by: ['subscribe', 'ask', 'subscribed'],
    acts: {
      subscribe: ['both', 'subscribed', 'available'],
      subscribed: ['to in'],
      unsubscribe: ['to', 'unsubscribed'],
      unsubscribed: ['none in'],
      'remove to': ['none in', 'unsubscribe'],
      'remove from': ['to', 'unsubscribed'],
      'remove both': ['', 'unsubscribe', 'unsubscribed']
    }
  },
  from: {
    by: ['subscribe', 'approve', 'unsubscribed'],
    acts: {
      subscribe: ['from', 'subscribed'],
      subscribed: ['from'],
      // That it has refused ours stays to be seen
      unsubscribe: ['none', ...END],
      unsubscribed: ['from'],
      'remove to': ['from'],
      'remove from': ['none', ...END],
      'remove both': ['', ...END]
    }
  },
  'from out': {
    by: ['subscribe', 'approve'],
    acts: {
      subscribe: ['from out', 'subscribed'],
      subscribed: ['both'],
      unsubscribe: ['none out', ...END],
      unsubscribed: ['from'],
      'remove to': ['from', 'unsubscribe'],
      'remove from': ['none out', ...END],
      'remove both': ['', 'unsubscribe', ...END]
    }
  },
  both: {
    by: ['subscribe', 'approve', 'subscribed'],
    acts: {
      subscribe: ['both', 'subscribed'],
      subscribed: ['both'],
      unsubscribe: ['to', ...END],
      unsubscribed: ['from'],
      'remove to': ['from', 'unsubscribe'],
      'remove from': ['to', ...END],
      'remove both': ['', 'unsubscribe', ...END]
    }
  }
}

async function brought(admin: Player, abroad: Abroad, peer: string, by: Case['by']): Promise<void> {
  for (const step of by) {
    if (step === 'ask') await runs(admin, 'localhost', NODES.request, { peerjid: peer })
    else if (step === 'approve')
      await runs(admin, 'localhost', NODES.pending, { peers: [peer], decision: 'approve' })
    else await abroad.says(`<presence from='${peer}' to='localhost' type='${step}'/>`)
  }
}

async function acts(admin: Player, abroad: Abroad, peer: string, act: Act): Promise<string> {
  const [, direction] = act.split(' ')
  if (direction) return String(await runs(admin, 'localhost', NODES.remove, { peers: [peer], direction }))
  await abroad.says(`<presence from='${peer}' to='localhost' type='${act}'/>`)
  return ''
}

for (const [state, { by, acts: all }] of Object.entries(CASES)) {
  test(`RFC 6121 §3, appendix A: what can happen to a peer that is "${state}"`, async t => {
    const server = await startTestServer(t, twoHosts())
    await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
      const abroad = new Abroad(server)
      for (const [act, outcome] of Object.entries(all) as [Act, Case['acts'][Act]][]) {
        const peer = `${act.replace(' ', '-')}.example`
        await brought(admin, abroad, peer, by)
        assert.equal((await rosterOf(admin, 'localhost'))[peer], state, `${act}: before`)
        abroad.heard.length = 0
        const answer = await acts(admin, abroad, peer, act)
        const [after, ...told] = outcome === 'nothing to end' ? [state] : outcome
        if (outcome === 'nothing to end') assert.match(answer, /<item-not-found/, act)
        else assert.doesNotMatch(answer, /type="error"/, act)
        assert.equal((await rosterOf(admin, 'localhost'))[peer] ?? '', after, `${act}: after`)
        // XEP-0267 §1, §4: a `subscribe` is in no row of the table
        assert.deepEqual(
          abroad.heard.map(({ attrs }) => [attrs.to, attrs.type ?? 'available']),
          told.map(type => [peer, type]),
          act
        )
      }
    })
    assert.deepEqual(server.errors(), [])
  })
}

test('XEP-0267 §1, §4: a `subscribe` leaves in return for each approval, once, and else never unasked', async t => {
  const server = await startTestServer(t, twoHosts())
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    const abroad = new Abroad(server, 'channels.localhost')
    const asked = (): string[] =>
      abroad.heard
        .splice(0)
        .filter(({ attrs }) => attrs.type === 'subscribe')
        .map(({ attrs }) => String(attrs.to))
    const says = (peer: string, type: string): Promise<void> =>
      abroad.says(`<presence from='${peer}' to='channels.localhost'${type && ` type='${type}'`}/>`)
    for (const [policy, returned] of [
      ['ask', []],
      ['never', []],
      ['listed', []],
      ['always', ['always.example']]
    ] as const) {
      await runs(admin, 'channels.localhost', NODES.policy, { policy })
      const peer = `${policy}.example`
      for (const type of ['', 'subscribed', 'probe', 'unavailable', 'unsubscribed', 'subscribe', 'subscribe'])
        await says(peer, type)
      await says(peer, 'subscribe')
      assert.deepEqual(asked(), returned, policy)
    }
    const form = { peers: ['ask.example'], decision: 'approve' }
    await runs(admin, 'channels.localhost', NODES.pending, form)
    assert.deepEqual(asked(), ['ask.example'])
    await says('ask.example', 'subscribed')
    await runs(admin, 'channels.localhost', NODES.remove, { peers: ['ask.example'], direction: 'from' })
    await says('ask.example', 'subscribe')
    await runs(admin, 'channels.localhost', NODES.pending, form)
    // Unless already subscribed
    assert.deepEqual(asked(), [])
    await agrees(admin, 'channels.localhost', {
      'ask.example': 'both',
      'listed.example': 'none in',
      'always.example': 'from out'
    })
    for (const restarted of [false, true]) {
      if (restarted) assert.equal((await server.server.api.modules.reload('server_buddy')).ok, true)
      assert.equal((await server.server.api.modules.unload('server_buddy', 'channels.localhost')).ok, true)
      assert.equal((await server.server.api.modules.load('server_buddy', 'channels.localhost')).ok, true)
      await abroad.finds(`<presence to='ask.example' type='probe'/>`)
      assert.deepEqual(asked(), [])
    }
  })
})

test('XEP-0267 §1, §4: nothing in the code sends a `subscribe` of a host but that one line', () => {
  const MODULES = path.resolve(__dirname, '../../../modules')
  const files = (fs.readdirSync(MODULES, { recursive: true }) as string[]).filter(file =>
    file.endsWith('.ts')
  )
  const text = (file: string): string => fs.readFileSync(path.join(MODULES, file), 'utf8')
  const own = files.filter(file => file.startsWith('mod_server_buddy'))
  const lines = (pattern: RegExp): string[] =>
    own.flatMap(file =>
      text(file)
        .split('\n')
        .filter(line => pattern.test(line))
        .map(line => line.trim())
    )
  assert.deepEqual(lines(/send\(\s*'subscribe'|type: 'subscribe'/), [
    `if (!isTo(buddy)) this.#send('subscribe', domain, requestId(buddy))`
  ])
  assert.deepEqual(lines(/#subscribe\(/), [
    `return this.#subscribe(domain, { by, why: 'administrator' })`,
    'async #subscribe(domain: string, reason: Reason): Promise<Buddy> {',
    `return this.#subscribe(domain, { by, why: 'approved' })`
  ])
  assert.deepEqual(
    lines(/buddies\.ask\(/),
    ['await buddies.ask(domain, run.actor)'],
    'one command, and nothing else'
  )
  const elsewhere = files
    .filter(file => !file.startsWith('mod_server_buddy'))
    .filter(file => /el\(\s*'presence'[^)]*'subscribe'/s.test(text(file)))
  assert.deepEqual(elsewhere, [], 'no other module makes one')
})
