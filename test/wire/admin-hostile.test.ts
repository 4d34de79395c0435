import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { childOf, childrenOf, childText, type Element } from '../../core/xml/element'
import { Abroad } from '../lib/abroad'
import { IM_HOST } from '../lib/config'
import { startTestServer, type TestServer } from '../lib/server'
import { PASSWORD, scenario, type Player } from '../lib/wire'
import {
  ADMIN,
  COMMANDS,
  execute,
  listed,
  notesOf,
  OWN,
  run,
  statusOf,
  submit
} from '../modules/mod_adhoc_admin/helpers'
import { agrees, NODES } from '../modules/mod_server_buddy/hosts'

/** Every command of administration there is, and what somebody hostile or clumsy sends to it. */

const ADMIN_OF = { boss: 'boss@localhost/globe' }
/** Those that do something without having asked: they are not for trying out. */
const AT_ONCE = /#(delete-motd|delete-welcome|config-reload)$/

async function startAll(t: TestContext): Promise<TestServer> {
  const server = await startTestServer(t, {
    hosts: { localhost: { ...IM_HOST, admins: ['admin@localhost'] } },
    modules: {
      adhoc: { sessionsPerUser: 500 },
      adhoc_admin: {},
      announce: {},
      audit: {},
      entity_lists: {},
      s2s_policy: {},
      server_buddy: {}
    },
    config: { operators: ['boss@localhost'] }
  })
  await server.server.accounts.setPassword('boss', 'localhost', PASSWORD)
  return server
}

interface Begun {
  node: string
  answer: Element
  /** The fields of the first form, but for fixed and hidden ones. */
  fields: { name: string; type: string }[]
}

/** Begins every command that has a form. */
async function beginAll(player: Player): Promise<Begun[]> {
  const begun: Begun[] = []
  for (const node of await listed(player, 'localhost')) {
    if (AT_ONCE.test(node)) continue
    const answer = await execute(player, node)
    if (statusOf(answer) !== 'executing') continue
    const form = childOf(childOf(answer, 'command') as Element, 'x') as Element
    const fields = childrenOf(form, 'field').map(({ attrs }) => ({
      name: attrs.var ?? '',
      type: attrs.type ?? 'text-single'
    }))
    begun.push({ node, answer, fields: fields.filter(({ type }) => type !== 'fixed' && type !== 'hidden') })
  }
  return begun
}

const SEVERAL = new Set(['jid-multi', 'list-multi', 'text-multi'])

test('XEP-0133 §6: who lost the role in the middle of a dialogue gets no further, with any command', async t => {
  const server = await startAll(t)
  await scenario(server, ADMIN_OF, async ({ boss }) => {
    const begun = await beginAll(boss)
    assert.ok(begun.length > 30, begun.map(({ node }) => node).join('\n'))
    server.server.config.server.operators.length = 0
    for (const { answer, node } of begun) {
      const said = { accountjids: 'boss@localhost', accountjid: 'boss@localhost' }
      assert.equal(statusOf(await submit(boss, answer, said)), 'forbidden', node)
      // Nor later, whether the dialogue has ended with that or not
      const again = statusOf(await submit(boss, answer, said))
      assert.ok(['forbidden', 'not-allowed'].includes(again), `${node}: ${again}`)
      // Nor do they begin it anew
      assert.equal(statusOf(await execute(boss, node)), 'forbidden', node)
    }
    assert.deepEqual(await listed(boss, 'localhost'), [])
    assert.equal(await server.server.accounts.exists('boss', 'localhost'), true)
  })
  assert.deepEqual(server.errors(), [])
})

test('XEP-0004 §3.2: five values where one belongs; the note names the field, and nothing is done', async t => {
  const server = await startAll(t)
  await scenario(server, ADMIN_OF, async ({ boss }) => {
    const tried: string[] = []
    for (const { answer, node, fields } of await beginAll(boss)) {
      const names = fields.map(({ name }) => name)
      for (const { name, type } of fields.filter(one => !SEVERAL.has(one.type))) {
        const refused = await submit(boss, answer, { [name]: ['1', '2', '3', '4', '5'] })
        assert.equal(statusOf(refused), 'executing', `${node} ${name}`)
        const [note = ''] = notesOf(refused)
        // An earlier one that is missing may come first
        const named = names.find(one => note.startsWith(`error: ${one}: `))
        assert.ok(
          named !== undefined && names.indexOf(named) <= names.indexOf(name),
          `${node} ${name}: ${note}`
        )
        if (named === name) assert.match(note, /one value is expected, not several$/, `${node} ${type}`)
        tried.push(`${node} ${name}`)
      }
    }
    assert.ok(tried.length > 25, tried.join('\n'))
    assert.equal(await server.server.accounts.count('localhost'), 1)
  })
  assert.deepEqual(server.errors(), [])
})

test('XEP-0068 §3.1, XEP-0004 §3.2: another FORM_TYPE, a field twice, one without a name', async t => {
  const server = await startAll(t)
  await scenario(server, ADMIN_OF, async ({ boss }) => {
    for (const { answer, node, fields } of await beginAll(boss)) {
      const { sessionid } = childOf(answer, 'command')?.attrs ?? {}
      const name = fields[0]?.name ?? 'x'
      const field = (of: string, value = 'x'): string => `<field var='${of}'><value>${value}</value></field>`
      const type = node.startsWith(OWN) ? OWN : ADMIN
      for (const [form, why] of [
        [field('FORM_TYPE', 'urn:example:other'), `error: FORM_TYPE: must be ${type}`],
        [field('FORM_TYPE', type) + field('FORM_TYPE', type), 'error: FORM_TYPE: the field is there twice'],
        [field(name) + field(name), `error: ${name}: the field is there twice`],
        [`<field><value>x</value></field>`, `error: a field has no 'var'`],
        [Array.from({ length: 300 }, (_, i) => field(`f${i}`)).join(''), 'error: more than 256 fields']
      ] as const) {
        const refused = await boss.request(
          `<iq type='set' to='localhost'><command xmlns='${COMMANDS}' node='${node}' sessionid='${sessionid}'>
             <x xmlns='jabber:x:data' type='submit'>${form}</x></command></iq>`
        )
        assert.equal(statusOf(refused), 'executing', `${node} ${why}`)
        assert.equal(notesOf(refused)[0], why, node)
      }
    }
  })
  assert.deepEqual(server.errors(), [])
})

test('XEP-0004 §3.1: without FORM_TYPE, and with fields that nobody knows, a form is what it is', async t => {
  const server = await startAll(t)
  const strange = ['b.example', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'sessionid', 'role']
  const unknown = strange.map(name => `<field var='${name}'><value>operator</value></field>`).join('')
  await scenario(server, ADMIN_OF, async ({ boss }) => {
    for (const [node, fields, type] of [
      ['add-user', { accountjid: 'juliet@localhost', password: 'x1', 'password-verify': 'x1' }, 'completed'],
      ['edit-blacklist', { blacklistjids: 'a.example' }, 'completed'],
      ['server-buddy', { peerjid: 'b.example' }, 'completed'],
      ['delete-user', { accountjids: 'juliet@localhost' }, 'completed'],
      // What is required is not made up by what is unknown
      ['add-user', {}, 'executing']
    ] as const) {
      const { sessionid } = childOf(await execute(boss, `${ADMIN}#${node}`), 'command')?.attrs ?? {}
      const known = Object.entries(fields).map(
        ([name, value]) => `<field var='${name}'><value>${value}</value></field>`
      )
      const answer = await boss.request(
        `<iq type='set' to='localhost'><command xmlns='${COMMANDS}' node='${ADMIN}#${node}' sessionid='${sessionid}'>
           <x xmlns='jabber:x:data' type='submit'>${unknown}${known.join('')}</x></command></iq>`
      )
      assert.equal(statusOf(answer), type, `${node}: ${answer}`)
    }
    assert.equal(await server.server.accounts.exists('juliet', 'localhost'), false)
    assert.equal(({} as Record<string, unknown>).operator, undefined)
  })
  assert.deepEqual(server.errors(), [])
})

test('XEP-0267 §2: peers whose domains are names of fields or of what every object has', async t => {
  const server = await startAll(t)
  const abroad = new Abroad(server)
  const peers = [
    'peers',
    'decision',
    'note',
    'peerjid',
    'constructor',
    'tostring',
    'hasownproperty',
    'valueof'
  ]
  await scenario(server, ADMIN_OF, async ({ boss }) => {
    for (const peer of peers) await abroad.says(`<presence from='${peer}' to='localhost' type='subscribe'/>`)
    await agrees(boss, 'localhost', Object.fromEntries(peers.map(peer => [peer, 'none in'])))
    // A field that is named like a peer decides nothing
    const begun = await execute(boss, NODES.pending)
    const named = Object.fromEntries(peers.map(peer => [peer, 'approve']))
    const { decision, note, peers: chosen, ...strange } = named
    assert.ok(decision && note && chosen)
    await submit(boss, begun, { ...strange, decision: 'approve', peers: ['constructor', 'peers'] })
    await agrees(boss, 'localhost', {
      ...Object.fromEntries(peers.map(peer => [peer, 'none in'])),
      constructor: 'from out',
      peers: 'from out'
    })
    const rest = peers.filter(peer => peer !== 'constructor' && peer !== 'peers')
    await run(boss, NODES.pending, { decision: 'refuse', peers: rest, note: 'decision' })
    await agrees(boss, 'localhost', { constructor: 'from out', peers: 'from out' })
    await run(boss, NODES.remove, { peers: ['constructor', 'peers'] })
    await agrees(boss, 'localhost', {})
  })
  assert.deepEqual(server.errors(), [])
})

test('two administrators approve and refuse at the same moment: one of them has decided, the other is told', async t => {
  const server = await startAll(t)
  const abroad = new Abroad(server)
  const cast = { boss: 'boss@localhost/globe', admin: 'admin@localhost/office' }
  await scenario(server, cast, async ({ boss, admin }) => {
    for (let i = 0; i < 10; i++) {
      const peer = `peer${i}.example`
      await abroad.says(`<presence from='${peer}' to='localhost' type='subscribe'/>`)
      const dialogues = [await execute(boss, NODES.pending), await execute(admin, NODES.pending)] as const
      abroad.heard.length = 0
      const [approved, refused] = await Promise.all([
        submit(boss, dialogues[0], { peers: peer, decision: 'approve' }),
        submit(admin, dialogues[1], { peers: peer, decision: 'refuse' })
      ])
      const states = [statusOf(approved), statusOf(refused)]
      assert.equal(states.filter(state => state === 'completed').length, 1, states.join())
      assert.equal(states.filter(state => state === 'item-not-found').length, 1, states.join())
      const won = states[0] === 'completed'
      await abroad.finds(`<presence to='${peer}' type='${won ? 'subscribed' : 'unsubscribed'}'/>`)
      // Never both
      const other = won ? 'unsubscribed' : 'subscribed'
      assert.ok(!abroad.heard.some(({ attrs }) => attrs.type === other), String(abroad.heard))
      // Whoever comes later is told the same, and it stays as it was decided
      const late = await run(admin, NODES.pending, { peers: peer, decision: won ? 'refuse' : 'approve' })
      assert.equal(statusOf(late), 'item-not-found')
      if (won) await run(boss, NODES.remove, { peers: peer })
      await agrees(boss, 'localhost', {})
    }
  })
  assert.deepEqual(server.errors(), [])
})

test('XEP-0050 §3.3: the dialogue of one administrator is not the other’s, whatever their roles', async t => {
  const server = await startAll(t)
  const cast = { boss: 'boss@localhost/globe', admin: 'admin@localhost/office' }
  await scenario(server, cast, async ({ boss, admin }) => {
    for (const { answer, node } of await beginAll(boss)) {
      const status = statusOf(await submit(admin, answer, {}))
      assert.ok(['not-allowed', 'forbidden'].includes(status), `${node}: ${status}`)
    }
    assert.ok(childText(childOf(await execute(boss, NODES.request), 'command') as Element, 'x') !== undefined)
  })
})
