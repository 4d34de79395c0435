import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { Destinations } from '../../../core/federation/destinations'
import { Unopened } from '../../../core/federation/destination'
import { FederationMetrics } from '../../../core/federation/metrics'
import { Metrics } from '../../../core/metrics'
import type { Host } from '../../../core/hosts/host'
import type { Router } from '../../../core/routing/router'
import type { OutgoingStream } from '../../../core/streams/s2s/outgoing'
import { FakeBackend } from '../streams/lib/backend'
import { parseStanza } from '../../lib/reader'

/* What strangers, or one user, can make all destinations together hold. */

function rig(t: TestContext, open: () => Promise<OutgoingStream>) {
  const bounced: string[] = []
  const backend = new FakeBackend()
  const destinations: Destinations = new Destinations({
    log: backend.log,
    metrics: new FederationMetrics(new Metrics(), () => destinations.count),
    router: {
      route: ({ attrs, children }: ReturnType<typeof parseStanza>) =>
        void bounced.push(`${attrs.from} ${String(children.length)}`)
    } as unknown as Router,
    limits: () => ({ count: 10_000, bytes: 100_000, time: 120_000 }),
    host: () => ({ name: 'a.example' }) as Host,
    open,
    hasAlternative: () => false,
    changed: () => undefined
  })
  t.after(() => destinations.stop())
  const send = (remote: string, size = 1): void =>
    destinations
      .get('a.example', remote, 1000)
      ?.send(
        parseStanza(
          `<message from='romeo@a.example' to='juliet@${remote}'><body>${'x'.repeat(size)}</body></message>`
        )
      )
  return { backend, destinations, bounced, send }
}

const notFound = (): Promise<OutgoingStream> =>
  Promise.reject(new Unopened({ condition: 'remote-server-not-found', reason: 'a test', temporary: false }))
const never = (): Promise<OutgoingStream> => new Promise(() => undefined)

test('servers that do not exist leave room for those that do', async t => {
  const { destinations, bounced, send } = rig(t, notFound)
  for (let n = 0; n < 1000; n++) send(`n${n}.example`)
  await new Promise(setImmediate)
  assert.equal(bounced.length, 1000)
  assert.ok(destinations.get('a.example', 'b.example', 1000), 'thirty seconds of everybody else')
})

test('a line of the log for each of them would be for whoever names them to write', async t => {
  const { backend, destinations, send } = rig(t, notFound)
  for (let n = 0; n < 3000; n++) {
    destinations.get('a.example', `n${n}.example`, 5000)
    send(`n${n}.example`)
  }
  send('n1.example')
  await new Promise(setImmediate)
  assert.match(String(backend.logged[0]?.message), /no stream to n0\.example: a test/)
  assert.ok(backend.logged.length < 1500, `${backend.logged.length} lines`)
})

test('those that something waits for are kept', async t => {
  const { destinations, send } = rig(t, never)
  for (let n = 0; n < 1000; n++) send(`n${n}.example`)
  await new Promise(setImmediate)
  assert.equal(destinations.get('a.example', 'b.example', 1000), undefined)
  assert.equal(destinations.count, 1000)
})

test('what waits for all of them is bounded: those go first for whom most waits', t => {
  const { destinations, bounced, send } = rig(t, never)
  send('small.example', 100)
  for (let n = 0; n < 100; n++) for (let m = 0; m < 9; m++) send(`n${n}.evil.example`, 10_000)
  destinations.sweep(Date.now())
  const bytes = destinations.list().reduce((sum, each) => sum + each.bytes, 0)
  assert.ok(bytes <= 400_000, `${bytes} wait`)
  assert.ok(bytes >= 300_000, `no more than must be is given up: ${bytes} wait`)
  assert.equal(destinations.find('a.example', 'small.example')?.count, 1)
  assert.equal(bounced.length + destinations.count, 901, 'nothing is lost without a word')
})
