/*
 * The story of the README, lived by @xmpp/client: one phase a run, told by its first argument. Reads its settings as
 * JSON on standard input: { service, passwords: { jid: password } }. Prints a line for each step; status 0 when all
 * of it came about.
 */
import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { client, jid, xml } from '@xmpp/client'
import { listensInTime } from './xmpp-open.mjs'
import { WebSocket } from 'ws'

globalThis.WebSocket ??= WebSocket // Node 20 has none of its own

const { service, passwords } = JSON.parse(await text(process.stdin))
const LIMIT = 30_000
const PUBSUB = 'http://jabber.org/protocol/pubsub'
const OWNER = `${PUBSUB}#owner`
const ATOM = 'http://www.w3.org/2005/Atom'
const THREAD = 'http://purl.org/syndication/thread/1.0'
const ACTIVITY = 'http://activitystrea.ms/spec/1.0/'
const REVIEW = 'http://activitystrea.ms/schema/1.0/review'
const BUDDYCLOUD = 'http://buddycloud.org/v1'
const COMMANDS = 'http://jabber.org/protocol/commands'
const ADMIN = 'http://jabber.org/protocol/admin'
const OWN = 'urn:balcony:admin'
const CHANNELS = 'channels.localhost'
const POSTS = '/user/juliet@localhost/posts'

/** A client that keeps what it receives until it is asked for. */
class Person {
  #unread = []
  #waiting = new Set()

  constructor(address) {
    const { local, domain, resource } = jid(address)
    const password = passwords[`${local}@${domain}`]
    this.xmpp = listensInTime(client({ service, domain, resource, username: local, password }))
    this.xmpp.timeout = LIMIT
    this.xmpp.reconnect.stop()
    this.xmpp.on('error', error => this.#fail(error))
    this.xmpp.on('stanza', stanza => {
      if (stanza.is('iq')) return
      this.#unread.push(stanza)
      for (const look of this.#waiting) look()
    })
  }

  #fail(error) {
    console.error(error)
    process.exitCode = 1
  }

  async enter() {
    await this.xmpp.start()
    await this.iq('get', undefined, xml('query', 'jabber:iq:roster'))
    await this.xmpp.send(xml('presence'))
    return this
  }

  leave() {
    return this.xmpp.stop()
  }

  /** The next stanza that the function takes; others stay. */
  finds(what, takes) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${what} did not come: ${this.#unread.join('\n')}`)),
        LIMIT
      )
      const look = () => {
        const at = this.#unread.findIndex(takes)
        if (at === -1) return
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve(this.#unread.splice(at, 1)[0])
      }
      this.#waiting.add(look)
      look()
    })
  }

  iq(type, to, payload) {
    return this.xmpp.iqCaller.request(xml('iq', { type, ...(to ? { to } : {}) }, payload), LIMIT)
  }

  /** The error that an iq is answered with. */
  async refused(type, to, payload) {
    const error = await this.iq(type, to, payload).then(
      () => assert.fail('an error was expected'),
      reason => reason
    )
    return error
  }
}

const says = step => console.log('ok', step)
const isPresence = (type, from) => stanza =>
  stanza.is('presence') && stanza.attrs.type === type && jid(stanza.attrs.from).bare().toString() === from

async function enter(...addresses) {
  return Promise.all(addresses.map(address => new Person(address).enter()))
}

async function chat() {
  const [juliet, romeo] = await enter('juliet@localhost/balcony', 'romeo@localhost/orchard')
  says('both are logged in')
  const pair = [
    [juliet, romeo, 'juliet@localhost', 'romeo@localhost'],
    [romeo, juliet, 'romeo@localhost', 'juliet@localhost']
  ]
  for (const [asker, other, from, to] of pair) {
    await asker.xmpp.send(xml('presence', { type: 'subscribe', to }))
    await other.finds('the request', isPresence('subscribe', from))
    await other.xmpp.send(xml('presence', { type: 'subscribed', to: from }))
    await asker.finds('the presence', isPresence(undefined, to))
  }
  says('they see each other')
  await juliet.xmpp.send(
    xml('message', { to: 'romeo@localhost', type: 'chat' }, xml('body', {}, 'Art thou not Romeo?'))
  )
  const heard = await romeo.finds('the message', stanza => stanza.is('message'))
  assert.equal(heard.getChildText('body'), 'Art thou not Romeo?')
  says('they chat')
  await Promise.all([juliet.leave(), romeo.leave()])
}

const entry = (content, ...more) =>
  xml(
    'entry',
    { xmlns: ATOM, 'xmlns:thr': THREAD, 'xmlns:activity': ACTIVITY, 'xmlns:review': REVIEW },
    xml('content', {}, content),
    ...more
  )
const publish = payload => xml('pubsub', PUBSUB, xml('publish', { node: POSTS }, xml('item', {}, payload)))
const inReplyTo = ref => xml('thr:in-reply-to', { ref })
const rating = (id, stars) => [
  inReplyTo(id),
  xml('activity:target', {}, xml('id', {}, id)),
  xml('review:rating', {}, stars)
]

async function channels() {
  const [juliet, romeo] = await enter('juliet@localhost/balcony', 'romeo@localhost/orchard')
  await juliet.iq('set', CHANNELS, xml('query', 'jabber:iq:register'))
  says('juliet has a channel')
  const followed = await romeo.iq(
    'set',
    CHANNELS,
    xml('pubsub', PUBSUB, xml('subscribe', { node: POSTS, jid: 'romeo@localhost' }))
  )
  assert.equal(followed.getChild('pubsub').getChild('subscription').attrs.subscription, 'subscribed')
  says('romeo follows it')
  const posted = await juliet.iq('set', CHANNELS, publish(entry('O Romeo, Romeo!')))
  const { id } = posted.getChild('pubsub').getChild('publish').getChild('item').attrs
  const note = await romeo.finds('the notification', stanza => stanza.toString().includes('O Romeo, Romeo!'))
  assert.equal(note.attrs.type, 'headline')
  for (const part of [id, 'juliet@localhost', '<published>', '<updated>', 'verb', 'object-type']) {
    assert.ok(note.toString().includes(part), `${part} in ${note}`)
  }
  says('juliet posts, the server completes the entry, romeo is notified')
  const forbidden = await romeo.refused(
    'set',
    CHANNELS,
    publish(entry('I take thee at thy word', inReplyTo(id)))
  )
  assert.equal(forbidden.condition, 'forbidden')
  says('a follower reads: the reply is forbidden')
  const role = xml('affiliation', { jid: 'romeo@localhost', affiliation: 'publisher' })
  await juliet.iq('set', CHANNELS, xml('pubsub', OWNER, xml('affiliations', { node: POSTS }, role)))
  for (const kind of ['posts', 'status', 'geoloc', 'public-key']) {
    const node = `/user/juliet@localhost/${kind}`
    const shown = await juliet.iq('get', CHANNELS, xml('pubsub', OWNER, xml('affiliations', { node })))
    const roles = shown.getChild('pubsub').getChild('affiliations').getChildren('affiliation')
    assert.equal(roles.find(one => one.attrs.jid === 'romeo@localhost')?.attrs.affiliation, 'publisher', kind)
  }
  says('juliet makes romeo follower+post, and every node of her channel shows it')
  await romeo.iq('set', CHANNELS, publish(entry('I take thee at thy word', inReplyTo(id))))
  says('romeo replies in the thread')
  await romeo.iq('set', CHANNELS, publish(entry('', ...rating(id, '5'))))
  const again = await romeo.refused('set', CHANNELS, publish(entry('', ...rating(id, '5'))))
  assert.equal(again.application?.name, 'item-already-rated')
  says('romeo rates the post 5, once')
  for (const [parentOnly, wanted] of [
    [undefined, 3],
    ['true', 1]
  ]) {
    const attrs = { xmlns: BUDDYCLOUD, since: '2020-01-01T00:00:00Z', max: '10' }
    if (parentOnly) attrs['parent-only'] = parentOnly
    const recent = await romeo.iq('get', CHANNELS, xml('pubsub', PUBSUB, xml('recent-items', attrs)))
    const groups = recent.getChild('pubsub').getChildren('items')
    assert.equal(groups.flatMap(group => group.getChildren('item')).length, wanted)
  }
  says('romeo asks for recent items, with replies and without')
  await Promise.all([juliet.leave(), romeo.leave()])
}

async function command(person, host, node, said) {
  const first = await person.iq('set', host, xml('command', { xmlns: COMMANDS, node, action: 'execute' }))
  if (!said) return first
  const asked = first.getChild('command')
  const { sessionid } = asked.attrs
  const type = asked.getChild('x', 'jabber:x:data').getChildByAttr('var', 'FORM_TYPE')
  const fields = Object.entries({ FORM_TYPE: type.getChildText('value'), ...said }).map(([name, value]) =>
    xml('field', { var: name }, xml('value', {}, value))
  )
  const form = xml('x', { xmlns: 'jabber:x:data', type: 'submit' }, ...fields)
  return person.iq('set', host, xml('command', { xmlns: COMMANDS, node, sessionid }, form))
}

async function agree(person) {
  for (const [host, peer] of [
    ['localhost', CHANNELS],
    [CHANNELS, 'localhost']
  ]) {
    const until = Date.now() + LIMIT
    let list = ''
    do list = String(await command(person, host, `${OWN}#server-buddy-list`))
    while (!list.includes('<value>both</value>') && Date.now() < until)
    assert.ok(list.includes('<value>both</value>') && list.includes(`<value>${peer}</value>`), list)
  }
}

async function admin() {
  const [person] = await enter('admin@localhost/globe')
  const query = xml('query', { xmlns: 'http://jabber.org/protocol/disco#items', node: COMMANDS })
  assert.ok(String(await person.iq('get', 'localhost', query)).includes(`${ADMIN}#server-buddy`))
  says('admin sees the commands')
  await command(person, 'localhost', `${ADMIN}#server-buddy`, { peerjid: CHANNELS })
  await person.finds('the prompt', stanza => stanza.is('message') && stanza.attrs.from === CHANNELS)
  await command(person, CHANNELS, `${OWN}#server-buddy-pending`, { peers: 'localhost', decision: 'approve' })
  await command(person, CHANNELS, `${OWN}#server-buddy-policy`, { policy: 'always' })
  await agree(person)
  says('both hosts are in each other’s server roster')
  await person.leave()
}

async function afterRestart() {
  const [person, romeo] = await enter('admin@localhost/globe', 'romeo@localhost/orchard')
  await agree(person)
  assert.ok(
    String(await command(person, CHANNELS, `${OWN}#server-buddy-policy`)).includes('<value>always</value>')
  )
  says('the buddies and the policy have survived')
  const items = await romeo.iq('get', CHANNELS, xml('pubsub', PUBSUB, xml('items', { node: POSTS })))
  assert.equal(items.getChild('pubsub').getChild('items').getChildren('item').length, 3)
  says('the posts have survived')
  await Promise.all([person.leave(), romeo.leave()])
}

await { chat, channels, admin, 'after-restart': afterRestart }[process.argv[2]]()
// A timer of the library's may be left, and would hold us for 30 seconds.
process.exit()
