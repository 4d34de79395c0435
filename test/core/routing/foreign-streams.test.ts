import assert from 'node:assert/strict'
import test from 'node:test'
import { StanzaError } from '../../../core/errors'
import { Gate } from '../../../core/events/gate'
import { HANDLED, type HandlerResult } from '../../../core/events/hooks'
import { Host } from '../../../core/hosts/host'
import { JID } from '../../../core/jid'
import { createLogger } from '../../../core/log'
import { Metrics } from '../../../core/metrics'
import { Carrier } from '../../../core/routing/carrier'
import type { StanzaEvent } from '../../../core/routing/event'
import type { Origin } from '../../../core/routing/origin'
import { Router } from '../../../core/routing/router'
import { LocalDomains } from '../../../core/server/domains'
import { el, firstChild, type Element } from '../../../core/xml/element'

const S2S: Origin = { kind: 's2s', name: 'far.example' }

function setUp() {
  const domains = new LocalDomains()
  const home = domains.add('home.example', 'virtual')
  const scope = new Host('', 'server')
  const log = createLogger({
    level: 'silent' as 'fatal',
    format: 'json',
    destination: { write: () => undefined }
  })
  const router = new Router(domains, scope, log, new Metrics())
  const flow: string[] = []
  const settled: number[] = []
  const carrier = new Carrier({
    router,
    gate: new Gate(),
    limits: { count: 2000, bytes: 1_000_000 },
    stream: {
      pause: () => void flow.push('pause'),
      resume: () => void flow.push('resume'),
      settled: ticket => void settled.push(ticket)
    }
  })
  const carry = (stanza: Element, ticket = 0, bytes = 100): void =>
    carrier.stanza(stanza, JID.parse(stanza.attrs.from as string), bytes, S2S, ticket)
  return { domains, home, scope, router, carrier, carry, flow, settled }
}

function owner(host: Host) {
  return { module: 'test', host: host.name, begin: () => undefined, end: () => undefined }
}

function hook(host: Host, event: string, fn: (event: StanzaEvent) => HandlerResult): void {
  host.hooks.add(event, fn, owner(host))
}

function message(from: string, id: string): Element {
  return el('message', { from, to: 'home.example', id })
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('order is kept per bare `from`: one waiting handler holds up nobody else', async t => {
  const { home, carry, settled, router } = setUp()
  t.after(() => router.stop())
  const seen: string[] = []
  let go = (): void => undefined
  hook(home, 'message/host', ({ stanza }) => {
    seen.push(stanza.attrs.id as string)
    if (stanza.attrs.id === 'a1') return new Promise<typeof HANDLED>(resolve => (go = () => resolve(HANDLED)))
    return HANDLED
  })
  carry(message('a@far.example/x', 'a1'), 1)
  carry(message('a@far.example/y', 'a2'), 2)
  carry(message('b@far.example/x', 'b1'), 3)
  assert.deepEqual(seen, ['a1', 'b1'])
  assert.deepEqual(settled, [3])
  go()
  await turn()
  assert.deepEqual(seen, ['a1', 'b1', 'a2'])
  assert.deepEqual(settled, [3, 1, 2])
})

test('an answer passes a thousand stanzas that wait behind the handler which asks for it', async t => {
  const { home, scope, carry, settled, router } = setUp()
  t.after(() => router.stop())
  const sent: Element[] = []
  hook(scope, 'route/remote', ({ stanza }) => {
    sent.push(stanza)
    return HANDLED
  })
  let got = ''
  hook(home, 'message/host', async ({ stanza, from }): Promise<typeof HANDLED> => {
    if (stanza.attrs.id !== 'first') return HANDLED
    const answer = await router.request(
      el('iq', { type: 'get', to: from.domain }, el('query', 'urn:q')),
      home
    )
    got = firstChild(answer)?.attrs.said as string
    return HANDLED
  })
  carry(message('a@far.example', 'first'))
  for (let i = 0; i < 1000; i++) carry(message(i % 2 ? 'a@far.example' : `u${i}@far.example`, `m${i}`))
  await turn()
  const [iq] = sent
  assert.ok(iq)
  carry(
    el(
      'iq',
      { type: 'result', id: iq.attrs.id, from: 'far.example', to: 'home.example' },
      el('query', { xmlns: 'urn:q', said: 'yes' })
    )
  )
  await turn()
  assert.equal(got, 'yes')
  await turn()
  assert.equal(settled.length, 1002)
})

test('what is under way is bounded for the stream as a whole', async t => {
  const { home, carry, carrier, flow, router } = setUp()
  t.after(() => router.stop())
  const ends: Array<() => void> = []
  hook(home, 'message/host', () => new Promise<typeof HANDLED>(resolve => ends.push(() => resolve(HANDLED))))
  for (let i = 0; i < 2000; i++) carry(message(`u${i}@far.example`, 'm'))
  assert.deepEqual(flow, ['pause'])
  for (const end of ends.splice(0, 999)) end()
  await turn()
  assert.deepEqual(flow, ['pause'])
  for (const end of ends.splice(0)) end()
  await turn()
  assert.deepEqual(flow, ['pause', 'resume'])
  assert.equal(carrier.underWay, 0)
  carry(message('a@far.example', 'big'), 0, 1_000_000)
  assert.deepEqual(flow, ['pause', 'resume', 'pause'])
})

test('nobody from outside speaks for a host of this server; a component only for its own', t => {
  const { domains, home, router, carry, settled } = setUp()
  t.after(() => router.stop())
  domains.add('one.home.example', 'component')
  const seen: string[] = []
  hook(home, 'message/host', ({ from }) => {
    seen.push(from.full)
    return HANDLED
  })
  const component: Origin = { kind: 'component', name: 'one.home.example' }
  carry(message('home.example', 'forged'), 7)
  void router.route(message('home.example', 'forged'), component)
  void router.route(message('bot@one.home.example', 'true'), component)
  void router.route(message('bot@one.home.example', 'forged'), S2S)
  assert.deepEqual(seen, ['bot@one.home.example'])
  assert.deepEqual(settled, [7])
})

test('route/incoming comes before all handlers, for streams of other servers only', t => {
  const { domains, home, router, carry, scope } = setUp()
  t.after(() => router.stop())
  domains.add('one.home.example', 'component')
  const sent: Element[] = []
  hook(scope, 'route/remote', ({ stanza }) => {
    sent.push(stanza)
    return HANDLED
  })
  const seen: string[] = []
  hook(home, 'route/incoming', () => {
    throw new StanzaError('policy-violation')
  })
  hook(home, 'message/host', ({ from }) => {
    seen.push(from.full)
    return HANDLED
  })
  carry(message('a@far.example', 'x'))
  void router.route(message('one.home.example', 'y'), { kind: 'local', name: 'one.home.example' })
  assert.deepEqual(seen, ['one.home.example'])
  assert.equal(sent.length, 1)
  assert.equal(sent[0]?.attrs.type, 'error')
})

test('the host of the sender is asked for a way out before the server', t => {
  const { domains, home, scope, router } = setUp()
  t.after(() => router.stop())
  const upstream = domains.add('up.home.example', 'component')
  const ways: string[] = []
  hook(upstream, 'route/remote', () => {
    ways.push('upstream')
    return HANDLED
  })
  hook(scope, 'route/remote', event => {
    ways.push(event.host.name)
    return HANDLED
  })
  router.send(el('message', { to: 'a@far.example' }), upstream)
  router.send(el('message', { to: 'a@far.example' }), home)
  assert.deepEqual(ways, ['upstream', 'home.example'])
})

test('a relayed host gets everything that is addressed to it, answers included', t => {
  const { domains, home, router } = setUp()
  t.after(() => router.stop())
  const out = domains.add('out.home.example', 'component')
  const taken: string[] = []
  out.relay = { stanza: ({ stanza }) => void taken.push(`${stanza.name} ${stanza.attrs.type ?? ''}`) }
  router.send(el('message', { to: 'a@out.home.example' }), home)
  router.send(el('iq', { type: 'result', id: '1', to: 'out.home.example' }), home)
  // an iq of the component that nobody answers comes back to it as an error
  void router.route(
    el('iq', { type: 'get', id: '2', from: 'b@out.home.example', to: 'home.example' }, el('q', 'urn:q')),
    {
      kind: 'component',
      name: 'out.home.example'
    }
  )
  assert.deepEqual(taken, ['message ', 'iq result', 'iq error'])
})
