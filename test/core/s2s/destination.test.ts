import assert from 'node:assert/strict'
import test from 'node:test'
import { StanzaError } from '../../../core/errors'
import { Destination, Unopened, type DestinationOwner } from '../../../core/federation/destination'
import type { Failure, Parcel, PeerStream, Verdict } from '../../../core/streams/s2s/backend'
import type { OutgoingStream } from '../../../core/streams/s2s/outgoing'
import type { Element } from '../../../core/xml/element'
import { parseStanza } from '../../lib/reader'

/** A stream as a destination sees it. */
class FakeStream {
  closed = false
  ready = false
  room = Infinity
  authenticated = 0
  readonly sent: Parcel[] = []
  readonly asked: string[] = []

  hasRoom(): boolean {
    return this.sent.length < this.room
  }
  deliver(parcel: Parcel): void {
    this.sent.push(parcel)
  }
  authenticate(): void {
    this.authenticated++
  }
  verify(id: string): Promise<Verdict> {
    this.asked.push(id)
    return Promise.resolve('valid')
  }
  close(): void {
    this.closed = true
  }
  get ids(): string[] {
    return this.sent.map(({ stanza }) => stanza.attrs.id ?? '')
  }
}

class FakeOwner implements DestinationOwner {
  limits = { count: 5, bytes: 10_000, time: 1000 }
  readonly bounced: string[] = []
  readonly opened: Array<{
    resolve(stream: FakeStream): Promise<void>
    reject(error: Error): Promise<void>
    after: PeerStream | undefined
    signal: AbortSignal
  }> = []
  isActive = false
  forgotten = 0
  alternatives = false

  open(_: Destination, signal: AbortSignal, after?: PeerStream): Promise<OutgoingStream> {
    return new Promise((resolve, reject) => {
      const settled = () => new Promise<void>(done => setImmediate(done))
      this.opened.push({
        after,
        signal,
        resolve: stream => {
          resolve(stream as unknown as OutgoingStream)
          return settled()
        },
        reject: error => {
          reject(error)
          return settled()
        }
      })
    })
  }
  hasAlternative(): boolean {
    return this.alternatives
  }
  active(_: Destination, active: boolean): void {
    this.isActive = active
  }
  forget(): void {
    this.forgotten++
  }
  bounce({ stanza }: { stanza: Element }, { condition }: StanzaError): void {
    this.bounced.push(`${stanza.attrs.id} ${condition}`)
  }
  delivered(): void {}
  failed(): void {}
}

const message = (id: string, size = 1): Element =>
  parseStanza(
    `<message from='romeo@a.example' to='juliet@b.example' id='${id}'><body>${'x'.repeat(size)}</body></message>`
  )
const asPeer = (stream: FakeStream): PeerStream => stream as unknown as PeerStream
const failure = (condition: Failure['condition'], temporary = true): Failure => ({
  condition,
  reason: 'a test',
  temporary
})

function rig() {
  const owner = new FakeOwner()
  const destination = new Destination('a.example', 'b.example', owner)
  const send = (...ids: string[]): void => ids.forEach(id => destination.send(message(id)))
  const stream = new FakeStream()
  /** Opens it, as far as it goes. */
  const open = async (): Promise<void> => {
    await owner.opened.at(-1)?.resolve(stream)
    stream.ready = true
    destination.use(asPeer(stream))
  }
  return { owner, destination, send, stream, open }
}

test('what is sent waits for the stream, and goes over it in order', async () => {
  const { owner, send, stream, open, destination } = rig()
  send('1', '2')
  assert.equal(owner.opened.length, 1, 'one connection')
  assert.ok(owner.isActive)
  await owner.opened[0]?.resolve(stream)
  assert.equal(stream.authenticated, 1)
  assert.deepEqual(stream.ids, [])
  await open()
  send('3')
  assert.deepEqual(stream.ids, ['1', '2', '3'])
  assert.equal(destination.count, 3, 'until they are acknowledged')
  for (const parcel of stream.sent) destination.delivered(parcel)
  assert.deepEqual([destination.count, destination.bytes, destination.settled], [0, 0, true])
  assert.ok(!owner.isActive)
})

test('it is bounded in count and bytes', async () => {
  const { owner, send, open, stream, destination } = rig()
  send('1', '2', '3', '4', '5', '6')
  assert.deepEqual(owner.bounced, ['6 resource-constraint'])
  await open()
  send('7')
  assert.deepEqual(owner.bounced.length, 2, 'what is not acknowledged counts')
  destination.delivered(stream.sent[0] as Parcel)
  destination.send(message('8', 20_000))
  destination.delivered(stream.sent[1] as Parcel)
  send('9')
  assert.deepEqual(owner.bounced.slice(1), ['7 resource-constraint', '9 resource-constraint'])
})

test('it is bounded in time', () => {
  const { owner, send, destination } = rig()
  send('1')
  destination.sweep(Date.now() + 500)
  assert.deepEqual(owner.bounced, [])
  destination.sweep(Date.now() + 1001)
  assert.deepEqual(owner.bounced, ['1 remote-server-timeout'])
  assert.equal(destination.count, 0)
})

test('a stream that is full is waited for', async () => {
  const { send, open, stream, destination } = rig()
  stream.room = 2
  send('1', '2', '3')
  const before: unknown = destination.congestion
  assert.equal(before, undefined, 'without a stream the queue is for everybody')
  await open()
  assert.deepEqual(stream.ids, ['1', '2'])
  let relieved = false
  const congestion = destination.congestion
  assert.ok(congestion)
  void congestion.then(() => (relieved = true))
  send('4')
  stream.room = 3
  destination.flush()
  await new Promise(setImmediate)
  assert.ok(!relieved)
  stream.room = 9
  destination.flush()
  await congestion
  assert.deepEqual(stream.ids, ['1', '2', '3', '4'])
})

test('what may not have arrived is sent again before the rest, over another stream', async () => {
  const { owner, send, open, stream, destination } = rig()
  send('1', '2', '3')
  await open()
  destination.delivered(stream.sent[0] as Parcel)
  stream.closed = true
  destination.returned(stream.sent.slice(1), false)
  destination.lost(asPeer(stream))
  send('4')
  assert.equal(owner.opened.length, 1, 'a stream that ended at once is not opened again at once')
  destination.nudge()
  assert.equal(owner.opened.length, 2)
  const next = new FakeStream()
  await owner.opened[1]?.resolve(next)
  next.ready = true
  destination.use(asPeer(next))
  assert.deepEqual(next.ids, ['2', '3', '4'])
  assert.deepEqual(owner.bounced, [])
})

test('the first that is never acknowledged is given up, not those behind it', async () => {
  const { owner, send, destination } = rig()
  send('1', '2')
  for (let i = 0; i < 3; i++) {
    const stream = new FakeStream()
    await owner.opened.at(-1)?.resolve(stream)
    stream.ready = true
    destination.use(asPeer(stream))
    stream.closed = true
    destination.returned(stream.sent, true)
    destination.lost(asPeer(stream))
    destination.nudge()
  }
  assert.deepEqual(owner.bounced, ['1 remote-server-timeout'])
  assert.equal(destination.count, 1)
})

test('a network that fails again and again costs no stanza', async () => {
  const { owner, send, destination } = rig()
  send('1')
  for (let i = 0; i < 10; i++) {
    const stream = new FakeStream()
    await owner.opened.at(-1)?.resolve(stream)
    stream.ready = true
    destination.use(asPeer(stream))
    stream.closed = true
    destination.returned(stream.sent, false)
    destination.lost(asPeer(stream))
    destination.nudge()
  }
  assert.deepEqual(owner.bounced, [])
  assert.equal(destination.count, 1)
})

test('where there is no server, senders hear of it at once', async () => {
  const { owner, send, destination } = rig()
  send('1', '2')
  await owner.opened[0]?.reject(new Unopened(failure('remote-server-not-found', false)))
  send('3')
  assert.deepEqual(owner.bounced, [
    '1 remote-server-not-found',
    '2 remote-server-not-found',
    '3 remote-server-not-found'
  ])
  assert.deepEqual(await destination.verify({ local: '', remote: '', id: '1', key: '' }), {
    condition: 'remote-server-not-found'
  })
  destination.sweep(Date.now() + 31_000)
  send('4')
  assert.equal(owner.bounced.length, 3, 'it is not known any more')
  destination.nudge()
  assert.equal(owner.opened.length, 2, 'it is tried again')
})

test('who cannot be reached is tried again, later each time', async () => {
  const { owner, send, destination } = rig()
  send('1')
  await owner.opened[0]?.reject(new Unopened(failure('remote-server-timeout')))
  assert.deepEqual(owner.bounced, [])
  destination.sweep(Date.now())
  assert.equal(owner.opened.length, 1)
  const late: Verdict = await destination.verify({ local: '', remote: '', id: '1', key: '' })
  assert.equal(typeof late === 'string' ? late : late.condition, 'remote-server-timeout')
})

test('when the time is over, senders hear why nobody was reached', async () => {
  const { owner, send, destination } = rig()
  send('1')
  await owner.opened[0]?.reject(new Unopened(failure('remote-server-not-found')))
  assert.deepEqual(owner.bounced, [])
  destination.sweep(Date.now() + 1001)
  assert.deepEqual(owner.bounced, ['1 remote-server-not-found'])
})

test('a refusal by policy goes to all senders, and ends with the policy', async () => {
  const { owner, send, destination } = rig()
  send('1')
  await owner.opened[0]?.reject(new StanzaError('not-allowed'))
  send('2')
  assert.deepEqual(owner.bounced, ['1 not-allowed', '2 not-allowed'])
  destination.permit()
  send('3')
  assert.equal(owner.opened.length, 2)
})

test('a stream that the peer opened for both directions is used, and replaced when it ends', async () => {
  const { owner, send, stream, destination } = rig()
  send('1')
  const theirs = new FakeStream()
  destination.use(asPeer(theirs))
  assert.deepEqual(theirs.ids, ['1'])
  await owner.opened[0]?.resolve(stream)
  assert.equal(stream.authenticated, 0, 'ours is not needed')
  theirs.closed = true
  destination.returned(theirs.sent, false)
  destination.lost(asPeer(theirs))
  assert.equal(stream.authenticated, 1, 'now it is')
})

test('another place is tried at once, where there is one', async () => {
  const { owner, send, stream, destination } = rig()
  send('1')
  await owner.opened[0]?.resolve(stream)
  owner.alternatives = true
  stream.closed = true
  destination.lost(asPeer(stream), failure('remote-server-timeout'))
  assert.equal(owner.opened.length, 2)
  assert.equal(owner.opened[1]?.after, asPeer(stream))
})

test('questions wait for the stream, which is not authenticated for them', async () => {
  const { owner, destination, stream } = rig()
  const verdict = destination.verify({ local: 'a.example', remote: 'b.example', id: 'i1', key: 'k' })
  await owner.opened[0]?.resolve(stream)
  assert.equal(await verdict, 'valid')
  assert.deepEqual(stream.asked, ['i1'])
  assert.equal(stream.authenticated, 0)
})

test('it is forgotten when nothing is left of it', async () => {
  const { owner, send, open, stream, destination } = rig()
  send('1')
  await open()
  destination.delivered(stream.sent[0] as Parcel)
  assert.equal(owner.forgotten, 0)
  stream.closed = true
  destination.lost(asPeer(stream))
  destination.nudge()
  destination.sweep(Date.now())
  assert.ok(owner.forgotten > 0)
})

test('closed, it answers everything with an error', async () => {
  const { owner, send, destination } = rig()
  send('1')
  destination.close(new StanzaError('remote-server-timeout'))
  send('2')
  assert.deepEqual(owner.bounced, ['1 remote-server-timeout', '2 resource-constraint'])
  assert.ok(owner.opened[0]?.signal.aborted)
})
