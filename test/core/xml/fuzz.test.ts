import assert from 'node:assert'
import test from 'node:test'
import { fuzz } from '../../fuzz/parser'

const COUNT = 50000

// The same documents each time; FUZZ_SEED chooses others, and `npm run fuzz` does so for millions.
const seed = Number(process.env.FUZZ_SEED ?? 1)

test(`the parser and saxes agree on ${COUNT} documents, seed ${seed}`, () => {
  const result = fuzz(COUNT, seed)
  assert.strictEqual(result.documents, COUNT)
  assert(result.accepted > COUNT / 5, `only ${result.accepted} were accepted`)
  assert(
    result.documents - result.accepted > COUNT / 5,
    `only ${result.documents - result.accepted} were refused`
  )
  assert(result.bytes > COUNT / 50, `only ${result.bytes} were no UTF-8`)
})
