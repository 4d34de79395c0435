import assert from 'node:assert'
import test from 'node:test'
import { HEADER, Reading, stanzas } from './reading'

/** Behind a stream header: what it is refused with (RFC 6120 §4.9.3). */
const STANZAS: Record<string, string[]> = {
  'not-well-formed': [
    '<a></b>',
    '<a></A>',
    '<a></ab>',
    '<ab></a>',
    '<é></e>',
    '<a></>',
    '</a>',
    '<a/ >',
    '<a / b="1">',
    '< a/>',
    '<>',
    '<1a/>',
    '<a\u00d7/>',
    '<-/>',
    '<a b/>',
    '<a b=/>',
    '<a b=c/>',
    '<a b="1"c="2"/>',
    '<a b="1" b="2"/>',
    '<a b="<"/>',
    '<a b="&"/>',
    '<a =""/>',
    '<a "b"/>',
    '<a><b</a>',
    '<a>]]></a>',
    '<a>&</a>',
    '<a>& amp;</a>',
    '<a>&#0;</a>',
    '<a>&#xD800;</a>',
    '<a>&#xFFFE;</a>',
    '<a>&#x110000;</a>',
    '<a>&#x;</a>',
    '<a>&#;</a>',
    '<a>&#1F;</a>',
    '<a>&;</a>',
    '<a>\0</a>',
    '<a>\x1f</a>',
    '<a>\ufffe</a>',
    '<a b="\uffff"/>',
    '<a><![CDATA[\x0b]]></a>',
    '<a><![CDATA[\uffff]]></a>',
    '\x01<a/>',
    // Namespaces in XML 1.0
    '<p:a/>',
    '<a p:b="1"/>',
    '<a xmlns:p="urn:p"/><p:b/>',
    '<a:b:c xmlns:a="urn:a"/>',
    '<:a/>',
    '<a:/>',
    '<stream:1/>',
    '<a xmlns:p=""/>',
    '<a xmlns:p="urn:p" xmlns:p="urn:p"/>',
    '<a xmlns="urn:a" xmlns="urn:a"/>',
    '<a xmlns:p="urn:a" xmlns:q="urn:a" p:b="1" q:b="2"/>',
    '<a xmlns:xml="urn:a"/>',
    '<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>',
    '<a xmlns="http://www.w3.org/XML/1998/namespace"/>',
    '<a xmlns:xmlns="http://www.w3.org/2000/xmlns/"/>',
    '<a xmlns:p="http://www.w3.org/2000/xmlns/"/>',
    '<a xmlns="http://www.w3.org/2000/xmlns/"/>',
    '<xmlns:a/>',
    '</stream>',
    '</stream:stream><a/>',
    '</stream:stream></stream:stream>'
  ],
  'restricted-xml': [
    '<!-- a comment -->',
    '<a><!-- a comment --></a>',
    '<a><!DOCTYPE a></a>',
    '<!DOCTYPE a>',
    '<a><![INCLUDE[]]></a>',
    '<?pi?>',
    '<a><?pi?></a>',
    '<?xml version="1.0"?>',
    '<a>&unknown;</a>',
    '<a b="&nbsp;"/>'
  ],
  'bad-format': ['text', 'a<b/>', '<a/>b', '&#32;', '\ufeff<a/>'],
  'bad-namespace-prefix': ['<xml:a/>'],
  'unsupported-encoding': []
}

/** At the start of a stream. */
const HEADERS: Record<string, string[]> = {
  'not-well-formed': [
    'GET / HTTP/1.1\r\n',
    '\x16\x03\x01\x02',
    '\ufeff' + HEADER,
    '</stream:stream>',
    '<stream:stream>',
    `<?xml?>${HEADER}`,
    `<?xml encoding='UTF-8'?>${HEADER}`,
    `<?xml version='1.0' standalone='maybe'?>${HEADER}`,
    `<?xml version="1.0'?>${HEADER}`
  ],
  'restricted-xml': [
    `<?pi?>${HEADER}`,
    `<?xml-stylesheet href='a'?>${HEADER}`,
    ` <?xml version='1.0'?>${HEADER}`,
    `<?xml version='1.0'?><?xml version='1.0'?>${HEADER}`,
    `<!-- -->${HEADER}`,
    `<!DOCTYPE stream>${HEADER}`
  ],
  'bad-format': [`<?xml version='1.1'?>${HEADER}`, HEADER.replace('<stream:stream', '<stream:streams')],
  'invalid-namespace': [
    '<stream>',
    HEADER.replace('etherx', 'ethery'),
    HEADER.replace('jabber:client', 'jabber:server'),
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"
  ],
  'unsupported-encoding': [
    `<?xml version='1.0' encoding='UTF-16'?>${HEADER}`,
    `<?xml version='1.0' encoding='latin1'?>`
  ]
}

for (const [table, read] of [
  [STANZAS, stanzas],
  [HEADERS, (...chunks: string[]) => new Reading().write(...chunks)]
] as const) {
  for (const [condition, documents] of Object.entries(table)) {
    for (const document of documents) {
      test(`refuses ${JSON.stringify(document)} with ${condition}`, () => {
        const whole = read(document)
        assert.deepStrictEqual(whole.errors.length, 1)
        assert.strictEqual(whole.condition, condition)
        assert(whole.errors[0]?.text)
        const cut = read().byByte(document)
        assert.strictEqual(cut.condition, condition)
      })
    }
  }
}

test('says that other encodings are not supported', () => {
  for (const bytes of [
    Buffer.from('\ufeff' + HEADER, 'utf16le'),
    Buffer.from(HEADER, 'utf16le').subarray(1),
    Buffer.from([0xfe, 0xff, 0x00, 0x3c])
  ]) {
    assert.strictEqual(new Reading().write(bytes).condition, 'unsupported-encoding')
  }
})

test('is refused at the first byte that shows it', () => {
  for (const [start, end] of [
    ['<', '!-'],
    ['<a><!', '-'],
    ['<a><', '?'],
    ['<a b="', '<'],
    ['<a><', '<'],
    ['', 'x']
  ] as const) {
    const reading = stanzas(start)
    assert.strictEqual(reading.condition, undefined, start)
    assert.notStrictEqual(reading.write(end).condition, undefined, start + end)
  }
})

test('nothing is told after an error', () => {
  const reading = stanzas('<a/>', '<b></c>', '<d/>', '</stream:stream>')
  assert.deepStrictEqual(reading.xml, ['<a/>'])
  assert.deepStrictEqual([reading.errors.length, reading.closes], [1, 0])
})

test('stanzas before the fault in a chunk are told', () => {
  assert.deepStrictEqual(stanzas('<a/><b/><!').write('x').xml, ['<a/>', '<b/>'])
})

test('an error of a handler goes to whoever wrote', () => {
  const reading = stanzas()
  reading.handle = () => {
    throw new TypeError('a fault')
  }
  assert.throws(() => reading.write('<a/><b/>'), TypeError)
  assert.strictEqual(reading.errors.length, 0)
  reading.handle = () => {}
  assert.strictEqual(reading.write('<c/>').stanzas.length, 1, 'it is stopped')
})
