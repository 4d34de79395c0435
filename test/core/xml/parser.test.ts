import assert from 'node:assert'
import test from 'node:test'
import { nsOf } from '../../../core/xml'
import { HEADER, Reading, stanzas } from './reading'

const STREAM_NS = 'http://etherx.jabber.org/streams'

/** A stanza as sent, and in canonical form. */
const CANONICAL: [what: string, sent: string, canonical: string][] = [
  ['nothing to do', '<message to="a"><body>x</body></message>', '<message to="a"><body>x</body></message>'],
  ['single quotes', "<message to='a'/>", '<message to="a"/>'],
  [
    'content namespace repeated',
    '<iq xmlns="jabber:client"><q xmlns="jabber:client"/></iq>',
    '<iq><q/></iq>'
  ],
  ['content namespace with a prefix', '<c:iq xmlns:c="jabber:client"><c:q/><q/></c:iq>', '<iq><q/><q/></iq>'],
  [
    'prefix of the header',
    '<stream:features><a/></stream:features>',
    `<features xmlns="${STREAM_NS}"><a xmlns="jabber:client"/></features>`
  ],
  ['prefix of the element', '<p:a xmlns:p="urn:p"><p:b/></p:a>', '<a xmlns="urn:p"><b/></a>'],
  [
    'prefix declared further out',
    '<iq xmlns:p="urn:p"><p:a><p:b/></p:a></iq>',
    '<iq><a xmlns="urn:p"><b/></a></iq>'
  ],
  [
    'prefix declared anew',
    '<p:a xmlns:p="urn:p"><p:b xmlns:p="urn:q"/><p:b/></p:a>',
    '<a xmlns="urn:p"><b xmlns="urn:q"/><b/></a>'
  ],
  [
    'default namespace kept for children',
    '<a xmlns="urn:a"><b/><c xmlns="urn:c"/><d/></a>',
    '<a xmlns="urn:a"><b/><c xmlns="urn:c"/><d/></a>'
  ],
  [
    'default of a prefixed element',
    '<p:a xmlns:p="urn:p" xmlns="urn:d"><b/></p:a>',
    '<a xmlns="urn:p"><b xmlns="urn:d"/></a>'
  ],
  ['no namespace', '<iq><a xmlns=""><b/></a></iq>', '<iq><a xmlns=""><b/></a></iq>'],
  ['declaration not needed', '<iq xmlns:p="urn:p"/>', '<iq/>'],
  [
    'attribute with a prefix',
    '<iq xmlns:p="urn:p"><a p:b="1"/></iq>',
    '<iq><a p:b="1" xmlns:p="urn:p"/></iq>'
  ],
  ['attributes of xml', '<iq xml:lang="en" xml:space="default"/>', '<iq xml:lang="en" xml:space="default"/>'],
  [
    'xml declared',
    '<iq xmlns:xml="http://www.w3.org/XML/1998/namespace" xml:lang="en"/>',
    '<iq xml:lang="en"/>'
  ],
  [
    'two prefixes of one namespace',
    '<iq xmlns:p="urn:p" xmlns:q="urn:p" p:a="1" q:b="2"/>',
    '<iq p:a="1" q:b="2" xmlns:p="urn:p" xmlns:q="urn:p"/>'
  ],
  ['spaces in tags', '<iq\n\ta = "1"\r\n b\t=\n"2" ><q /></iq\n>', '<iq a="1" b="2"><q/></iq>'],
  [
    'references',
    '<a b="&lt;&#65;&#x1F600;&quot;">&amp;&gt;&apos;&#x9;</a>',
    '<a b="&lt;A😀&quot;">&amp;&gt;\'\t</a>'
  ],
  ['sections', '<a>x<![CDATA[<b>&amp;]]]]><![CDATA[>]]></a>', '<a>x&lt;b&gt;&amp;amp;]]&gt;</a>'],
  ['an empty section', '<a><![CDATA[]]></a>', '<a/>'],
  ['line ends (XML 1.0 §2.11)', '<a>1\r\n2\r3\n4\r\r\n&#13;</a>', '<a>1\n2\n3\n4\n\n&#13;</a>'],
  ['line ends in sections', '<a><![CDATA[1\r\n2\r]]>\n</a>', '<a>1\n2\n\n</a>'],
  [
    'white space in values (XML 1.0 §3.3.3)',
    '<a b="1\r\n2\t3\n4\r5&#10;&#9;"/>',
    '<a b="1 2 3 4 5&#10;&#9;"/>'
  ],
  ['white space kept', '<a> <b/>\n</a>', '<a> <b/>\n</a>'],
  ['U+FEFF is a character (RFC 6120 §11.6)', '<a>\ufeff</a>', '<a>\ufeff</a>'],
  ['names of other scripts', '<имя é="1"><𐀀/></имя>', '<имя é="1"><𐀀/></имя>'],
  [
    'names that objects have',
    '<constructor __proto__="1" constructor="2" hasOwnProperty="3" toString="4"/>',
    '<constructor __proto__="1" constructor="2" hasOwnProperty="3" toString="4"/>'
  ],
  ['prefixes that objects have', '<__proto__:a xmlns:__proto__="urn:p"/>', '<a xmlns="urn:p"/>'],
  ['">" where it may stand', '<a b=">">></a>', '<a b="&gt;">&gt;</a>']
]

for (const [what, sent, canonical] of CANONICAL) {
  test(`reads ${what}`, () => {
    for (const reading of [stanzas(sent), stanzas().byByte(sent)]) {
      assert.deepStrictEqual([reading.condition, reading.xml], [undefined, [canonical]])
      assert.deepStrictEqual(reading.sizes, [Buffer.byteLength(sent)])
    }
  })
}

test('attributes are only those that were sent', () => {
  const [stanza] = stanzas('<a/>').stanzas
  assert.strictEqual(stanza?.attrs.constructor, undefined)
  assert.strictEqual(stanza?.attrs.__proto__, undefined)
  assert.deepStrictEqual(Object.keys(stanza?.attrs ?? { a: 1 }), [])
})

test('elements know their parent and namespace, and ltx can use them', () => {
  const [stanza] = stanzas('<iq><q xmlns="urn:q"><x/>text</q></iq>').stanzas
  const child = stanza?.getChild('q', 'urn:q')
  const inner = child?.getChild('x')
  assert(stanza && child && inner)
  assert.strictEqual(inner.parent, child)
  assert.strictEqual(child.parent, stanza)
  assert.strictEqual(stanza.parent, null)
  assert.strictEqual(nsOf(inner), 'urn:q')
  assert.strictEqual(child.getText(), 'text')
  assert.strictEqual(child.getAttr('x', 'urn:none'), null)
})

test('the header tells prefix, default namespace and declarations', () => {
  const reading = new Reading().write(
    "<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n" +
      `<s:stream xmlns='jabber:client' xmlns:s='${STREAM_NS}' xmlns:db='jabber:server:dialback' id='1'>`
  )
  const [header] = reading.headers
  assert.strictEqual(header?.prefix, 's')
  assert.strictEqual(header.defaultNs, 'jabber:client')
  assert.deepStrictEqual(Object.fromEntries(header.prefixes), { s: STREAM_NS, db: 'jabber:server:dialback' })
  assert.strictEqual(header.element.toString(), `<stream id="1" xmlns="${STREAM_NS}"/>`)
  assert.deepStrictEqual(reading.write('<db:result/>').xml, ['<result xmlns="jabber:server:dialback"/>'])
})

test('a header without content namespace: each stanza names it (RFC 6120 §4.8.2)', () => {
  const reading = new Reading().write(`<stream xmlns='${STREAM_NS}'>`)
  assert.strictEqual(reading.headers[0]?.prefix, '')
  assert.strictEqual(reading.headers[0]?.defaultNs, STREAM_NS)
  reading.write('<message xmlns="jabber:client"><body/></message><features/></stream>')
  assert.deepStrictEqual(reading.xml, ['<message><body/></message>', `<features xmlns="${STREAM_NS}"/>`])
  assert.strictEqual(reading.closes, 1)
})

test('the stream ends with its end tag, or with its start tag', () => {
  assert.strictEqual(stanzas('<a/></stream:stream>\n').closes, 1)
  const empty = new Reading().write(HEADER.replace('>', '/>'))
  assert.deepStrictEqual([empty.headers.length, empty.closes, empty.condition], [1, 1, undefined])
})

test('white space between stanzas is counted', () => {
  const reading = stanzas(' ', '\n\n<a> </a>\t<b/>', ' ')
  assert.strictEqual(reading.whitespace, 5)
  assert.strictEqual(reading.stanzas.length, 2)
})
