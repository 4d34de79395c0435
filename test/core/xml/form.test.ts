import test from 'node:test'
import assert from 'node:assert/strict'
import { childOf, childrenOf, childText, el } from '../../../core/xml/element'
import type { Element } from '../../../core/xml/element'
import { FormError, formOf, formTypeOf, parseSubmit, renderForm, renderTable } from '../../../core/xml/form'
import type { FormDef, FormValues, SubmitOptions } from '../../../core/xml/form'

const bot: FormDef = {
  formType: 'jabber:bot',
  title: 'Bot Configuration',
  instructions: 'Fill out this form to configure your new bot!',
  fields: [
    { var: '', type: 'fixed', label: 'Section 1' },
    { var: 'botname', label: 'The name of your bot', required: true, maxLength: 20 },
    { var: 'description', type: 'text-multi' },
    { var: 'public', type: 'boolean', label: 'Public bot?' },
    { var: 'password', type: 'text-private' },
    { var: 'features', type: 'list-multi', options: [{ value: 'news', label: 'News' }, 'search'] },
    { var: 'maxsubs', type: 'list-single', options: ['10', '20', 'none'] },
    { var: 'owner', type: 'jid-single', desc: 'Who answers for it' },
    { var: 'invitelist', type: 'jid-multi', maxValues: 3 },
    { var: 'size', datatype: 'xs:integer', min: 1, max: 10 },
    { var: 'secret', type: 'hidden', check: value => refuseSpaces(value) }
  ]
}

function refuseSpaces(value: string): string {
  if (value.includes(' ')) throw new Error('must not contain spaces')
  return value.toLowerCase()
}

function field(name: string | undefined, ...values: string[]): Element {
  return el(
    'field',
    { var: name },
    values.map(value => el('value', null, value))
  )
}

function submission(...fields: Element[]): Element {
  return el('x', { xmlns: 'jabber:x:data', type: 'submit' }, field('FORM_TYPE', 'jabber:bot'), fields)
}

function parse(fields: Element[], options: SubmitOptions = {}): FormValues {
  const given = fields.some(one => one.attrs.var === 'botname')
    ? fields
    : [field('botname', 'Bot'), ...fields]
  return { ...parseSubmit(bot, submission(...given), options) }
}

test('XEP-0004 §3.2: a form shows fields with type, label, options and value', () => {
  const x = renderForm(bot, {
    botname: 'Bot',
    public: true,
    features: ['news'],
    description: 'a\nb',
    password: 'p'
  })
  assert.equal(x.attrs.type, 'form')
  assert.equal(formTypeOf(x), 'jabber:bot')
  assert.equal(childText(x, 'title'), 'Bot Configuration')
  const fields = new Map(childrenOf(x, 'field').map(one => [one.attrs.var, one]))
  assert.equal(fields.get('FORM_TYPE')?.attrs.type, 'hidden')
  assert.equal(
    fields.get('botname')?.toString(),
    '<field var="botname" type="text-single" label="The name of your bot"><required/><value>Bot</value></field>'
  )
  assert.equal(
    fields.get('description')?.toString(),
    '<field var="description" type="text-multi"><value>a</value><value>b</value></field>'
  )
  assert.equal(fields.get('public')?.children.toString(), '<value>1</value>')
  assert.equal(
    fields.get('features')?.toString(),
    '<field var="features" type="list-multi"><value>news</value><option label="News"><value>news</value></option><option label="search"><value>search</value></option></field>'
  )
  assert.equal(
    fields.get('size')?.toString(),
    '<field var="size" type="text-single"><validate xmlns="http://jabber.org/protocol/xdata-validate" datatype="xs:integer"><range min="1" max="10"/></validate></field>'
  )
})

test('a result shows what has a value, and no password; a submission has neither types nor labels', () => {
  const values = { botname: 'Bot', password: 'p', public: false }
  const names = (x: Element) => childrenOf(x, 'field').map(one => one.attrs.var)
  assert.deepEqual(names(renderForm(bot, values, 'result')), ['FORM_TYPE', undefined, 'botname', 'public'])
  const submit = renderForm(bot, values, 'submit')
  assert.deepEqual(names(submit), ['FORM_TYPE', 'botname', 'public', 'password'])
  assert.equal(childrenOf(submit, 'field')[1]?.attrs.type, undefined)
  assert.deepEqual(childrenOf(renderForm(bot, values, 'cancel')), [])
})

test('what is rendered as submission is read back as it was', () => {
  const values = {
    botname: 'Bot',
    description: 'one\n\nthree',
    public: true,
    password: ' p ',
    features: ['news', 'search'],
    maxsubs: 'none',
    owner: 'juliet@capulet.lit',
    invitelist: ['a@b', 'c@d'],
    size: '7',
    secret: 'x'
  }
  assert.deepEqual({ ...parseSubmit(bot, renderForm(bot, values, 'submit')) }, values)
})

test('XEP-0004 §3.4: a table has a header and a row for each item', () => {
  const def = {
    title: 'Bots',
    fields: [
      { var: 'name', label: 'Name' },
      { var: 'jid', type: 'jid-single' as const }
    ]
  }
  const x = renderTable(def, [{ name: 'A', jid: 'a@b' }, { name: 'B' }])
  assert.equal(childOf(x, 'reported')?.children.length, 2)
  assert.deepEqual(
    childrenOf(x, 'item').map(item => childrenOf(item, 'field').map(one => childText(one, 'value'))),
    [
      ['A', 'a@b'],
      ['B', '']
    ]
  )
})

test('formOf finds the form among other children', () => {
  const parent = el('command', 'http://jabber.org/protocol/commands', el('note'), el('x'), submission())
  assert.equal(formTypeOf(formOf(parent) ?? el('x')), 'jabber:bot')
})

test('XEP-0004 §3.3: boolean takes 0, 1, true, false and nothing', () => {
  for (const [raw, value] of [
    ['0', false],
    ['1', true],
    ['true', true],
    ['false', false],
    ['', false]
  ] as const)
    assert.equal(parse([field('public', raw)]).public, value)
  assert.equal(parse([field('public')]).public, false)
})

test('XEP-0004 §3.5: what was not submitted is absent', () => {
  assert.deepEqual(parse([]), { botname: 'Bot' })
})

test('XEP-0004 §3.6: an empty value empties, also where options or addresses are expected', () => {
  const values = parse([field('maxsubs', ''), field('owner'), field('features', ''), field('description')])
  assert.deepEqual(values, { botname: 'Bot', maxsubs: '', owner: '', features: [], description: '' })
})

test('XEP-0004 §3.3: duplicates in jid-multi and list-multi are ignored, addresses normalised', () => {
  assert.deepEqual(parse([field('invitelist', 'a@b', 'A@b'), field('features', 'news', 'news')]), {
    botname: 'Bot',
    invitelist: ['a@b'],
    features: ['news']
  })
})

test('unknown fields are ignored, refused or kept', () => {
  const fields = [field('botname', 'Bot'), field('__proto__', 'x'), field('other', 'a', 'b')]
  assert.deepEqual(Object.keys(parse(fields)), ['botname'])
  assert.throws(() => parse(fields, { unknown: 'refuse' }), { name: 'FormError', field: '__proto__' })
  const kept = parseSubmit(bot, submission(...fields), { unknown: 'keep' })
  assert.deepEqual(kept.other, ['a', 'b'])
  assert.deepEqual(kept['__proto__'], ['x'])
})

const faults: [string, Element, string | undefined, RegExp][] = [
  ['no form', el('y', 'jabber:x:data'), undefined, /a data form/],
  ['another namespace', el('x', { type: 'submit' }), undefined, /a data form/],
  ['not submitted', el('x', { xmlns: 'jabber:x:data', type: 'form' }), undefined, /'submit'/],
  ['no FORM_TYPE', el('x', { xmlns: 'jabber:x:data', type: 'submit' }), 'FORM_TYPE', /must be jabber:bot/],
  ['a field without name', submission(field(undefined, 'x')), undefined, /no 'var'/],
  ['a field twice', submission(field('botname', 'a'), field('botname', 'b')), 'botname', /twice/],
  ['FORM_TYPE twice', submission(field('FORM_TYPE', 'jabber:bot')), 'FORM_TYPE', /twice/],
  ['two values', submission(field('botname', 'a', 'b')), 'botname', /one value/],
  ['two booleans', submission(field('botname', 'a'), field('public', '1', '1')), 'public', /one value/],
  ['required missing', submission(), 'botname', /required/],
  ['required empty', submission(field('botname', '')), 'botname', /required/],
  ['too long', submission(field('botname', 'x'.repeat(21))), 'botname', /longer than 20/],
  ['no boolean', submission(field('botname', 'a'), field('public', 'yes')), 'public', /0, 1, true or false/],
  ['no option', submission(field('botname', 'a'), field('maxsubs', '30')), 'maxsubs', /one of 10, 20, none/],
  [
    'no option in a list',
    submission(field('botname', 'a'), field('features', 'news', 'x')),
    'features',
    /one of/
  ],
  ['no address', submission(field('botname', 'a'), field('owner', 'a@')), 'owner', /is not a JID/],
  [
    'too many',
    submission(field('botname', 'a'), field('invitelist', 'a@b', 'b@b', 'c@b', 'd@b')),
    'invitelist',
    /more than 3/
  ],
  ['no number', submission(field('botname', 'a'), field('size', '1e1')), 'size', /whole number/],
  ['below range', submission(field('botname', 'a'), field('size', '0')), 'size', /at least 1/],
  ['above range', submission(field('botname', 'a'), field('size', '11')), 'size', /at most 10/],
  ['checked', submission(field('botname', 'a'), field('secret', 'a b')), 'secret', /spaces/]
]
for (const [name, x, culprit, message] of faults) {
  test(`a submission is refused: ${name}`, () => {
    assert.throws(
      () => parseSubmit(bot, x),
      (error: unknown) => error instanceof FormError && error.field === culprit && message.test(error.message)
    )
  })
}

test('a wrong FORM_TYPE is refused even where it is optional', () => {
  const x = el('x', { xmlns: 'jabber:x:data', type: 'submit' }, field('botname', 'a'))
  assert.equal(parseSubmit(bot, x, { formTypeOptional: true }).botname, 'a')
  x.children.push(field('FORM_TYPE', 'other'))
  assert.throws(() => parseSubmit(bot, x, { formTypeOptional: true }), { field: 'FORM_TYPE' })
})

test('partial: a required field may be left out, but not emptied', () => {
  assert.deepEqual({ ...parseSubmit(bot, submission(), { partial: true }) }, {})
  assert.throws(() => parseSubmit(bot, submission(field('botname')), { partial: true }), { field: 'botname' })
})

test('the number of fields is bounded', () => {
  const many = Array.from({ length: 300 }, (_, i) => field(`f${i}`, 'x'))
  assert.throws(() => parseSubmit(bot, submission(...many)), /more than 256 fields/)
})

test('fields may have the names of what every object has', () => {
  const fields = ['constructor', 'toString', '__proto__'].map(name => ({ var: name }))
  for (const type of ['form', 'result', 'submit'] as const)
    assert.doesNotMatch(String(renderForm({ fields }, {}, type)), /<value/)
  assert.doesNotMatch(String(renderTable({ fields }, [{}])), /function|object/)
})
