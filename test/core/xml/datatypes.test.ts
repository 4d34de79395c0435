import assert from 'node:assert/strict'
import test from 'node:test'
import { faultOf, readDateTime, type Constraint } from '../../../core/xml/datatypes'
import {
  FormError,
  parseSubmit,
  renderForm,
  typedIn,
  type FormDef,
  type FormField
} from '../../../core/xml/form'

test('XEP-0122 §3.1, §7.2.2: each datatype takes what it names', () => {
  for (const [datatype, good, bad] of [
    ['xs:anyURI', ['https://example.org/a?b#c', 'xmpp:a@b'], ['example.org', 'http://a b', '']],
    ['xs:byte', ['-128', '127', '+1'], ['128', '-129', '1.0', '']],
    ['xs:date', ['2024-02-29', '2026-12-31'], ['2023-02-29', '2026-13-01', '2026-1-1', '26-01-01']],
    [
      'xs:dateTime',
      ['2026-12-31T23:59:59Z', '2026-12-31T23:59:59.123-07:00', '2026-12-31T23:59:59'],
      ['2026-12-31', '2026-12-31T24:00:00Z', '2026-12-31T23:59Z', '2026-12-31T23:59:59ZT', 'T']
    ],
    ['xs:decimal', ['1', '-1.5', '+0.25'], ['1e3', '.', '1.', 'NaN']],
    ['xs:double', ['1e3', '-1.5E-3', '7'], ['Infinity', 'x']],
    ['xs:int', ['2147483647'], ['2147483648']],
    ['xs:integer', ['-12', '999999999999999'], ['1.5', '0x10', ' 1']],
    ['xs:language', ['en', 'pt-BR', 'x-klingon'], ['', 'en_GB', 'e n']],
    ['xs:long', ['1'], ['one']],
    ['xs:short', ['32767'], ['32768']],
    ['xs:time', ['23:59:59', '00:00:00Z', '12:00:00+02:00'], ['24:00:00', '12:00']],
    ['xs:string', ['', 'anything'], []],
    // §4.1: what is not understood is text
    ['x:our-own', ['', 'anything'], []]
  ] as const) {
    for (const text of good) assert.equal(faultOf({ datatype }, text), undefined, `${datatype} ${text}`)
    for (const text of bad) assert.notEqual(faultOf({ datatype }, text), undefined, `${datatype} ${text}`)
  }
  assert.equal(readDateTime('2026-01-01T01:00:00+01:00'), Date.UTC(2026, 0, 1))
  assert.equal(readDateTime('1970-01-01T00:00:00Z'), 0)
})

test('XEP-0122 §3.2.3, §3.2.4: ranges and patterns', () => {
  const cases: [Constraint, string, string | undefined][] = [
    [{ datatype: 'xs:integer', min: 3 }, '2', 'must be at least 3'],
    [{ datatype: 'xs:integer', max: 3 }, '4', 'must be at most 3'],
    [{ datatype: 'xs:integer', min: 3, max: 3 }, '3', undefined],
    [{ datatype: 'xs:date', max: '2026-01-01' }, '2026-01-02', 'must be at most 2026-01-01'],
    [
      { datatype: 'xs:dateTime', min: '2026-01-01T00:00:00Z' },
      '2026-01-01T00:30:00+01:00',
      'must be at least 2026-01-01T00:00:00Z'
    ],
    [{ regex: 'a|b' }, 'ab', 'must match a|b'],
    [{ regex: 'a|b' }, 'b', undefined],
    [{ datatype: 'xs:integer', regex: '[0-9]{2}' }, '123', 'must match [0-9]{2}']
  ]
  for (const [constraint, text, fault] of cases) assert.equal(faultOf(constraint, text), fault, text)
})

const render = (field: FormField): string =>
  /<validate.*<\/validate>/
    .exec(String(renderForm({ fields: [field] })))?.[0]
    .replace(/ xmlns="[^"]*"/, '') ?? ''

test('XEP-0122 §3.2, §4.6: one method, only where it fits, and none for what has no datatype', () => {
  const of = (inner: string, type = 'xs:string'): string => `<validate datatype="${type}">${inner}</validate>`
  const cases: [Omit<FormField, 'var'>, string][] = [
    [{}, ''],
    [{ type: 'jid-single', datatype: 'xs:string' }, ''],
    [{ type: 'hidden', datatype: 'xs:integer' }, ''],
    [{ type: 'boolean' }, ''],
    [{ datatype: 'xs:date' }, of('<basic/>', 'xs:date')],
    [{ datatype: 'xs:integer', min: 1, regex: '1' }, of('<range min="1"/>', 'xs:integer')],
    [{ regex: '[ab]' }, of('<regex>[ab]</regex>')],
    [{ type: 'list-single', options: ['1'], datatype: 'xs:integer', min: 1 }, of('<basic/>', 'xs:integer')],
    [
      { type: 'list-single', options: ['1'], open: true, datatype: 'xs:integer' },
      of('<open/>', 'xs:integer')
    ],
    [
      { type: 'list-multi', options: ['1'], minValues: 1, maxValues: 3 },
      of('<basic/><list-range min="1" max="3"/>')
    ],
    [{ type: 'list-single', options: ['1'], maxValues: 3 }, ''],
    [{ type: 'text-multi', datatype: 'xs:integer' }, of('<open/>', 'xs:integer')]
  ]
  for (const [field, wanted] of cases)
    assert.equal(render({ var: 'f', ...field }), wanted, JSON.stringify(field))
})

test('XEP-0122 §4.4: what was submitted is checked by the same definition; each line for itself (§3.2.2)', () => {
  const def: FormDef = { fields: [{ var: 'n', type: 'text-multi', datatype: 'xs:integer' }] }
  const submit = (text: string): unknown => parseSubmit(def, renderForm(def, { n: text }, 'submit')).n
  assert.equal(submit('1\n2'), '1\n2')
  assert.throws(() => submit('1\ntwo'), new FormError('must be a whole number', 'n'))
})

test('what was typed is kept as it was, but for what is hidden or too long', () => {
  const def: FormDef = {
    fields: [
      { var: 'a', datatype: 'xs:integer' },
      { var: 'list', type: 'jid-multi' },
      { var: 'lines', type: 'text-multi' },
      { var: 'yes', type: 'boolean' },
      { var: 'secret', type: 'text-private' },
      { var: 'long', maxLength: 3 },
      { var: 'hidden', type: 'hidden' }
    ]
  }
  const typed = { a: 'x', list: ['@', '@'], lines: '1\n2', yes: true, secret: 's', long: '1234', hidden: 'h' }
  assert.deepEqual(
    { ...typedIn(def, renderForm(def, typed, 'submit')) },
    { a: 'x', list: ['@', '@'], lines: '1\n2', yes: true }
  )
})
