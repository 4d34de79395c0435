import test from 'node:test'
import assert from 'node:assert/strict'
import { Scanner, attr } from '../lib/scanner.mjs'

const HEADER = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from="a>b" version='1.0'>`
const STANZAS = [
  `<iq id='1' type='result'/>`,
  `<message to='a' x="/>"><body>hi &lt;there&gt; &amp; 'x' "y"</body><e/><f a='>'/></message>`,
  `<presence/>`,
  `<a:b xmlns:a='q'><![CDATA[ </a:b> <x> ]]><!-- <y> --><c><d></d></c></a:b>`,
  `<message><body>héllo ünïcode \u{1F600}</body></message>`,
  `<x  />`,
  `<y ></y >`
]

function run(chunks) {
  const got = [],
    ev = []
  const s = new Scanner({
    open: h => ev.push('open'),
    close: () => ev.push('close'),
    stanza: (b, i, j) => got.push(b.utf8Slice(i, j))
  })
  for (const c of chunks) s.feed(c)
  return { got, ev }
}

test('every split position, and byte by byte, gives the same stanzas', () => {
  const doc = Buffer.from(HEADER + ' \n' + STANZAS.join('\n ') + '</stream:stream>', 'utf8')
  const want = STANZAS
  for (let cut = 0; cut <= doc.length; cut++) {
    const r = run([doc.subarray(0, cut), doc.subarray(cut)])
    assert.deepEqual(r.got, want, `cut ${cut}`)
    assert.deepEqual(r.ev, ['open', 'close'])
  }
  const r = run([...doc].map(b => Buffer.from([b])))
  assert.deepEqual(r.got, want)
})

test('random chunking', () => {
  const doc = Buffer.from(HEADER + STANZAS.concat(STANZAS, STANZAS).join('') + '</stream:stream>', 'utf8')
  for (let k = 0; k < 500; k++) {
    const chunks = []
    for (let i = 0; i < doc.length;) {
      const l = 1 + Math.floor(Math.random() * 40)
      chunks.push(doc.subarray(i, i + l))
      i += l
    }
    assert.deepEqual(run(chunks).got, [...STANZAS, ...STANZAS, ...STANZAS])
  }
})

test('attr looks only in the first tag and needs a whole name', () => {
  assert.equal(attr(`<iq xid='no' id="yes" to='a b'><x id='z'/></iq>`, 'id'), 'yes')
  assert.equal(attr(`<iq type='a'><x id='z'/></iq>`, 'id'), null)
})

test('reset inside a callback restarts the stream', () => {
  const got = []
  const s = new Scanner({
    open: () => {},
    close: () => {},
    stanza: (b, i, j) => {
      got.push(b.latin1Slice(i, j))
      if (got.length === 1) s.reset()
    }
  })
  s.feed(Buffer.from(HEADER + '<success/>'))
  s.feed(Buffer.from(HEADER + '<features/>'))
  assert.deepEqual(got, ['<success/>', '<features/>'])
})
