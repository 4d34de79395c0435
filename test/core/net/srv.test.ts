import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { inSrvOrder, type SrvRecord } from '../../../core/net/srv'

const record = (host: string, priority: number, weight: number): SrvRecord => ({
  host,
  port: 5269,
  priority,
  weight
})

test('priorities rise, nothing is lost', () => {
  const records = fc.array(
    fc.record({ host: fc.string(), port: fc.nat(65535), priority: fc.nat(5), weight: fc.nat(65535) })
  )
  fc.assert(
    fc.property(
      records,
      fc.infiniteStream(fc.double({ min: 0, max: 0.999999, noNaN: true })),
      (given, numbers) => {
        const ordered = inSrvOrder(given, () => numbers.next().value)
        assert.deepEqual(new Set(ordered), new Set(given))
        assert.equal(ordered.length, given.length)
        for (const [i, { priority }] of ordered.entries())
          if (i > 0) assert.ok((ordered[i - 1]?.priority ?? 0) <= priority)
      }
    )
  )
})

test('who has three times the weight comes first three times as often (RFC 2782)', () => {
  let seed = 1
  const random = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647
  const first: Record<string, number> = { a: 0, b: 0, c: 0 }
  for (let i = 0; i < 10_000; i++) {
    const host =
      inSrvOrder([record('a', 1, 75), record('b', 1, 25), record('c', 1, 0)], random)[0]?.host ?? ''
    first[host] = (first[host] ?? 0) + 1
  }
  const { a = 0, b = 0, c = 0 } = first
  assert.ok(a > 7000 && a < 8000, String(a))
  assert.ok(b > 2000 && b < 3000, String(b))
  assert.ok(c > 20 && c < 300, 'weight 0 has a small chance')
})
