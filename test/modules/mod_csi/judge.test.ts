import assert from 'node:assert/strict'
import test from 'node:test'
import { judge, type Rules } from '../../../modules/mod_csi/judge'
import { parseStanza } from '../../lib/reader'

const RULES: Rules = { presence: 'later', chatStates: 'later', events: 'later' }
const STATES = 'http://jabber.org/protocol/chatstates'
const EVENT = "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'/></event>"

const judged = (xml: string, rules: Partial<Rules> = {}) => judge(parseStanza(xml), { ...RULES, ...rules })

test('presence of others waits, the last of each', () => {
  const presence = { instead: 'presence of a@b/c' }
  assert.deepEqual(judged(`<presence from='a@b/c'/>`), presence)
  assert.deepEqual(judged(`<presence from='a@b/c' type='unavailable'/>`), presence)
  const room = "<x xmlns='http://jabber.org/protocol/muc#user'><item role='participant'/></x>"
  assert.deepEqual(judged(`<presence from='a@b/c'>${room}</presence>`), presence)
  assert.equal(judged(`<presence from='a@b/c'/>`, { presence: 'now' }), 'now')
})

test('what a person is asked, and the own presence in a room, is sent', () => {
  for (const type of ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'error'])
    assert.equal(judged(`<presence from='a@b/c' type='${type}'/>`), 'now', type)
  const own = "<x xmlns='http://jabber.org/protocol/muc#user'><item role='none'/><status code='110'/></x>"
  assert.equal(judged(`<presence from='a@b/c' type='unavailable'>${own}</presence>`), 'now')
})

test('chat states wait where they are alone', () => {
  const alone = [
    `<composing xmlns='${STATES}'/>`,
    `<paused xmlns='${STATES}'/><thread>t</thread>`,
    `<gone xmlns='${STATES}'/><no-store xmlns='urn:xmpp:hints'/>`
  ]
  for (const children of alone) {
    const xml = `<message from='a@b/c' type='chat'>${children}</message>`
    assert.deepEqual(judged(xml), { instead: 'chat state of a@b/c' }, children)
    assert.equal(judged(xml, { chatStates: 'never' }), 'never')
    assert.equal(judged(xml, { chatStates: 'now' }), 'now')
  }
  const accompanied = [
    `<active xmlns='${STATES}'/><body>hail</body>`,
    `<active xmlns='${STATES}'/><encrypted xmlns='urn:xmpp:omemo:2'/>`,
    `<active xmlns='${STATES}'/><subject/>`,
    `<thread>t</thread>`,
    ''
  ]
  for (const children of accompanied)
    assert.equal(
      judged(`<message from='a@b/c' type='chat'>${children}</message>`, { chatStates: 'never' }),
      'now'
    )
})

test('news of nodes wait, every one; other headlines do not', () => {
  assert.deepEqual(judged(`<message from='a' type='headline'>${EVENT}</message>`), { instead: undefined })
  assert.equal(judged(`<message from='a' type='headline'>${EVENT}</message>`, { events: 'now' }), 'now')
  assert.equal(judged(`<message from='a' type='headline'><body>fire</body></message>`), 'now')
  assert.equal(judged(`<message from='a'>${EVENT}</message>`), 'now')
})

test('iqs do not wait', () => {
  assert.equal(judged(`<iq from='a' type='set' id='1'><query xmlns='jabber:iq:roster'/></iq>`), 'now')
})
