import assert from 'node:assert/strict'
import test from 'node:test'
import { exchange } from '../lib/exchange.mjs'

/** Two clients without a server: what one sends is kept until the test delivers it. */
function pair() {
  const make = name => ({ bare: `${name}@example.org`, sent: [] })
  const [one, other] = ['one', 'other'].map(make)
  for (const client of [one, other]) client.send = xml => client.sent.push(xml)
  const deliver = (from, to, xml = from.sent.shift()) => {
    const bytes = Buffer.from(xml)
    to.onMessage(bytes, 0, bytes.length)
  }
  return { one, other, deliver }
}

function started(window) {
  const { one, other, deliver } = pair()
  const meter = { running: true, count: 0, op: () => meter.count++ }
  const errors = []
  const options = { window, body: 'hail', meter, noteError: error => errors.push(error) }
  return { one, other, deliver, meter, errors, ...exchange([[one, other]], options) }
}

test('a window is under way, half in each direction, and each arrival makes room for the next', () => {
  const { one, other, deliver, meter, errors, outstanding } = started(5)
  assert.deepEqual([one.sent.length, other.sent.length, outstanding()], [3, 2, 5])
  assert.equal(one.sent[0], "<message type='chat' to='other@example.org' id='c0'><body>hail</body></message>")
  deliver(one, other)
  assert.deepEqual([one.sent.length, outstanding(), meter.count], [3, 5, 1])
  meter.running = false
  for (let n = 0; n < 3; n++) deliver(one, other)
  for (let n = 0; n < 2; n++) deliver(other, one)
  assert.deepEqual([outstanding(), meter.count, errors], [0, 6, []])
})

test('what comes out of order, twice or back is an error; what is no message of ours is counted apart', () => {
  const { one, other, deliver, errors, others } = started(4)
  const [, second] = one.sent
  deliver(one, other, second)
  assert.match(errors[0], /got 1, expected 0/)
  deliver(one, other, second)
  assert.match(errors[1], /got 1, expected 2/)
  deliver(other, one, "<message type='error' id='c0'><error/></message>")
  assert.match(errors[2], /bounced/)
  deliver(other, one, "<message type='headline' id='x'/>")
  assert.equal(others(), 1)
})
