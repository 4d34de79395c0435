import assert from 'node:assert'
import test from 'node:test'
import fc from 'fast-check'
import { childOf, el, Element, frozen, nsOf, parseElement, serialize, serializeAs } from '../../../core/xml'
import { stanzas } from './reading'

test('escapes text and attribute values', () => {
  assert.strictEqual(
    serialize(el('a', { b: `<>&"'` }, `<>&"'`)),
    `<a b="&lt;&gt;&amp;&quot;&apos;">&lt;&gt;&amp;"'</a>`
  )
})

test('white space that normalisation would change is sent as references', () => {
  assert.strictEqual(serialize(el('a', { b: '\t\n\r ' }, '\t\n\r ')), '<a b="&#9;&#10;&#13; ">\t\n&#13; </a>')
})

test('what is no character of XML becomes U+FFFD', () => {
  const wrong = ['\0', '\x08', '\x0b', '\x1f', '\ufffe', '\uffff', '\ud800', '\udc00', '\udc00\ud800']
  for (const text of wrong) {
    const expected = '\ufffd'.repeat(text.length)
    assert.strictEqual(serialize(el('a', { b: text }, text)), `<a b="${expected}">${expected}</a>`)
  }
  assert.strictEqual(serialize(el('a', { b: '😀' }, '😀\x7f\x85')), '<a b="😀">😀\x7f\x85</a>')
})

test('takes what modules and ltx put into elements', () => {
  const element = new Element('a', { b: 1 as unknown as string, c: undefined as unknown as string })
  element.children.push(2 as unknown as string, null as unknown as string, '', new Element('p:d'))
  assert.strictEqual(serialize(element), '<a b="1">2<p:d/></a>')
})

test('serializeAs declares the namespace where it is not declared', () => {
  assert.strictEqual(
    serializeAs(el('iq', { id: '1' }, el('a')), 'jabber:client'),
    '<iq xmlns="jabber:client" id="1"><a/></iq>'
  )
  assert.strictEqual(serializeAs(el('presence'), 'jabber:client'), '<presence xmlns="jabber:client"/>')
  assert.strictEqual(serializeAs(el('r', 'urn:xmpp:sm:3'), 'jabber:client'), '<r xmlns="urn:xmpp:sm:3"/>')
  assert.strictEqual(serializeAs(frozen(el('iq')), 'a"b'), '<iq xmlns="a&quot;b"/>')
})

test('a frozen element is serialised once', () => {
  let reads = 0
  const payload = el('event', 'urn:event', el('item', { id: '1' }, 'text'))
  const item = childOf(payload, 'item')
  assert(item)
  Object.defineProperty(item, 'name', { get: () => (reads++, 'item') })
  const shared = frozen(payload)
  assert.strictEqual(reads, 0, 'not before it is sent')
  const sent = ['a', 'b', 'c'].map(to => serialize(el('message', { to }, shared)))
  const once = reads
  assert(once > 0)
  assert.deepStrictEqual(
    sent,
    ['a', 'b', 'c'].map(
      to => `<message to="${to}"><event xmlns="urn:event"><item id="1">text</item></event></message>`
    )
  )
  serialize(shared)
  assert.strictEqual(el('message', null, shared).toString(), sent[0]?.replace(' to="a"', ''))
  assert.strictEqual(reads, once)
})

test('a frozen element looks like what it was made of', () => {
  const payload = el('event', { xmlns: 'urn:event', a: '1' }, el('item'), 'text')
  const shared = frozen(payload)
  assert.strictEqual(shared.name, 'event')
  assert.deepStrictEqual({ ...shared.attrs }, { xmlns: 'urn:event', a: '1' })
  assert.strictEqual(shared.getChild('item', 'urn:event')?.name, 'item')
  assert.strictEqual(shared.getText(), 'text')
  assert.strictEqual(serialize(shared), serialize(payload))
  assert.strictEqual(frozen(shared), shared)
})

test('a frozen element belongs to no parent', () => {
  const shared = frozen(el('event', 'urn:event'))
  const first = el('message', null, shared)
  const second = new Element('message')
  second.cnode(shared)
  assert.strictEqual(shared.parent, null)
  assert.strictEqual(serialize(first), serialize(second))
})

test('a frozen element that inherited its namespace declares it', () => {
  const item = el('item', { id: '1' })
  const outer = el('items', 'urn:items', item)
  assert.strictEqual(serialize(frozen(item)), '<item id="1" xmlns="urn:items"/>')
  assert.strictEqual(serialize(outer), '<items xmlns="urn:items"><item id="1"/></items>')
  assert.strictEqual(nsOf(frozen(item)), 'urn:items')
  assert.strictEqual(serialize(frozen(el('body'))), '<body/>', 'the content namespace is that of each stream')
})

test('a frozen element cannot be changed, neither what is in it', () => {
  const payload = el('event', 'urn:event', el('item', { id: '1' }))
  const shared = frozen(payload)
  const item = childOf(shared, 'item')
  assert(item)
  assert.throws(() => (shared.attrs.xmlns = 'urn:other'), TypeError)
  assert.throws(() => shared.children.push('more'), TypeError)
  assert.throws(() => (item.attrs.id = '2'), TypeError)
  assert.throws(() => item.children.push('more'), TypeError)
  assert.throws(() => payload.children.push('more'), TypeError)
  assert.strictEqual(serialize(shared), '<event xmlns="urn:event"><item id="1"/></event>')
})

const text = fc.string({ unit: 'binary', maxLength: 12 })
const name = fc.constantFrom('a', 'b', 'message', 'é', 'x-1', 'constructor', '__proto__')
const ns = fc.constantFrom(undefined, 'urn:a', 'urn:b', '', 'jabber:client')
const { tree } = fc.letrec<{ tree: Element }>(tie => ({
  tree: fc
    .tuple(
      name,
      ns,
      fc.dictionary(name, text, { maxKeys: 3 }),
      fc.array(fc.oneof({ maxDepth: 4 }, text, tie('tree')), { maxLength: 4 })
    )
    .map(([name, xmlns, attrs, children]) => el(name, { ...attrs, xmlns }, ...children))
}))

/** The tree without its texts' boundaries and characters that cannot be sent, and in canonical form. */
function plain(element: Element, outer: string): unknown {
  const { xmlns = outer, ...attrs } = element.attrs
  const children: unknown[] = []
  for (const child of element.children) {
    if (typeof child !== 'string') children.push(plain(child, xmlns))
    else if (typeof children.at(-1) === 'string') children.push((children.pop() as string) + sendable(child))
    else if (child !== '') children.push(sendable(child))
  }
  const sent = Object.entries(attrs).map(([key, value]) => [key, sendable(value)])
  return [element.name, xmlns, Object.fromEntries(sent), children]
}

const sendable = (text: string): string =>
  text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd')

test('what was serialised is parsed as it was', () => {
  fc.assert(
    fc.property(tree, element => {
      const xml = serialize(element)
      const reading = stanzas(xml)
      assert.strictEqual(reading.condition, undefined, xml)
      const [read] = reading.stanzas
      assert(read)
      assert.deepStrictEqual(plain(read, 'jabber:client'), plain(element, 'jabber:client'))
      assert.strictEqual(serialize(parseElement(xml)), serialize(read))
      assert.strictEqual(serialize(frozen(element)), xml)
      assert.strictEqual(frozen(element).toString(), xml)
    }),
    { numRuns: 1000 }
  )
})
