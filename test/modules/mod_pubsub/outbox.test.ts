import assert from 'node:assert/strict'
import test from 'node:test'
import { Outbox } from '../../../modules/mod_pubsub/outbox'
import type { Notification } from '../../../modules/lib_pubsub'

function purge(node: string, recipients: readonly string[]): Notification {
  return { node, recipients, type: 'headline', event: { kind: 'purge' } }
}

function collecting(): { outbox: Outbox; sent: string[]; ids: Set<string> } {
  const sent: string[] = []
  const ids = new Set<string>()
  const outbox = new Outbox({
    from: 'pubsub.example',
    send(message) {
      sent.push(`${/node="(.)"/.exec(message.toString())?.[1]}:${message.attrs.to}`)
      ids.add(message.attrs.id as string)
    },
    later: fn => void setImmediate(fn)
  })
  return { outbox, sent, ids }
}

const many = Array.from({ length: 1200 }, (_, i) => `u${i}@example`)

test('a few are told at once', () => {
  const { outbox, sent } = collecting()
  assert.equal(outbox.send([]), undefined)
  assert.equal(outbox.send([purge('a', ['u1', 'u2']), purge('b', ['u3'])]), undefined)
  assert.deepEqual(sent, ['a:u1', 'a:u2', 'b:u3'])
})

test('many are told in slices, and what comes later comes after them', async () => {
  const { outbox, sent, ids } = collecting()
  const first = outbox.send([purge('a', many)])
  assert.ok(first instanceof Promise)
  assert.equal(sent.length, 500)
  const second = outbox.send([purge('b', ['last'])])
  assert.ok(second instanceof Promise)
  await second
  assert.deepEqual(sent, [...many.map(jid => `a:${jid}`), 'b:last'])
  assert.equal(ids.size, 1201)
  await first
  assert.equal(outbox.send([purge('c', ['u'])]), undefined)
})

test('at the end all that is left is sent, and what still comes', async () => {
  const { outbox, sent } = collecting()
  const first = outbox.send([purge('a', many)])
  const second = outbox.send([purge('b', many)])
  assert.ok(first instanceof Promise && second instanceof Promise)
  outbox.close()
  assert.equal(sent.length, 2400)
  await Promise.all([first, second])
  assert.equal(outbox.send([purge('c', many)]), undefined)
  assert.equal(sent.length, 3600)
})
