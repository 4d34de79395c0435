// The flood of the scenario of that name, in a process of its own so that the quiet user's clock is not disturbed.
// The parent sends { options, from, count, body }, gets 'connected', sends 'go' and 'stop', gets { sent, received, lost }.
import { Client } from './client.mjs'

/** Stanzas written at once. */
const CHUNK = 50
const AT_A_TIME = 20

const clients = []
let flooding = false
let sent = 0
let received = 0
let lost = 0

async function connect({ options, from, count }) {
  for (let i = 0; i < count; i += AT_A_TIME) {
    const some = Array.from({ length: Math.min(AT_A_TIME, count - i) }, (_, k) => from + i + k)
    clients.push(
      ...(await Promise.all(
        some.map(number => new Client({ ...options, user: `u${number}` }).login({ confirm: true }))
      ))
    )
  }
  for (const client of clients) {
    client.onMessage = () => received++
    client.onClose = () => lost++
  }
}

/** As fast as the connection takes it. */
function flood(client, chunk) {
  while (flooding && !client.closed) {
    sent += CHUNK
    if (!client.sock.write(chunk)) return client.sock.once('drain', () => flood(client, chunk))
  }
}

process.on('message', async message => {
  if (message === 'go') {
    flooding = true
    for (const [i, client] of clients.entries()) {
      const next = clients[(i + 1) % clients.length]
      const stanza = `<message type='chat' to='${next.bare}'><body>${'x'.repeat(body)}</body></message>`
      // Each a moment later, so that they do not come in step
      setTimeout(() => flood(client, stanza.repeat(CHUNK)), 5 * i)
    }
  } else if (message === 'stop') {
    flooding = false
    process.send({ sent, received, lost }, () => process.exit(0))
  } else {
    body = message.body
    await connect(message)
    process.send('connected')
  }
})
let body = 200
process.on('disconnect', () => process.exit(1))
