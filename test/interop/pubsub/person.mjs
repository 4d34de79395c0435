/*
 * People with @xmpp/client, for the scripts beside this one; settings as JSON on standard input (server.ts). The
 * library has no pubsub of its own: requests are written with its xml().
 */
import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { client, jid, xml } from '@xmpp/client'
import { listensInTime } from '../xmpp-open.mjs'

export const settings = JSON.parse(await text(process.stdin))
const LIMIT = 30_000
export const PUBSUB = 'http://jabber.org/protocol/pubsub'
export const OWNER = `${PUBSUB}#owner`
export const EVENT = `${PUBSUB}#event`
export const ATOM = 'http://www.w3.org/2005/Atom'
const RSM = 'http://jabber.org/protocol/rsm'

export class Person {
  #unread = []
  #waiting = new Set()

  constructor(name, host) {
    this.host = host
    this.bare = `${name}@localhost`
    const { service, passwords } = settings
    const password = passwords[this.bare]
    this.xmpp = listensInTime(
      client({ service, domain: 'localhost', resource: 'js', username: name, password })
    )
    this.xmpp.timeout = LIMIT
    this.xmpp.reconnect.stop()
    this.xmpp.on('error', error => {
      console.error(error)
      process.exitCode = 1
    })
    this.xmpp.on('stanza', stanza => {
      if (!stanza.is('message')) return
      this.#unread.push(stanza)
      for (const look of this.#waiting) look()
    })
  }

  async enter() {
    await this.xmpp.start()
    await this.xmpp.send(xml('presence'))
    return this
  }

  leave() {
    return this.xmpp.stop()
  }

  /** The next message that the function makes something of; others stay. */
  finds(what, take) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.bare}: ${what} did not come: ${this.#unread.join('\n')}`)),
        LIMIT
      )
      const look = () => {
        const at = this.#unread.findIndex(stanza => take(stanza))
        if (at === -1) return
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve(take(this.#unread.splice(at, 1)[0]))
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** An event about a node. */
  hears(name, node, wanted = () => true) {
    return this.finds(`${name} of ${node}`, message => {
      const told = message.getChild('event', EVENT)?.getChild(name)
      return told?.attrs.node === node && wanted(told) ? told : undefined
    })
  }

  iq(type, payload, to = this.host) {
    return this.xmpp.iqCaller.request(xml('iq', { type, to }, payload), LIMIT)
  }

  async asks(type, ns, ...children) {
    return (await this.iq(type, xml('pubsub', ns, ...children))).getChild('pubsub', ns)
  }

  get(...children) {
    return this.asks('get', PUBSUB, ...children)
  }

  set(...children) {
    return this.asks('set', PUBSUB, ...children)
  }

  shows(...children) {
    return this.asks('get', OWNER, ...children)
  }

  decides(...children) {
    return this.asks('set', OWNER, ...children)
  }

  disco(kind, node, to) {
    const query = xml('query', { xmlns: `http://jabber.org/protocol/disco#${kind}`, ...(node && { node }) })
    return this.iq('get', query, to).then(answer => answer.getChild('query'))
  }

  subscribe(node, jid = this.bare) {
    return this.set(xml('subscribe', { node, jid })).then(answer => answer.getChild('subscription').attrs)
  }

  unsubscribe(node, jid = this.bare) {
    return this.set(xml('unsubscribe', { node, jid }))
  }

  /** Returns the id. */
  async publish(node, payload, id, ...more) {
    const item = xml('item', id === undefined ? {} : { id }, payload)
    const answer = await this.set(xml('publish', { node }, item), ...more)
    return answer.getChild('publish').getChild('item').attrs.id
  }

  /** Their ids. */
  async items(node, attrs = {}, inside = [], ...more) {
    const answer = await this.get(xml('items', { node, ...attrs }, ...inside), ...more)
    return { ids: idsOf(answer), page: pageOf(answer), answer }
  }

  affiliate(node, person, affiliation) {
    return this.decides(xml('affiliations', { node }, xml('affiliation', { jid: person.bare, affiliation })))
  }
}

export const idsOf = answer =>
  answer
    .getChildren('items')
    .flatMap(list => list.getChildren('item'))
    .map(item => item.attrs.id)

export const set = values =>
  xml('set', RSM, ...Object.entries(values).map(([name, value]) => xml(name, {}, value)))

export function pageOf(answer) {
  const page = answer.getChild('set', RSM)
  return page && { count: page.getChildText('count'), last: page.getChildText('last') }
}

export function form(type, values) {
  const fields = Object.entries({ FORM_TYPE: `${PUBSUB}#${type}`, ...values })
  return xml(
    'x',
    { xmlns: 'jabber:x:data', type: 'submit' },
    ...fields.map(([name, value]) => xml('field', { var: name }, xml('value', {}, value)))
  )
}

export const valuesOf = x =>
  Object.fromEntries(x.getChildren('field').map(field => [field.attrs.var, field.getChildText('value')]))

export const says = step => console.log('ok', step)

/** The error has the condition, and the application's, if any. */
export async function refused(request, condition, application) {
  const error = await request.then(
    () => assert.fail(`${condition} was expected`),
    reason => reason
  )
  assert.equal(error.condition, condition, String(error))
  if (application) assert.equal(error.application?.name, application)
}

export async function lives(host, story) {
  const names = ['juliet', 'romeo', 'benvolio', 'tybalt']
  const people = await Promise.all(names.map(name => new Person(name, host).enter()))
  const time = setTimeout(() => process.exit(1), settings.seconds * 1000)
  await story(...people)
  await Promise.all(people.map(person => person.leave()))
  clearTimeout(time)
  // A timer of the library's may be left, and would hold us for 30 seconds.
  process.exit()
}

export { assert, jid, xml }
