import assert from 'node:assert/strict'
import test from 'node:test'
import { Admission, type AdmissionPolicy } from '../../../../core/streams/rates/admission'
import { Networks } from '../../../../core/streams/rates/source'

function make(policy: Partial<AdmissionPolicy>, c2s = { perAddress: 0, perMinute: 0 }) {
  const clock = { now: 1_000_000 }
  const refused: string[] = []
  let open = 0
  const admission = new Admission(
    { kinds: { c2s }, unauthenticated: 0, unauthenticatedPerAddress: 0, trusted: new Networks(), ...policy },
    {
      changed: (_kind, _transport, by) => void (open += by),
      refused: (_kind, why) => void refused.push(why)
    },
    () => clock.now
  )
  const enter = (address: string) => admission.enter('c2s', 'tcp', address)
  return { admission, clock, refused, enter, open: () => open }
}

test('so many connections of an address, and of an IPv6 /64; whoever leaves makes room', () => {
  const { enter, refused, admission } = make({}, { perAddress: 2, perMinute: 0 })
  const first = enter('192.0.2.1')
  assert.ok(first && enter('192.0.2.1'))
  assert.equal(enter('192.0.2.1'), undefined)
  assert.equal(enter('::ffff:192.0.2.1'), undefined, 'the same address through an IPv6 socket')
  assert.ok(enter('192.0.2.2'))
  assert.ok(enter('2001:db8::1') && enter('2001:db8::2'))
  assert.equal(enter('2001:db8:0:0:ffff::1'), undefined)
  assert.ok(enter('2001:db8:0:1::1'))
  assert.deepEqual(refused, ['address', 'address', 'address'])
  first?.leave()
  first?.leave()
  assert.ok(enter('192.0.2.1'))
  assert.equal(enter('192.0.2.1'), undefined)
  assert.equal(admission.addresses, 4)
})

test('kinds are counted apart', () => {
  const { admission, enter } = make({}, { perAddress: 1, perMinute: 0 })
  assert.ok(enter('192.0.2.1'))
  assert.ok(admission.enter('s2s', 'tcp', '192.0.2.1'))
})

test('so many new connections within a minute, as many at once, and then one after the other', () => {
  const { enter, clock, refused } = make({}, { perAddress: 0, perMinute: 6 })
  for (let i = 0; i < 6; i++) enter('192.0.2.1')?.leave()
  assert.equal(enter('192.0.2.1'), undefined)
  assert.ok(enter('192.0.2.2'))
  clock.now += 9_999
  assert.equal(enter('192.0.2.1'), undefined)
  clock.now += 1
  assert.ok(enter('192.0.2.1'))
  assert.equal(enter('192.0.2.1'), undefined)
  assert.deepEqual(refused, ['rate', 'rate', 'rate'])
})

test('of one address so many that have not logged in', () => {
  const { enter } = make({ unauthenticatedPerAddress: 1 })
  const first = enter('192.0.2.1')
  assert.equal(enter('192.0.2.1'), undefined)
  first?.authenticated()
  assert.ok(enter('192.0.2.1'))
})

test('too many that have not logged in, in all: the oldest makes room', () => {
  const { enter, admission, refused, open } = make({ unauthenticated: 2 })
  const lost: string[] = []
  const come = (name: string) => {
    const ticket = enter(`192.0.2.${name.length}`)
    assert.ok(ticket)
    ticket.connection = {
      lose: () => {
        lost.push(name)
        ticket.leave()
      }
    }
    return ticket
  }
  come('a').authenticated()
  const second = come('bb')
  come('ccc')
  come('dddd')
  assert.deepEqual(lost, ['bb'])
  assert.equal(admission.unauthenticated, 2)
  second.authenticated()
  come('eeeee')
  assert.deepEqual(lost, ['bb', 'ccc'])
  assert.deepEqual(refused, ['unauthenticated', 'unauthenticated'])
  assert.equal(open(), 3)
})

test('trusted networks are not counted by address', () => {
  const trusted = new Networks(['10.0.0.0/8'])
  const { enter } = make({ trusted, unauthenticatedPerAddress: 1 }, { perAddress: 1, perMinute: 1 })
  for (let i = 0; i < 10; i++) assert.ok(enter('10.1.2.3'))
  assert.ok(enter('::ffff:10.1.2.3'))
  assert.ok(enter('11.0.0.1'))
  assert.equal(enter('11.0.0.1'), undefined)
})

test('what is remembered of rates is bounded, and of connections ends with them', () => {
  const { enter, admission } = make({}, { perAddress: 10, perMinute: 10 })
  for (let i = 0; i < 30_000; i++) enter(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)?.leave()
  assert.equal(admission.addresses, 0)
})

test('a policy that changes holds for those who come', () => {
  const { enter, admission } = make({}, { perAddress: 1, perMinute: 0 })
  assert.ok(enter('192.0.2.1'))
  assert.equal(enter('192.0.2.1'), undefined)
  admission.policy = { ...admission.policy, kinds: { c2s: { perAddress: 2, perMinute: 0 } } }
  assert.ok(enter('192.0.2.1'))
})

test('networks: addresses, prefixes, and what is neither', () => {
  const networks = new Networks(['192.0.2.1', '10.0.0.0/8', '2001:db8::/32', '::1'])
  for (const address of ['192.0.2.1', '10.255.0.1', '2001:db8:1::5', '::1', '::ffff:10.0.0.1'])
    assert.ok(networks.has(address), address)
  for (const address of ['192.0.2.2', '11.0.0.1', '2001:db9::1', '', 'localhost', '10.0.0'])
    assert.equal(networks.has(address), false, address)
  for (const wrong of ['10.0.0.0/33', '10.0.0.0/', 'localhost', '10.0.0.0/8/8', '::1/129', 'fe80::1%eth0'])
    assert.throws(() => new Networks([wrong]), RangeError, wrong)
})
