import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf, isStanzaError } from '#core'
import { parseElement, serialize } from '../../../core/xml'
import { cleanXhtml, readSubmission, renderEntry, renderTombstone } from '../../../modules/lib_channels'

const ATOM = 'http://www.w3.org/2005/Atom'
const XHTML = 'http://www.w3.org/1999/xhtml'
const THR = 'http://purl.org/syndication/thread/1.0'
const ACTIVITY = 'http://activitystrea.ms/spec/1.0/'
const REVIEW = 'http://activitystrea.ms/schema/1.0/review'

const entry = (inside: string) => parseElement(`<entry xmlns='${ATOM}'>${inside}</entry>`)
const read = (inside: string) => readSubmission(entry(inside))

/** The code of the refusal. */
function fault(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    assert.ok(isStanzaError(error), String(error))
    assert.equal(error.condition, 'bad-request')
    assert.equal(error.type, 'modify')
    assert.equal(error.app[0]?.attrs.xmlns, 'http://jabber.org/protocol/pubsub#errors')
    return error.app[0]?.name ?? ''
  }
  return 'none'
}

test('protoXEP §6.3.1: an entry, and in it content', () => {
  assert.equal(
    fault(() => readSubmission(undefined)),
    'entry-element-required'
  )
  assert.equal(
    fault(() => readSubmission(parseElement('<entry/>'))),
    'entry-element-required'
  )
  assert.equal(
    fault(() => readSubmission(parseElement(`<feed xmlns='${ATOM}'/>`))),
    'entry-element-required'
  )
  assert.equal(
    fault(() => read('')),
    'content-element-required'
  )
  assert.equal(
    fault(() => read('<content/>')),
    'content-element-required'
  )
  assert.equal(
    fault(() => read('<content> \n </content>')),
    'content-element-required'
  )
  assert.equal(
    fault(() => read(`<content xmlns='urn:x'>x</content>`)),
    'content-element-required'
  )
  assert.equal(
    fault(() => read('<content type="html">x</content>')),
    'unsupported-content-type'
  )
  assert.equal(
    fault(() => read('<content type="">x</content>')),
    'unsupported-content-type'
  )
  assert.equal(
    fault(() => read('<content>a</content><content>b</content>')),
    'invalid-payload'
  )
  assert.equal(
    fault(() => read('<content>a<b/></content>')),
    'invalid-payload'
  )
  assert.equal(
    fault(() => read(`<content>a</content><title>${'t'.repeat(1025)}</title>`)),
    'invalid-payload'
  )
  assert.deepEqual(read('<content>O Romeo</content>').content, { type: 'text', text: 'O Romeo' })
})

test('§6.3.2 to §6.3.4: what an entry answers, refers to and rates, as it was given', () => {
  const submission = read(
    `<content>x</content><in-reply-to xmlns='${THR}' ref='p'/>` +
      `<target xmlns='${ACTIVITY}'><id> t </id></target><rating xmlns='${REVIEW}'> 5.0 </rating>`
  )
  assert.equal(submission.inReplyTo, 'p')
  assert.equal(submission.target, 't')
  assert.equal(submission.rating, '5.0')
  // as in the draft's examples, where the id is Atom's
  assert.equal(read(`<content>x</content><a:target xmlns:a='${ACTIVITY}'><id>t</id></a:target>`).target, 't')
  assert.equal(read(`<rating xmlns='${REVIEW}'>1</rating>`).content, undefined)
  assert.equal(read(`<content>x</content><in-reply-to xmlns='${THR}'/>`).inReplyTo, '')
  assert.equal(read(`<content>x</content><target xmlns='${ACTIVITY}'/>`).target, '')
  for (const twice of [
    `<in-reply-to xmlns='${THR}' ref='p'/>`,
    `<target xmlns='${ACTIVITY}'/>`,
    `<rating xmlns='${REVIEW}'>1</rating>`
  ]) {
    assert.equal(
      fault(() => read(`<content>x</content>${twice}${twice}`)),
      'invalid-payload',
      twice
    )
  }
})

test('what is carried beside the content is copied part by part', () => {
  const { links, categories, geoloc, media } = read(`<content>x</content>
    <link rel='alternate' href='https://verona.lit/' onclick='x()'/>
    <link rel='alternate' href='javascript:alert(1)'/>
    <link rel='self' href='https://evil.lit/'/>
    <category term='love' scheme='x'/><category/>
    <geoloc xmlns='http://jabber.org/protocol/geoloc'><lat>45.44</lat><script xmlns='urn:x'/><text>Verona<b/></text></geoloc>
    <media xmlns='http://buddycloud.org/v1/media'><item id='1' channel='juliet@capulet.lit' x='y'/><item/></media>
    <anything xmlns='urn:x'>else</anything>`)
  assert.deepEqual(links.map(serialize), ['<link href="https://verona.lit/" rel="alternate"/>'])
  assert.deepEqual(categories.map(serialize), ['<category term="love"/>'])
  assert.ok(geoloc && media)
  assert.equal(
    serialize(geoloc),
    '<geoloc xmlns="http://jabber.org/protocol/geoloc"><lat>45.44</lat><text>Verona</text></geoloc>'
  )
  assert.equal(
    serialize(media),
    '<media xmlns="http://buddycloud.org/v1/media"><item id="1" channel="juliet@capulet.lit"/></media>'
  )
})

function clean(inside: string): string | undefined {
  const div = cleanXhtml(parseElement(`<content xmlns='${ATOM}' type='xhtml'>${inside}</content>`))
  return div && serialize(div)
}

test('XHTML is cut down to what shows text', () => {
  const open = `<div xmlns="${XHTML}">`
  const cases: [string, string | undefined][] = [
    [`<div xmlns='${XHTML}'><p>O <em>Romeo</em></p></div>`, `${open}<p>O <em>Romeo</em></p></div>`],
    [`<p xmlns='${XHTML}'>a</p><p xmlns='${XHTML}'>b</p>`, `${open}<p>a</p><p>b</p></div>`],
    [`<div xmlns='${XHTML}'>a<script>alert(1)</script>b</div>`, `${open}ab</div>`],
    [`<div xmlns='${XHTML}' onload='x()' style='color:red' class='c'>a</div>`, `${open}a</div>`],
    [`<div xmlns='${XHTML}'><a href='javascript:x'>a</a></div>`, `${open}<a>a</a></div>`],
    [`<div xmlns='${XHTML}'><a href=' JaVaScript:x'>a</a></div>`, `${open}<a>a</a></div>`],
    [
      `<div xmlns='${XHTML}'><a href='https://x.lit'>a</a></div>`,
      `${open}<a href="https://x.lit">a</a></div>`
    ],
    [`<div xmlns='${XHTML}'><blink>a<b>c</b></blink></div>`, `${open}a<b>c</b></div>`],
    [
      `<div xmlns='${XHTML}'>a<svg xmlns='http://www.w3.org/2000/svg'><script>x</script></svg></div>`,
      `${open}a</div>`
    ],
    [`<div xmlns='${XHTML}'><img src='data:image/png;base64,x'/>a</div>`, `${open}a</div>`],
    [
      `<div xmlns='${XHTML}'><img src='https://x.lit/a.png' alt='a' onerror='x'/></div>`,
      `${open}<img alt="a" src="https://x.lit/a.png"/></div>`
    ],
    [`<div xmlns='${XHTML}'><div xmlns='urn:other'>a</div></div>`, undefined],
    [`<div xmlns='${XHTML}'><script>a</script></div>`, undefined],
    [`<div xmlns='${XHTML}'> <p/> </div>`, undefined],
    ['text', `${open}text</div>`]
  ]
  for (const [given, wanted] of cases) assert.equal(clean(given), wanted, given)
  assert.equal(
    fault(() => read(`<content type='xhtml'><div xmlns='${XHTML}'><style>a</style></div></content>`)),
    'content-element-required'
  )
})

test('a deep tree is cleaned too', () => {
  const deep = `<div xmlns='${XHTML}'>${'<blink>'.repeat(900)}a${'</blink>'.repeat(900)}</div>`
  assert.equal(clean(deep), `<div xmlns="${XHTML}">a</div>`)
})

test('protoXEP example 13: the server completes the entry, as one that can be parsed again', () => {
  const element = renderEntry({
    id: 'tag:s,n,1',
    title: 'Post',
    published: 0,
    updated: 1000,
    author: 'juliet@capulet.lit',
    content: { type: 'text', text: '<&>"\'' },
    verb: 'post',
    objectType: 'note',
    inReplyTo: 'tag:s,n,0',
    target: { id: 'tag:s,n,0', objectType: 'post' },
    rating: 4,
    parts: { links: [], categories: [] }
  })
  const again = parseElement(serialize(element))
  assert.equal(serialize(again), serialize(element))
  const text = (name: string, ns: string) => childOf(again, name, ns)?.children.join()
  assert.equal(text('published', ATOM), '1970-01-01T00:00:00.000Z')
  assert.equal(text('updated', ATOM), '1970-01-01T00:00:01.000Z')
  assert.equal(text('content', ATOM), '<&>"\'')
  assert.equal(text('rating', REVIEW), '4.0')
  assert.equal(childOf(again, 'in-reply-to', THR)?.attrs.ref, 'tag:s,n,0')
})

test('protoXEP example 11: a tombstone says what is gone, and not whose it was', () => {
  const tombstone = renderTombstone('channels.capulet.lit', '/user/juliet@capulet.lit/posts', {
    id: 'tag:channels.capulet.lit,/user/juliet@capulet.lit/posts,1;2',
    objectType: 'comment',
    verb: 'post',
    published: 0,
    deleted: 1000
  })
  assert.equal(
    tombstone.attrs.ref,
    'xmpp:channels.capulet.lit?pubsub;action=retrieve;node=/user/juliet@capulet.lit/posts;item=tag:channels.capulet.lit,/user/juliet@capulet.lit/posts,1%3B2'
  )
  assert.equal(tombstone.attrs.when, '1970-01-01T00:00:01.000Z')
  assert.ok(!serialize(tombstone).includes('author'))
})
