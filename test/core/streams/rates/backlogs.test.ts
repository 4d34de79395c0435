import assert from 'node:assert/strict'
import test from 'node:test'
import { Backlogs } from '../../../../core/streams/rates/backlogs'

function connection(lost: string[], name: string) {
  return { lose: () => void lost.push(name) }
}

test('above the sum, the one for which most waits is given up', () => {
  const lost: string[] = []
  const [a, b, c] = ['a', 'b', 'c'].map(name => connection(lost, name)) as [never, never, never]
  const backlogs = new Backlogs()
  backlogs.limit = 100
  backlogs.note(a, 30)
  backlogs.note(b, 40)
  backlogs.note(c, 30)
  assert.deepEqual(lost, [])
  backlogs.note(c, 35)
  assert.deepEqual(lost, ['b'])
  assert.equal(backlogs.sum, 65)
  backlogs.forget(a)
  backlogs.forget(a)
  backlogs.forget(b)
  assert.equal(backlogs.sum, 35)
  backlogs.forget(c)
  assert.equal(backlogs.sum, 0)
})

test('without a bound nobody is given up', () => {
  const lost: string[] = []
  const backlogs = new Backlogs()
  backlogs.note(connection(lost, 'a'), 1e9)
  assert.deepEqual(lost, [])
})
