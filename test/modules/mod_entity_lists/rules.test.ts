import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { JID } from '../../../core/jid'
import { NONE } from '../../../modules/mod_entity_lists/lists'
import { Judge, LISTS, type Entries } from '../../../modules/mod_entity_lists/rules'

const HOME = 'home.lit'

function judge(entries: Partial<Entries>): Judge {
  return new Judge({ ...NONE, ...entries }, domain => domain === HOME)
}

/** Which of some addresses are refused in a direction. */
function refused(one: Judge, ...jids: string[]): string[] {
  return jids.filter(jid => one.refuses('in', JID.parse(jid)))
}

const FORMS = ['kit@marlowe.lit/inn', 'kit@marlowe.lit', 'marlowe.lit/inn', 'marlowe.lit']
const ELSEWHERE = ['kit@marlowe.lit/stage', 'tom@marlowe.lit/inn', 'marlowe.lit/stage', 'kit@inn.marlowe.lit']

test('XEP-0016 §2.1: what each form of an address matches', () => {
  const all = [...FORMS, ...ELSEWHERE]
  const by = (jid: string): string[] => refused(judge({ blacklist: [jid] }), ...all)
  assert.deepEqual(by('kit@marlowe.lit/inn'), ['kit@marlowe.lit/inn'])
  assert.deepEqual(by('kit@marlowe.lit'), ['kit@marlowe.lit/inn', 'kit@marlowe.lit', 'kit@marlowe.lit/stage'])
  assert.deepEqual(by('marlowe.lit/inn'), ['marlowe.lit/inn'])
  // Subdomains are others
  assert.deepEqual(by('marlowe.lit'), [...FORMS, ...ELSEWHERE.slice(0, 3)])
})

test('XEP-0133 §4.11, §4.12: the narrowest form decides (XEP-0016 §2.1); of two equal ones the blacklist', () => {
  const lists = { blacklist: ['marlowe.lit', 'kit@marlowe.lit/inn'], whitelist: ['kit@marlowe.lit'] }
  assert.deepEqual(refused(judge(lists), ...FORMS, ...ELSEWHERE.slice(0, 2)), [
    'kit@marlowe.lit/inn',
    'marlowe.lit/inn',
    'marlowe.lit',
    'tom@marlowe.lit/inn'
  ])
  assert.deepEqual(refused(judge({ blacklist: ['a.lit'], whitelist: ['a.lit'] }), 'a.lit'), ['a.lit'])
})

test('XEP-0133 §4.12: an empty whitelist says nothing; another one refuses all but its own and those at home', () => {
  const all = [...FORMS, `juliet@${HOME}/x`, HOME]
  assert.deepEqual(refused(judge({}), ...all), [])
  assert.deepEqual(refused(judge({ whitelist: ['capulet.com'] }), ...all), FORMS)
  assert.deepEqual(refused(judge({ whitelist: ['kit@marlowe.lit'] }), ...all), FORMS.slice(2))
  // Nobody from elsewhere
  assert.deepEqual(refused(judge({ whitelist: [HOME] }), ...all), FORMS)
})

test('XEP-0133 §4.11, §4.12: lists of one direction are about that one', () => {
  const kit = JID.parse('kit@marlowe.lit/inn')
  const ways = (entries: Partial<Entries>): string =>
    (['in', 'out'] as const).filter(way => judge(entries).refuses(way, kit)).join()
  for (const [list, way] of [
    ['blacklist', 'in,out'],
    ['blacklist-in', 'in'],
    ['blacklist-out', 'out']
  ] as const)
    assert.equal(ways({ [list]: ['marlowe.lit'] }), way)
  for (const [list, way] of [
    ['whitelist', 'in,out'],
    ['whitelist-in', 'in'],
    ['whitelist-out', 'out']
  ] as const)
    assert.equal(ways({ [list]: ['capulet.com'] }), way)
  // Both lists of a direction count as one
  assert.equal(ways({ whitelist: ['capulet.com'], 'whitelist-in': ['marlowe.lit'] }), 'out')
})

test('the verdict is that of going through the forms one by one', () => {
  const part = fc.constantFrom('', 'a', 'b')
  const address = fc
    .tuple(part, fc.constantFrom('x.lit', 'y.lit', HOME), part)
    .map(([local, domain, resource]) => JID.of(local, domain, resource))
  const list = fc.array(
    address.map(({ full }) => full),
    { maxLength: 4 }
  )
  const lists = fc.tuple(...LISTS.map(() => list))
  fc.assert(
    fc.property(lists, address, (entries, jid) => {
      const all = Object.fromEntries(LISTS.map((name, at) => [name, entries[at]])) as unknown as Entries
      for (const way of ['in', 'out'] as const) {
        const black = [...all.blacklist, ...all[`blacklist-${way}`]]
        const white = [...all.whitelist, ...all[`whitelist-${way}`]]
        const found = [jid.full, jid.bare, jid.domain].find(one => black.includes(one) || white.includes(one))
        const expected = found === undefined ? white.length > 0 && jid.domain !== HOME : black.includes(found)
        assert.equal(judge(all).refuses(way, jid), expected)
      }
    })
  )
})
