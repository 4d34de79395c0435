import assert from 'node:assert/strict'
import test from 'node:test'
import { byDomain, DEFAULT_FEDERATION, policyFor } from '../../../core/federation/settings'
import { Pairs } from '../../../core/streams/s2s/pairs'

test('what a table says of a domain: the closest name counts', () => {
  const table = { '*': 0, 'example.org': 1, '*.example.org': 2, '*.a.example.org': 3, '*.org': 4 }
  assert.equal(byDomain(table, 'example.org'), 1)
  assert.equal(byDomain(table, 'b.example.org'), 2)
  assert.equal(byDomain(table, 'a.example.org'), 2)
  assert.equal(byDomain(table, 'x.y.a.example.org'), 3)
  assert.equal(byDomain(table, 'other.org'), 4)
  assert.equal(byDomain(table, 'org'), 0)
  assert.equal(byDomain(table, 'myexample.org'), 4)
  assert.equal(byDomain({ 'example.org': 1 }, 'elsewhere.net'), undefined)
  assert.equal(byDomain({}, 'constructor'), undefined)
})

test('what is demanded of a domain', () => {
  const settings = {
    ...DEFAULT_FEDERATION,
    tls: 'required',
    auth: 'certificate',
    peers: { 'old.example': { auth: 'dialback' }, '*.lan': { tls: 'optional' } }
  } as const
  assert.deepEqual(policyFor(settings, 'old.example'), { tls: 'required', auth: 'dialback' })
  assert.deepEqual(policyFor(settings, 'x.lan'), { tls: 'optional', auth: 'certificate' })
  assert.deepEqual(policyFor(settings, ''), { tls: 'required', auth: 'certificate' })
})

test('pairs of domains', () => {
  const pairs = new Pairs()
  assert.ok(!pairs.has('', ''), 'nothing is nobody')
  pairs.add('a', 'x')
  pairs.add('a', 'y')
  pairs.add('b', 'x')
  pairs.add('b', 'x')
  assert.equal(pairs.size, 3)
  assert.ok(pairs.has('a', 'y') && pairs.has('a', 'y') && pairs.has('b', 'x'))
  assert.ok(!pairs.has('b', 'y') && !pairs.has('x', 'a'))
  assert.ok(pairs.delete('a', 'y') && !pairs.delete('a', 'y'))
  assert.ok(!pairs.has('a', 'y') && pairs.has('a', 'x') && pairs.hasRemote('a'))
  pairs.delete('b', 'x')
  assert.ok(!pairs.hasRemote('b'))
  assert.deepEqual([...pairs], [{ remote: 'a', local: 'x' }])
})
