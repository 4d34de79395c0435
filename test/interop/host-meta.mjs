// @xmpp/client, which knows nothing but an address: asks host-meta and logs in over what it names.
// @xmpp/resolve speaks HTTPS to the domain's port 443; a test has another port, so it is part of the "domain".
import { resolve } from '@xmpp/resolve/lib/http.js'
import { client, xml } from '@xmpp/client'
import { listensInTime } from './xmpp-open.mjs'
import WebSocket from 'ws'

globalThis.WebSocket ??= WebSocket

const [origin, domain, username, password] = process.argv.slice(2)
const [found] = await resolve(origin)
if (found?.method !== 'websocket') throw new Error(`host-meta names no WebSocket: ${JSON.stringify(found)}`)

const xmpp = listensInTime(client({ service: found.uri, domain, username, password }))
xmpp.on('error', error => {
  console.error(error)
  process.exitCode = 1
})
await xmpp.start()
const answer = await xmpp.iqCaller.get(xml('ping', 'urn:xmpp:ping'), domain)
console.log(`ok ${found.uri} ${answer === undefined ? '' : 'ping'}`)
await xmpp.stop()
