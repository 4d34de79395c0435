import { isUtf8 } from 'node:buffer'
import assert from 'node:assert'
import { parseArgs } from 'node:util'
import { serialize, serializeAs } from '../../core/xml/serialize'
import { Grammar } from './grammar'
import { cut, mutate, mutateBytes } from './mutate'
import { oracle } from './oracle'
import { Random } from './random'
import { subject, type OurOutcome } from './subject'
import { print, STREAM_NS, type Mode } from './tree'

export interface FuzzResult {
  documents: number
  accepted: number
  /** Documents whose bytes were no UTF-8, so that saxes could not be asked. */
  bytes: number
}

/**
 * Compares our parser with saxes on documents that `seed` repeats: each is read whole and in pieces, and what
 * was accepted is written and read again. Throws at the first difference; the message names the seed.
 */
export function fuzz(count: number, seed: number, progress?: (done: number) => void): FuzzResult {
  const result: FuzzResult = { documents: 0, accepted: 0, bytes: 0 }
  for (let i = 0; i < count; i++) {
    const own = (seed + i) | 0
    try {
      one(new Random(own), result)
    } catch (thrown) {
      throw new Error(`document with seed ${own}: ${(thrown as Error).message}`, { cause: thrown })
    }
    if (progress && (i + 1) % 100000 === 0) progress(i + 1)
  }
  return result
}

function one(random: Random, result: FuzzResult): void {
  const mode: Mode = random.once(4) ? 'frame' : 'stream'
  const grammar = new Grammar(random, random.pick([30, 200, 2000]))
  let text = mode === 'stream' ? grammar.stream() : grammar.frame()
  if (random.once(3)) text = mutate(random, text)
  let bytes: Buffer = Buffer.from(text)
  if (random.once(8)) bytes = mutateBytes(random, bytes)

  const whole = subject([bytes], mode)
  if (mode === 'stream') sameInPieces(whole, subject(cut(random, bytes), mode), bytes)
  result.documents++
  if (whole.accepted) result.accepted++
  if (!isUtf8(bytes)) {
    result.bytes++
    assert(!whole.accepted, `accepted, though it is no UTF-8: ${bytes.toString('latin1')}`)
    return
  }
  text = bytes.toString()
  compare(text, mode, whole)
  if (whole.accepted && random.once(3)) roundTrip(whole, mode, text)
}

function sameInPieces(whole: OurOutcome, pieces: OurOutcome, bytes: Buffer): void {
  const tell = (outcome: OurOutcome): string =>
    JSON.stringify([outcome.events, outcome.trees.map(print), outcome.accepted])
  assert.strictEqual(tell(pieces), tell(whole), `in pieces otherwise than whole: ${bytes.toString()}`)
  // In a tag that never ends a fault may be seen when its bytes come, or not yet.
  if (!whole.error || !pieces.error || !isUtf8(bytes)) return
  assert.strictEqual(
    pieces.error.condition,
    whole.error.condition,
    `another error in pieces: ${bytes.toString()}`
  )
}

function compare(text: string, mode: Mode, ours: OurOutcome): void {
  const theirs = oracle(text, mode)
  if (!theirs.comparable) return
  if (theirs.accepted && !ours.accepted && hasReferenceOutside(ours)) return
  const said = `ours: ${ours.accepted ? 'accepted' : ours.reason}; saxes: ${theirs.accepted ? 'accepted' : theirs.reason}`
  assert.strictEqual(ours.accepted, theirs.accepted, `${said}; in ${mode}: ${JSON.stringify(text)}`)
  if (!ours.accepted) return
  const [a, b] = [ours.trees.map(print).join('\n'), theirs.trees.map(print).join('\n')]
  assert.strictEqual(a, b, `trees differ; in ${mode}: ${JSON.stringify(text)}`)
}

/** saxes does not tell a space between stanzas from a reference to one. */
function hasReferenceOutside(ours: OurOutcome): boolean {
  return ours.error?.condition === 'bad-format' && ours.error.text === 'there is text outside of the stanzas'
}

function roundTrip(whole: OurOutcome, mode: Mode, text: string): void {
  const stanzas = mode === 'stream' ? whole.elements.slice(1) : whole.elements
  const xml = stanzas.map(serialize)
  const written =
    mode === 'stream'
      ? `<stream:stream xmlns='jabber:client' xmlns:stream='${STREAM_NS}'>${xml.join('')}</stream:stream>`
      : stanzas.map(stanza => serializeAs(stanza, 'jabber:client')).join('')
  const again = subject([Buffer.from(written)], mode)
  assert(
    again.accepted,
    `refused what was serialised (${again.reason}): ${written}, from ${JSON.stringify(text)}`
  )
  const stanzasAgain = mode === 'stream' ? again.elements.slice(1) : again.elements
  assert.deepStrictEqual(stanzasAgain.map(serialize), xml)
  const trees = mode === 'stream' ? whole.trees.slice(1) : whole.trees
  const treesAgain = mode === 'stream' ? again.trees.slice(1) : again.trees
  assert.strictEqual(
    treesAgain.map(print).join('\n'),
    trees.map(print).join('\n'),
    `changed by serialising: ${written}`
  )
  compare(written, mode, again)
}

function main(): void {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Date.now() % 1e9) }
    }
  })
  const [count, seed] = [Number(values.count), Number(values.seed)]
  console.log(`seed ${seed}, ${count} documents`)
  const begun = Date.now()
  const result = fuzz(count, seed, done =>
    console.log(`${done} after ${Math.round((Date.now() - begun) / 1000)} s`)
  )
  console.log(`${result.documents} documents agree: ${result.accepted} accepted, ${result.bytes} no UTF-8`)
}

if (require.main === module) main()
