import assert from 'node:assert/strict'
import test from 'node:test'
import { errorReply, StanzaError, StreamError } from '../../core/errors'
import { childOf, el } from '../../core/xml/element'
import { serialize } from '../../core/xml/serialize'

test('RFC 6120 §4.9.2, §8.3.2: an error says its condition, then its text with its language, then the application’s', () => {
  const app = el('closed-node', 'urn:example:app')
  assert.equal(
    serialize(new StanzaError('not-allowed', { text: 'no', app, by: 'a.example' }).toElement()),
    `<error type="cancel" by="a.example"><not-allowed xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>` +
      `<text xmlns="urn:ietf:params:xml:ns:xmpp-stanzas" xml:lang="en">no</text><closed-node xmlns="urn:example:app"/></error>`
  )
  const text = childOf(new StreamError('conflict', 'no').toElement(), 'text')
  assert.equal(text?.attrs['xml:lang'], 'en')
})

test('RFC 6120 §8.3.1: addresses are swapped, kind and id stay; errors and results are not answered', () => {
  const error = new StanzaError('bad-request')
  for (const kind of ['iq', 'message', 'presence']) {
    const attrs = { type: kind === 'iq' ? 'get' : 'subscribe', id: '1', from: 'a', to: 'b' }
    const reply = errorReply(el(kind, attrs, el('x', 'urn:example:secret')), error)
    assert.equal(reply?.name, kind)
    assert.deepEqual({ ...reply?.attrs }, { type: 'error', id: '1', from: 'b', to: 'a' })
    assert.equal(reply && childOf(reply, 'x'), undefined)
    assert.equal(errorReply(el(kind, { ...attrs, type: 'error' }), error), undefined)
  }
  assert.equal(errorReply(el('iq', { type: 'result', id: '1' }), error), undefined)
})

test('RFC 6120 §8.3: what was answered is read again, and what cannot be read is undefined-condition', () => {
  const given = new StanzaError('conflict', { type: 'modify', text: 'no', app: el('x', 'urn:example:app') })
  const read = StanzaError.from(el('iq', { type: 'error' }, given.toElement()))
  assert.deepEqual(
    [read.condition, read.type, read.text, read.app[0]?.name],
    ['conflict', 'modify', 'no', 'x']
  )
  const unknown = el('error', { type: 'worse' }, el('oops', 'urn:ietf:params:xml:ns:xmpp-stanzas'))
  assert.equal(StanzaError.from(el('iq', null, unknown)).condition, 'undefined-condition')
  assert.equal(StanzaError.from(el('iq')).condition, 'undefined-condition')
})
