/*
 * juliet and romeo, two clients of @xmpp/client, chat without a pause while the server's modules are swapped. Reads
 * its settings as one line of JSON on standard input: { ports: { tcp, ws }, passwords: { jid: password } }. Prints
 * 'said N' for each number that was said and heard, until standard input ends; status 0 when nothing was lost,
 * nobody was disconnected and no error came.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import readline from 'node:readline'
import { client, jid, xml } from '@xmpp/client'
import { listensInTime } from './xmpp-open.mjs'
import { WebSocket } from 'ws'

globalThis.WebSocket ??= WebSocket // Node 20 has none of its own

const LIMIT = 60_000
/** Every so many numbers the other things that a client does. */
const OTHERS_EVERY = 10

const input = readline.createInterface({ input: process.stdin })
const [line] = await once(input, 'line')
const { ports, passwords } = JSON.parse(line)
let over = false
input.on('close', () => (over = true))

function fails(error) {
  console.error(error)
  process.exit(1)
}

class Person {
  #leaving = false
  #unread = []
  #wake = () => undefined

  constructor(address, service) {
    const { local, domain, resource } = jid(address)
    const password = passwords[`${local}@${domain}`]
    this.address = address
    this.xmpp = listensInTime(client({ service, domain, resource, username: local, password }))
    this.xmpp.timeout = LIMIT
    this.xmpp.reconnect.stop()
    this.xmpp.on('error', fails)
    this.xmpp.on('disconnect', () => this.#leaving || fails(new Error(`${address} was disconnected`)))
    this.xmpp.on('stanza', stanza => this.#hear(stanza))
  }

  #hear(stanza) {
    const { type, from } = stanza.attrs
    if (stanza.is('iq')) return
    if (type === 'error' || type === 'unavailable') return fails(new Error(`${this.address} got ${stanza}`))
    // The own presence, and the other's
    if (stanza.is('presence') && !from.startsWith('localhost')) return
    this.#unread.push(stanza)
    this.#wake()
  }

  async enter() {
    await this.xmpp.start()
    // What it asked for is a tag to Bind 2, and the resource has more to it.
    this.address = String(this.xmpp.jid)
    await this.iq('get', undefined, xml('query', 'jabber:iq:roster'))
    await this.xmpp.send(xml('presence'))
  }

  async leave() {
    assert.deepEqual(this.#unread, [])
    this.#leaving = true
    await this.xmpp.stop()
  }

  iq(type, to, payload) {
    return this.xmpp.iqCaller.request(xml('iq', { type, ...(to ? { to } : {}) }, payload), LIMIT)
  }

  async #next() {
    while (this.#unread.length === 0) await new Promise(resolve => (this.#wake = resolve))
    return this.#unread.shift()
  }

  async says(other, number) {
    await this.xmpp.send(xml('message', { to: other.address, type: 'chat' }, xml('body', {}, String(number))))
    const heard = await other.#next()
    assert.ok(heard.is('message') && heard.attrs.from === this.address, String(heard))
    assert.equal(heard.getChildText('body'), String(number))
    console.log('said', number)
  }

  async doesOthers(number) {
    await this.iq('get', 'localhost', xml('ping', 'urn:xmpp:ping'))
    await this.iq('get', 'channels.localhost', xml('query', 'http://jabber.org/protocol/disco#info'))
    await this.iq('get', 'localhost', xml('query', 'jabber:iq:version'))
    const item = { jid: 'contact@example.org', name: String(number) }
    await this.iq('set', undefined, xml('query', 'jabber:iq:roster', xml('item', item)))
    const roster = await this.iq('get', undefined, xml('query', 'jabber:iq:roster'))
    assert.equal(roster.getChild('query').getChild('item').attrs.name, String(number))
  }
}

const juliet = new Person('juliet@localhost/balcony', `xmpp://localhost:${ports.tcp}`)
const romeo = new Person('romeo@localhost/orchard', `ws://localhost:${ports.ws}/xmpp-websocket`)
await juliet.enter()
await romeo.enter()
let number = 0
while (!over) {
  for (const [speaker, listener] of [
    [juliet, romeo],
    [romeo, juliet]
  ]) {
    await speaker.says(listener, ++number)
    if (number % OTHERS_EVERY === 0) await speaker.doesOthers(number)
  }
}
await juliet.leave()
await romeo.leave()
