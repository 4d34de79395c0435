/*
 * @xmpp/client logs in, says something to itself and leaves; see ways.ts for the settings on standard input. Versions of
 * TLS and the CA are given to Node: --tls-min-v1.3, --tls-max-v1.2, NODE_EXTRA_CA_CERTS.
 */
import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { client, jid, xml } from '@xmpp/client'

const { jid: address, password, port, transport } = JSON.parse(await text(process.stdin))
const TEXT = 'Is there anybody there? said the Traveller'

const { local, domain, resource } = jid(address)
const service = `${transport === 'direct' ? 'xmpps' : 'xmpp'}://localhost:${port}`
const entity = client({ service, domain, resource, username: local, password })
entity.timeout = 30_000
entity.reconnect.stop()
const failure = new Promise((_, reject) => entity.on('error', reject))
failure.catch(() => undefined)

const heard = new Promise(resolve => {
  entity.on('stanza', stanza => {
    if (stanza.is('message') && stanza.getChild('body')) resolve(stanza)
  })
})
let profile
entity.on('element', element => {
  if (element.name === 'success') profile = element.attrs.xmlns
})
await Promise.race([entity.start(), failure])
assert.equal(profile, 'urn:xmpp:sasl:2')
// The library's socket around the one of node:tls
const socket = entity.socket.socket ?? entity.socket
console.log('ok logged in over', socket.getProtocol())
await entity.send(xml('presence'))
await entity.send(xml('message', { to: entity.jid.bare().toString(), type: 'chat' }, xml('body', {}, TEXT)))
const message = await Promise.race([heard, failure])
assert.equal(message.getChildText('body'), TEXT)
assert.equal(message.attrs.from, entity.jid.toString())
console.log('ok heard')
await entity.stop()
console.log('ok left')
// A timer of the library's may be left, and would hold us for 30 seconds.
process.exit(0)
