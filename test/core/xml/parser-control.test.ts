import assert from 'node:assert'
import test from 'node:test'
import { HEADER, Reading, stanzas } from './reading'

const RESTART = `<?xml version='1.0'?>${HEADER}`

test('reset by a handler: the next bytes of the chunk are the new stream (RFC 6120 §4.3.3)', () => {
  const sent = `<auth/>${RESTART}<iq/></stream:stream>`
  for (const feed of [(r: Reading) => r.write(sent), (r: Reading) => r.byByte(sent)]) {
    const reading = stanzas()
    reading.handle = stanza => {
      if (stanza.name === 'auth') reading.parser.reset()
    }
    feed(reading)
    assert.deepStrictEqual([reading.condition, reading.xml], [undefined, ['<auth/>', '<iq/>']])
    assert.deepStrictEqual([reading.headers.length, reading.closes], [2, 1])
  }
})

test('white space behind the last stanza is no part of the new stream', () => {
  const reading = stanzas()
  reading.handle = () => reading.parser.reset()
  reading.write(`<auth/>\r\n${RESTART}`)
  assert.deepStrictEqual([reading.condition, reading.headers.length, reading.whitespace], [undefined, 2, 2])
})

test('a new stream has none of the declarations of the old one', () => {
  const reading = new Reading().write(HEADER.replace('>', " xmlns:old='urn:old'>"))
  reading.handle = () => reading.parser.reset()
  reading.write(`<a/>${RESTART}<old:a/>`)
  assert.strictEqual(reading.condition, 'not-well-formed')
})

test('without reset a second header is an element', () => {
  const reading = stanzas(`${HEADER}</stream:stream>`)
  assert.deepStrictEqual([reading.headers.length, reading.stanzas.length], [1, 1])
})

test('pause by a handler keeps the rest of the chunk, and what comes then', () => {
  const reading = stanzas()
  reading.handle = () => reading.parser.pause()
  reading.write('<a/><b/> <c', '>', '</c><d/>')
  assert.deepStrictEqual(reading.xml, ['<a/>'])
  assert.strictEqual(reading.parser.paused, true)
  assert.strictEqual(reading.parser.waitingBytes, '<b/> <c></c><d/>'.length)
  reading.parser.resume()
  assert.deepStrictEqual(reading.xml, ['<a/>', '<b/>'])
  reading.parser.resume()
  reading.parser.resume()
  assert.deepStrictEqual([reading.xml, reading.whitespace], [['<a/>', '<b/>', '<c/>', '<d/>'], 1])
  assert.strictEqual(reading.parser.waitingBytes, 0)
})

test('pause, then reset, then resume: how SASL ends when the answer takes time', () => {
  const reading = stanzas()
  reading.handle = () => reading.parser.pause()
  reading.byByte(`<auth/>${RESTART}<iq/>`)
  assert.deepStrictEqual(reading.xml, ['<auth/>'])
  reading.parser.reset()
  assert.strictEqual(reading.headers.length, 1)
  reading.parser.resume()
  assert.deepStrictEqual([reading.headers.length, reading.xml], [2, ['<auth/>', '<iq/>']])
})

test('pause between writes, in the middle of a stanza', () => {
  const reading = stanzas('<a>te')
  reading.parser.pause()
  reading.write('xt</a>', '<b/>')
  assert.deepStrictEqual(reading.xml, [])
  reading.parser.resume()
  assert.deepStrictEqual(reading.xml, ['<a>text</a>', '<b/>'])
})

test('pause and resume in the same handler change nothing', () => {
  const reading = stanzas()
  reading.handle = () => {
    reading.parser.pause()
    reading.parser.resume()
  }
  assert.deepStrictEqual(reading.write('<a/><b/>').xml, ['<a/>', '<b/>'])
})

test('a paused parser keeps many small chunks in order', () => {
  const reading = stanzas()
  reading.parser.pause()
  reading.byByte('<a/>'.repeat(1000))
  assert.strictEqual(reading.parser.waitingBytes, 4000)
  reading.parser.resume()
  assert.strictEqual(reading.stanzas.length, 1000)
})

test('stop answers what was not parsed: what came in the clear behind starttls (RFC 6120 §5.4.3.3)', () => {
  for (const feed of [(r: Reading, s: string) => r.write(s), (r: Reading, s: string) => r.byByte(s)]) {
    const reading = stanzas()
    let rest: Buffer | undefined
    reading.handle = () => (rest = reading.parser.stop())
    feed(reading, '<starttls/><injected/>')
    assert.deepStrictEqual(reading.xml, ['<starttls/>'])
    assert('<injected/>'.startsWith(rest?.toString() ?? 'none'))
    assert.strictEqual(reading.parser.waitingBytes, 0)
    reading.parser.reset()
    reading.write(`${RESTART}<iq/>`)
    assert.deepStrictEqual([reading.condition, reading.xml], [undefined, ['<starttls/>', '<iq/>']])
  }
})

test('stop answers the whole rest of the chunk', () => {
  const reading = stanzas()
  let rest = ''
  reading.handle = () => (rest = reading.parser.stop().toString())
  reading.write('<starttls/><injected/> žluť')
  assert.strictEqual(rest, '<injected/> žluť')
})

test('stop between writes answers what is held or waits', () => {
  const reading = stanzas('<a><b c="')
  assert.strictEqual(reading.parser.stop().toString(), '<b c="')
  assert.strictEqual(reading.parser.stop().length, 0)
  const paused = stanzas()
  paused.parser.pause()
  paused.write('<a/>', '<b/>')
  assert.strictEqual(paused.parser.stop().toString(), '<a/><b/>')
})

test('a handler may write: it comes after what is there', () => {
  const reading = stanzas()
  reading.handle = stanza => {
    if (stanza.name === 'a') reading.write('<c/>')
  }
  assert.deepStrictEqual(reading.write('<a/><b/>').xml, ['<a/>', '<b/>', '<c/>'])
})

test('a handler may stop, begin anew and write', () => {
  const reading = stanzas()
  reading.handle = stanza => {
    if (stanza.name !== 'a') return
    reading.parser.stop()
    reading.parser.reset()
    reading.write(RESTART, '<c/>')
  }
  assert.deepStrictEqual(reading.write('<a/><b/>').xml, ['<a/>', '<c/>'])
  assert.strictEqual(reading.headers.length, 2)
})

test('the handler of the header may stop before the stream ends at once', () => {
  const reading: Reading = new Reading({
    handlers: {
      onOpen: () => reading.parser.stop(),
      onStanza: () => assert.fail(),
      onClose: () => assert.fail(),
      onError: error => assert.fail(error)
    }
  })
  reading.write(HEADER.replace('>', '/>'))
  assert.strictEqual(reading.parser.waitingBytes, 0)
})

test('reset in the middle of a stanza drops it', () => {
  const reading = stanzas('<a><b>text</b>')
  reading.parser.reset()
  reading.write(`${RESTART}<c/>`)
  assert.deepStrictEqual([reading.condition, reading.xml], [undefined, ['<c/>']])
})

test('reset begins again after an error', () => {
  const reading = stanzas('<a></b>')
  assert.strictEqual(reading.errors.length, 1)
  reading.parser.reset()
  reading.write(`${RESTART}<c/>`)
  assert.deepStrictEqual([reading.errors.length, reading.xml], [1, ['<c/>']])
})
