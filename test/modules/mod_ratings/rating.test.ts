import assert from 'node:assert/strict'
import test from 'node:test'
import { isStanzaError } from '#core'
import type { ChannelItem, ItemKind } from '../../../modules/mod_channels'
import { checkRated, readRating } from '../../../modules/mod_ratings/rating'

function outcome(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    assert.ok(isStanzaError(error), String(error))
    return error.app[0]?.name
  }
}

test('protoXEP §6.3.4: an integer from 1 to 5, with a fraction of nothing or without', () => {
  for (const rating of [1, 2, 3, 4, 5]) {
    assert.equal(readRating(String(rating)), rating)
    assert.equal(readRating(`${rating}.0`), rating)
    assert.equal(readRating(`${rating}.000`), rating)
  }
  for (const text of [
    '',
    'abc',
    '4.1',
    '1e0',
    '5.',
    '.5',
    '0x5',
    '٥',
    '5,0',
    'NaN',
    'Infinity',
    '+5',
    '5 5',
    '5.0.0'
  ])
    assert.equal(
      outcome(() => readRating(text)),
      'invalid-rating',
      text
    )
  for (const text of ['0', '0.0', '6', '6.0', '-1', '999999999', '10000000000', '6.0000000000'])
    assert.equal(
      outcome(() => readRating(text)),
      'rating-out-of-range',
      text
    )
})

test('what rates answers something and says what it rates, which is no rating', () => {
  const item = (kind: ItemKind) => ({ extra: { kind } }) as ChannelItem
  const post = item('post')
  assert.equal(
    outcome(() => checkRated({ parent: undefined, target: undefined })),
    'missing-in-reply-to'
  )
  assert.equal(
    outcome(() => checkRated({ parent: post, target: undefined })),
    'missing-target'
  )
  assert.equal(
    outcome(() => checkRated({ parent: post, target: item('rating') })),
    'invalid-rating-request'
  )
  assert.equal(checkRated({ parent: post, target: post }), post)
  assert.equal(checkRated({ parent: post, target: item('comment') }).extra.kind, 'comment')
})
