import assert from 'node:assert/strict'
import test from 'node:test'
import { Sessions, type Beginning } from '../../../modules/mod_adhoc/sessions'
import { newWalk } from '../../../core/modules/walk'
import { scenario } from '../../lib/wire'
import { command, form, outcome, sessionOf, startWithCommands } from './commands'

const LIMITS = { sessionMinutes: 10, sessionsPerUser: 2, sessions: 3 }
const MINUTE = 60_000

function start(requester: string): Beginning {
  const [bare = ''] = requester.split('/')
  return { requester, bare, asked: 'localhost', node: 'config', lang: undefined, stages: 3, walk: newWalk() }
}

const who = (requester: string) => ({ requester, asked: 'localhost', node: 'config' })

test('XEP-0050 §3.3: a session is its requester’s, at the address and for the node where it began', () => {
  const sessions = new Sessions(LIMITS, undefined)
  const { id } = sessions.open(start('juliet@localhost/balcony'), 'member', 0)
  const own = who('juliet@localhost/balcony')
  for (const other of [
    who('juliet@localhost/chamber'),
    who('romeo@localhost/orchard'),
    { ...own, asked: 'juliet@localhost' },
    { ...own, node: 'list' }
  ])
    assert.equal(sessions.find(id, other, 1), undefined)
  assert.equal(sessions.find(id, own, 1)?.id, id)
})

test('a session that nobody goes on with expires; each request prolongs it', () => {
  const sessions = new Sessions(LIMITS, undefined)
  const own = who('juliet@localhost/balcony')
  const { id } = sessions.open(start(own.requester), 'member', 0)
  assert.ok(sessions.find(id, own, 9 * MINUTE))
  assert.ok(sessions.find(id, own, 18 * MINUTE))
  assert.equal(sessions.find(id, own, 28 * MINUTE), undefined)
  assert.deepEqual(sessions.save(), [])
  sessions.open(start(own.requester), 'member', 0)
  sessions.expire(10 * MINUTE)
  assert.deepEqual(sessions.save(), [])
})

test('sessions are bounded by account, whatever the resource, and on the host; expired ones make room', () => {
  const sessions = new Sessions(LIMITS, undefined)
  const full = { condition: 'resource-constraint' }
  sessions.open(start('juliet@localhost/balcony'), 'member', 0)
  const second = sessions.open(start('juliet@localhost/chamber'), 'member', 0)
  assert.throws(() => sessions.open(start('juliet@localhost/garden'), 'member', 0), full)
  sessions.open(start('romeo@localhost/orchard'), 'member', 0)
  assert.throws(() => sessions.open(start('nurse@localhost/hall'), 'member', 0), full)
  sessions.end(second)
  sessions.open(start('nurse@localhost/hall'), 'member', 0)
  assert.throws(() => sessions.open(start('benvolio@localhost/street'), 'member', 0), full)
  sessions.open(start('benvolio@localhost/street'), 'member', 10 * MINUTE)
})

test('sessions outlive a reload of the module', () => {
  const before = new Sessions(LIMITS, undefined)
  const { id } = before.open(start('juliet@localhost/balcony'), 'member', 0)
  const after = new Sessions(LIMITS, structuredClone(before.save()))
  assert.ok(after.find(id, who('juliet@localhost/balcony'), 1))
})

test('XEP-0050 §3.3: nobody goes on with the session of another, nor from another resource', async t => {
  const server = await startWithCommands(t, { sessionsPerUser: 1 })
  await scenario(
    server,
    {
      juliet: 'juliet@localhost/balcony',
      chamber: 'juliet@localhost/chamber',
      mallory: 'mallory@localhost/x'
    },
    async ({ juliet, chamber, mallory }) => {
      const sessionid = sessionOf(await command(juliet, { node: 'config' }))
      const attrs = { node: 'config', sessionid }
      for (const other of [chamber, mallory]) {
        const taken = await command(other, attrs, form({ service: 'httpd' }))
        assert.equal(outcome(taken), 'cancel not-allowed +session-expired')
        const ended = await command(other, { ...attrs, action: 'cancel' })
        assert.equal(outcome(ended), 'cancel not-allowed +session-expired')
      }
      assert.equal(outcome(await command(chamber, { node: 'config' })), 'wait resource-constraint')
      assert.equal(outcome(await command(mallory, { node: 'config' })), 'executing')
      // a reload of the module does not end a dialogue
      assert.equal((await server.server.manager.reload('adhoc')).ok, true)
      assert.equal(outcome(await command(juliet, attrs, form({ service: 'httpd' }))), 'executing')
      assert.equal(outcome(await command(juliet, { ...attrs, action: 'cancel' })), 'canceled')
      assert.equal(outcome(await command(chamber, { node: 'config' })), 'executing')
    }
  )
})
