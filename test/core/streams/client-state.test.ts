import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { Log } from '../../../core/log'
import { HeldBack, type ClientStates, type Judgement } from '../../../core/streams/client-state'
import { Copies } from '../../../core/streams/smacks'
import { el } from '../../../core/xml/element'

/** What is said of a stanza stands in it. */
const stanza = (n: number, judgement: string) => el('message', { id: n, judgement })

function judge(judgement: string | undefined): Judgement {
  if (judgement === 'now' || judgement === 'never') return judgement
  return { instead: judgement === 'later' ? undefined : judgement }
}

function rig(limits: Partial<ClientStates> = {}) {
  const sent: string[] = []
  const logged: unknown[] = []
  const states: ClientStates = {
    judge: ({ attrs }) => judge(attrs.judgement),
    stanzas: 1000,
    bytes: 1e6,
    ...limits
  }
  const modules = { states: states as ClientStates | undefined }
  const log = { error: (what: unknown) => logged.push(what) } as unknown as Log
  const heldBack = new HeldBack(
    () => modules.states,
    xml => sent.push(/id="(\d+)"/.exec(xml)?.[1] ?? xml),
    log
  )
  const take = (n: number, judgement: string, copies?: Copies) => heldBack.take(stanza(n, judgement), copies)
  return { heldBack, sent, logged, modules, take }
}

test('what must be sent takes along what waits; a later one takes the place of an earlier', () => {
  const { take, sent, heldBack } = rig()
  take(1, 'later')
  take(2, 'presence of a')
  take(3, 'never')
  take(4, 'presence of b')
  take(5, 'presence of a')
  assert.deepEqual(sent, [])
  take(6, 'now')
  assert.deepEqual(sent, ['1', '4', '5', '6'])
  take(7, 'later')
  heldBack.flush()
  heldBack.flush()
  assert.deepEqual(sent.slice(4), ['7'])
})

test('the bounds are of stanzas and of bytes', () => {
  const few = rig({ stanzas: 2 })
  few.take(1, 'later')
  few.take(2, 'later')
  few.take(3, 'later')
  assert.deepEqual(few.sent, ['1', '2'])
  const light = rig({ bytes: 100 })
  for (let n = 1; n < 10; n++) light.take(n, 'presence of a')
  assert.deepEqual(light.sent, [], 'what was replaced weighs nothing')
  light.take(10, 'later')
  light.take(11, 'later')
  assert.deepEqual(light.sent, ['9', '10', '11'])
})

test('without the module, or with one that fails, everything is sent', () => {
  const { take, sent, logged, modules } = rig()
  take(1, 'later')
  modules.states = undefined
  take(2, 'later')
  assert.deepEqual(sent, ['1', '2'])
  modules.states = {
    stanzas: 10,
    bytes: 1000,
    judge: () => {
      throw new Error('a fault')
    }
  }
  take(3, 'later')
  assert.deepEqual(sent, ['1', '2', '3'])
  assert.equal(logged.length, 1)
})

test('a copy that is dropped will not arrive', () => {
  const { take } = rig()
  const copies = new Copies(3)
  take(1, 'never', copies)
  take(2, 'presence of a', copies)
  take(3, 'presence of a')
  assert.equal(copies.lost(), true, 'two were lost before')
})

test('property: nothing but what may be is dropped, and order is kept', () => {
  const kinds = fc.constantFrom('now', 'later', 'never', 'a', 'b')
  fc.assert(
    fc.property(fc.array(kinds, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (list, stanzas) => {
      const { take, sent, heldBack } = rig({ stanzas })
      list.forEach((kind, n) => take(n, kind))
      heldBack.flush()
      const numbers = sent.map(Number)
      assert.deepEqual(
        numbers,
        [...numbers].sort((a, b) => a - b)
      )
      const last = (kind: (typeof list)[number]): number => list.lastIndexOf(kind)
      list.forEach((kind, n) => {
        if (kind === 'never') assert.ok(!numbers.includes(n))
        else if (kind === 'now' || kind === 'later' || last(kind) === n) assert.ok(numbers.includes(n))
      })
    })
  )
})
