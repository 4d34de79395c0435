import test from 'node:test'
import assert from 'node:assert/strict'
import { describeMismatch, fill, mismatch } from '../lib/pattern'
import { parseStanza, parseStanzas } from '../lib/reader'

interface Case {
  title: string
  pattern: string
  actual: string
  /** What is wrong; a match where there is nothing. */
  wrong?: RegExp
  exact?: boolean
}

const ROSTER = `<iq type='result' id='1'><query xmlns='jabber:iq:roster' ver='7'>
  <item jid='romeo@example.net' name='Romeo'><group>Friends</group></item>
  <item jid='nurse@example.com'/>
</query></iq>`

const CASES: Case[] = [
  { title: 'what is not written may be there', pattern: `<iq id='1'/>`, actual: ROSTER },
  { title: 'another name', pattern: `<message id='1'/>`, actual: ROSTER, wrong: /the element is <iq>/ },
  {
    title: 'another value',
    pattern: `<iq id='2'/>`,
    actual: ROSTER,
    wrong: /iq: attribute id is '1', not '2'/
  },
  {
    title: 'an attribute that is missing',
    pattern: `<iq to='*'/>`,
    actual: ROSTER,
    wrong: /attribute to is missing/
  },
  { title: 'an attribute that must not be there', pattern: `<iq to='!'/>`, actual: ROSTER },
  { title: 'and is', pattern: `<iq id='!'/>`, actual: ROSTER, wrong: /attribute id='1' must not be there/ },
  { title: 'any value', pattern: `<iq id='*'/>`, actual: ROSTER },
  {
    title: 'children in any order',
    pattern: `<iq><query xmlns='jabber:iq:roster'><item jid='nurse@*'/><item name='Romeo'/></query></iq>`,
    actual: ROSTER
  },
  {
    title: 'a child stands for one only',
    pattern: `<iq><query xmlns='jabber:iq:roster'><item/><item/><item/></query></iq>`,
    actual: ROSTER,
    wrong: /child <item xmlns='jabber:iq:roster'> is missing/
  },
  {
    title: 'another namespace',
    pattern: `<iq><query xmlns='jabber:iq:private'/></iq>`,
    actual: ROSTER,
    wrong: /child <query xmlns='jabber:iq:private'> is missing/
  },
  {
    title: 'a namespace is compared, not how it is written',
    pattern: `<iq><r:query xmlns:r='jabber:iq:roster'><r:item jid='nurse@example.com'/></r:query></iq>`,
    actual: ROSTER
  },
  {
    title: 'the reason lies deep inside',
    pattern: `<iq><query xmlns='jabber:iq:roster' ver='8'/></iq>`,
    actual: ROSTER,
    wrong: /^iq\/query: attribute ver is '7', not '8'$/
  },
  {
    title: 'text',
    pattern: '<message><body>hi</body></message>',
    actual: '<message><body> hi </body></message>'
  },
  {
    title: 'another text',
    pattern: '<message><body>hi</body></message>',
    actual: '<message><body>ho</body></message>',
    wrong: /the text is 'ho', not 'hi'/
  },
  {
    title: 'text in parts',
    pattern: '<message><body>* Romeo?</body></message>',
    actual: '<message><body>Art thou not Romeo?</body></message>'
  },
  {
    title: 'special characters are themselves',
    pattern: '<m a="(.)"><b>1+1=2?</b></m>',
    actual: '<m a="(.)"><b>1+1=2?</b></m>'
  },
  { title: 'and nothing else', pattern: '<m a="(.)"/>', actual: '<m a="(x)"/>', wrong: /not '\(\.\)'/ },
  { title: 'escaped star', pattern: '<m a="\\*"/>', actual: '<m a="*"/>' },
  {
    title: 'escaped star is no wildcard',
    pattern: '<m a="\\*"/>',
    actual: '<m a="x"/>',
    wrong: /attribute a is 'x'/
  },
  { title: 'escaped brace', pattern: '<m a="\\{x}"/>', actual: '<m a="{x}"/>' },
  { title: 'the same name, the same value', pattern: `<m a='{x}' b='{x}'/>`, actual: `<m a='1' b='1'/>` },
  {
    title: 'or not',
    pattern: `<m a='{x}' b='{x}'/>`,
    actual: `<m a='1' b='2'/>`,
    wrong: /attribute b is '2', not '1'/
  },
  { title: 'a name is not empty', pattern: `<m a='{x}'/>`, actual: `<m a=''/>`, wrong: /attribute a is ''/ },
  {
    title: 'a name rules out a choice that was made before',
    pattern: `<m><a id='{x}'/><b id='{x}'/></m>`,
    actual: `<m><a id='1'/><a id='2'/><b id='2'/></m>`
  },
  {
    title: 'exact: nothing else',
    pattern: `<m a='1'><b>x</b></m>`,
    actual: `<m a='1'><b>x</b></m>`,
    exact: true
  },
  {
    title: 'exact: attributes',
    pattern: `<m/>`,
    actual: `<m a='1'/>`,
    exact: true,
    wrong: /a='1' is one too many/
  },
  {
    title: 'exact: children',
    pattern: `<m/>`,
    actual: `<m><b/></m>`,
    exact: true,
    wrong: /1 children, not 0/
  },
  {
    title: 'exact: text',
    pattern: `<m><b/></m>`,
    actual: `<m><b>x</b></m>`,
    exact: true,
    wrong: /'x' is one too many/
  },
  {
    title: 'exact in one place',
    pattern: `<m><b t:exact='yes'/></m>`,
    actual: `<m a='1'><b c='2'/></m>`,
    wrong: /m\/b: attribute c='2' is one too many/
  },
  { title: 'absent', pattern: `<m><b t:absent='yes'/></m>`, actual: `<m><c/></m>` },
  {
    title: 'absent, but there',
    pattern: `<m><b x='1' t:absent='yes'/></m>`,
    actual: `<m><b x='1'/></m>`,
    wrong: /<b> must not be there/
  },
  {
    title: 'absent is that one only',
    pattern: `<m><b x='1' t:absent='yes'/></m>`,
    actual: `<m><b x='2'/></m>`
  },
  { title: 'ordered', pattern: `<m t:ordered='yes'><a/><b/></m>`, actual: `<m><a/><x/><b/></m>` },
  {
    title: 'ordered otherwise',
    pattern: `<m t:ordered='yes'><a/><b/></m>`,
    actual: `<m><b/><a/></m>`,
    wrong: /child <b .*> is missing/
  },
  {
    title: 'stream errors',
    pattern: `<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`,
    actual: `<error xmlns='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>`
  }
]

for (const { title, pattern, actual, wrong, exact = false } of CASES)
  test(`pattern: ${title}: ${wrong ? 'no match' : 'match'}`, () => {
    const why = mismatch(parseStanza(pattern), parseStanza(actual), new Map(), { exact })
    if (wrong) assert.match(why ?? 'it matched', wrong)
    else assert.equal(why, undefined)
  })

test('pattern: names are remembered over stanzas, and only when all matched', () => {
  const vars = new Map([['who', 'juliet']])
  const pattern = parseStanza(`<m from='{who}@{host}'><b id='{id}'/></m>`)
  assert.match(
    mismatch(pattern, parseStanza(`<m from='romeo@a'><b id='1'/></m>`), vars) ?? '',
    /from is 'romeo@a'/
  )
  assert.match(mismatch(pattern, parseStanza(`<m from='juliet@a'/>`), vars) ?? '', /<b .*> is missing/)
  assert.deepEqual([...vars], [['who', 'juliet']])
  assert.equal(mismatch(pattern, parseStanza(`<m from='juliet@a'><b id='1'/></m>`), vars), undefined)
  assert.deepEqual(Object.fromEntries(vars), { who: 'juliet', host: 'a', id: '1' })
  assert.equal(fill(`<iq to='{who}@{host}' id='{unknown}'/>`, vars), `<iq to='juliet@a' id='{unknown}'/>`)
})

test('pattern: a mismatch shows both stanzas and the difference', () => {
  const pattern = parseStanza(`<m a='1'><b>x</b></m>`)
  const actual = parseStanza(`<m a='1'><b>y</b><c/></m>`)
  assert.equal(
    describeMismatch(pattern, actual, mismatch(pattern, actual, new Map()) ?? ''),
    `expected:
  <m a='1'>
    <b>x</b>
  </m>
but got:
  <m a='1'>
    <b>y</b>
    <c/>
  </m>
difference: m/b: the text is 'y', not 'x'`
  )
})

test('pattern: what is no stanza is refused', () => {
  assert.throws(() => parseStanza('<a><b></a>'), /not well-formed/)
  assert.throws(() => parseStanza('<a/><b/>'), /one element/)
  assert.throws(() => parseStanza(''), /one element/)
  assert.throws(() => parseStanza('<a><!-- x --></a>'), /not well-formed/)
  assert.equal(parseStanzas('<a/>\n <b/>').length, 2)
})
