/*
 * Connections that send as fast as the server takes it, in a process of their own. The parent sends the options, gets
 * 'connected', sends 'go' and 'stop', and gets what became of every number: { sent, returned, faults, cut }.
 *
 * A third pings the server, a third sends numbered messages around in a ring, and a third never reads at all. Who
 * reads has at most WINDOW stanzas under way, so that all of them can be waited for at the end.
 */
import { Client } from '../../../bench/lib/client.mjs'

const WINDOW = 400
const CHUNK = 40

const faults = []
let flooding = false
let sent = 0
let returned = 0
let cut = 0

class Flooder {
  next = 0
  expected = 0
  underWay = 0

  constructor(client, write) {
    this.client = client
    this.write = write
  }

  flood() {
    while (flooding && !this.client.closed && this.underWay + CHUNK <= WINDOW) {
      let chunk = ''
      for (let i = 0; i < CHUNK; i++) chunk += this.write(this.next++)
      this.underWay += CHUNK
      sent += CHUNK
      this.client.sock.write(chunk)
    }
  }

  /** A number that has come back to the one that sent it, or has gone around. */
  came(number, sender = this) {
    if (number !== sender.expected)
      faults.push(`${sender.client.jid}: ${number} came where ${sender.expected} was to come`)
    sender.expected = number + 1
    sender.underWay--
    returned++
    sender.flood()
  }
}

const numberIn = head => Number(/id=["']f(\d+)["']/.exec(head)?.[1] ?? NaN)

async function connect({ options, count }) {
  const clients = []
  for (let i = 0; i < count; i += 20) {
    const some = Array.from({ length: Math.min(20, count - i) }, (_, k) => `flood${i + k}`)
    clients.push(...(await Promise.all(some.map(user => new Client({ ...options, user }).login()))))
  }
  const pingers = clients.filter((_, i) => i % 3 === 0)
  const ring = clients.filter((_, i) => i % 3 === 1)
  const deaf = clients.filter((_, i) => i % 3 === 2)
  const readers = pingers.map(client => {
    const flooder = new Flooder(
      client,
      number => `<iq type='get' id='f${number}'><ping xmlns='urn:xmpp:ping'/></iq>`
    )
    client.onIq = id => flooder.came(Number(id.slice(1)))
    return flooder
  })
  const senders = ring.map((client, i) => {
    const to = ring[(i + 1) % ring.length].jid
    return new Flooder(client, number => `<message to='${to}' id='f${number}'><body>flood</body></message>`)
  })
  for (const [i, client] of ring.entries()) {
    const before = senders[(i + ring.length - 1) % ring.length]
    client.onMessage = (b, s, e) => before.came(numberIn(b.latin1Slice(s, Math.min(e, s + 300))), before)
  }
  for (const client of [...pingers, ...ring]) client.onClose = error => faults.push(String(error))
  for (const client of deaf) client.onClose = () => cut++
  return { flooders: [...readers, ...senders], deaf }
}

/** Never reads, and sends whatever the socket takes. */
function shout({ sock, closed }) {
  const chunk = `<iq type='get' id='deaf'><ping xmlns='urn:xmpp:ping'/></iq>`.repeat(CHUNK)
  const on = () => {
    while (flooding && !closed && !sock.destroyed) if (!sock.write(chunk)) return sock.once('drain', on)
  }
  sock.pause()
  on()
}

let crowd
process.on('message', async message => {
  if (message === 'go') {
    flooding = true
    for (const flooder of crowd.flooders) flooder.flood()
    for (const client of crowd.deaf) shout(client)
  } else if (message === 'stop') {
    flooding = false
    const before = cut
    for (const { sock } of crowd.deaf) sock.destroy()
    while (returned < sent && faults.length === 0) await new Promise(resolve => setTimeout(resolve, 20))
    process.send({ sent, returned, faults: faults.slice(0, 5), cut: before }, () => process.exit(0))
  } else {
    crowd = await connect(message)
    process.send('connected')
  }
})
process.on('disconnect', () => process.exit(1))
