import assert from 'node:assert/strict'
import test from 'node:test'
import { Items } from '../../../core/events/items'

test('items are listed in order and withdrawn once', () => {
  const items = new Items()
  const first = items.add('disco-feature', 'a', 'm')
  items.add('disco-feature', 'b', 'm')
  // The same item of two modules is two entries
  items.add('disco-feature', 'a', 'n')
  assert.deepEqual(items.list('disco-feature'), ['a', 'b', 'a'])
  first()
  first()
  assert.deepEqual(items.list('disco-feature'), ['b', 'a'])
  assert.deepEqual(items.list('disco-identity'), [])
})

test('a watcher gets what is there and what comes and goes, until it ends', () => {
  const items = new Items()
  items.add('disco-feature', 'before', 'm')
  const seen: string[] = []
  const end = items.watch('disco-feature', {
    added: (item, module) => seen.push(`+${item} ${module}`),
    removed: (item, module) => seen.push(`-${item} ${module}`)
  })
  const withdraw = items.add('disco-feature', 'after', 'n')
  withdraw()
  end()
  items.add('disco-feature', 'unseen', 'n')
  assert.deepEqual(seen, ['+before m', '+after n', '-after n'])
})

test('a watcher may ask for one side only', () => {
  const items = new Items()
  const gone: string[] = []
  items.watch('disco-feature', { removed: item => gone.push(item) })
  items.add('disco-feature', 'x', 'm')()
  assert.deepEqual(gone, ['x'])
})
