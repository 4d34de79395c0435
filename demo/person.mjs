import { client, jid, xml } from '@xmpp/client'

/** Milliseconds that anything may take. */
const LIMIT = 30_000

/** Somebody with a client, who keeps what comes until it is looked for. */
export class Person {
  #unread = []
  #waiting = new Set()

  constructor(address, { service, passwords }) {
    const { local, domain, resource } = jid(address)
    this.jid = `${local}@${domain}`
    this.xmpp = client({ service, domain, resource, username: local, password: passwords[this.jid] })
    this.xmpp.timeout = LIMIT
    this.xmpp.reconnect.stop()
    this.xmpp.on('error', error => this.#fails(error))
    this.xmpp.on('stanza', stanza => {
      if (stanza.is('iq')) return
      this.#unread.push(stanza)
      for (const look of this.#waiting) look()
    })
    this.#listensInTime()
  }

  /** The library begins to listen for the server's header when its own has been written, which can be too late. */
  #listensInTime() {
    const { open } = this.xmpp
    this.xmpp.open = options => {
      const opened = new Promise(resolve => {
        this.xmpp.once('open', resolve)
      })
      return Promise.race([opened, open.call(this.xmpp, options)])
    }
  }

  #fails(error) {
    console.error(`${this.jid}:`, error.message)
    process.exitCode = 1
  }

  async enters() {
    await this.xmpp.start()
    await this.asks('get', undefined, xml('query', 'jabber:iq:roster'))
    await this.xmpp.send(xml('presence'))
    return this
  }

  leaves() {
    return this.xmpp.stop()
  }

  sends(stanza) {
    return this.xmpp.send(stanza)
  }

  /** An iq; resolves with the answer. */
  asks(type, to, payload) {
    return this.xmpp.iqCaller.request(xml('iq', { type, ...(to ? { to } : {}) }, payload), LIMIT)
  }

  /** The condition with which an iq is refused: the application's where there is one. */
  async isRefused(type, to, payload) {
    const answer = await this.asks(type, to, payload).catch(error => error)
    if (!answer.condition) throw new Error(`${this.jid} should have been refused: ${payload}`)
    return answer.application?.name ?? answer.condition
  }

  /** The next stanza that the function takes; others stay. */
  finds(what, takes) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.jid} waited in vain for ${what}`)), LIMIT)
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
}
