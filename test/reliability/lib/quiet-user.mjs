/*
 * A user who pings the server now and then, in a process of its own, so that nothing disturbs the clock. The parent
 * sends the options and gets 'connected'; for each number of milliseconds it gets how long pings took, sorted.
 */
import { Client } from '../../../bench/lib/client.mjs'

let client
process.on('message', async message => {
  if (typeof message === 'object') {
    client = await new Client(message).login()
    return process.send('connected')
  }
  const took = []
  for (const until = performance.now() + message; performance.now() < until;) {
    const before = performance.now()
    await client.iq('localhost', 'get', `<ping xmlns='urn:xmpp:ping'/>`)
    took.push(performance.now() - before)
    await new Promise(resolve => setTimeout(resolve, 5 + Math.random() * 10))
  }
  process.send(took.sort((a, b) => a - b))
})
process.on('disconnect', () => process.exit(1))
