/*
 * @xmpp/client logs in by SASL2 and Bind 2 with stream management, loses its connection, comes back by resumption, and
 * once more as the same installation. Settings on standard input; what happened on standard output, as JSON by line.
 */
import { text } from 'node:stream/consumers'
import { client, xml } from '@xmpp/client'
import { listensInTime } from '../xmpp-open.mjs'

const { domain, port, username, password, agent } = JSON.parse(await text(process.stdin))
const tell = (what, more = {}) => console.log(JSON.stringify({ what, ...more }))

function made() {
  const userAgent = xml('user-agent', { id: agent }, xml('software', {}, 'Story'))
  const service = `xmpps://localhost:${port}`
  const entity = listensInTime(client({ service, domain, resource: 'story', username, password, userAgent }))
  entity.timeout = 30_000
  const failure = new Promise((_, reject) => entity.on('error', reject))
  failure.catch(() => undefined)
  return { entity, failure }
}

/** Resolves with the top-level elements of that name, once. */
const next = (entity, test) =>
  new Promise(resolve => {
    const heard = element => {
      if (!test(element)) return
      entity.off('nonza', heard)
      entity.off('stanza', heard)
      resolve(element)
    }
    entity.on('nonza', heard)
    entity.on('stanza', heard)
  })

const first = made()
first.entity.on('send', element => tell('sent', { name: element.name, ns: element.attrs.xmlns }))
const enabled = next(first.entity, element => element.is('success', 'urn:xmpp:sasl:2'))
await Promise.race([first.entity.start(), first.failure])
const success = await enabled
tell('bound', { jid: first.entity.jid.toString(), managed: first.entity.streamManagement.enabled })
tell('children', { names: success.getChildElements().map(({ name }) => name) })

// The connection is cut, and the library comes back by itself
const resumed = new Promise(resolve => first.entity.streamManagement.on('resumed', resolve))
const again = next(first.entity, element => element.is('success', 'urn:xmpp:sasl:2'))
const socket = first.entity.socket.socket ?? first.entity.socket
socket.destroy()
const second = await Promise.race([again, first.failure])
await Promise.race([resumed, first.failure])
tell('resumed', {
  jid: first.entity.jid.toString(),
  names: second.getChildElements().map(({ name }) => name)
})
const echo = next(first.entity, element => element.is('message') && element.getChild('body') !== undefined)
await first.entity.send(
  xml('message', { to: first.entity.jid.toString(), type: 'chat' }, xml('body', {}, 'hail'))
)
await Promise.race([echo, first.failure])
tell('heard')
await first.entity.stop()

const other = made()
await Promise.race([other.entity.start(), other.failure])
tell('again', { jid: other.entity.jid.toString() })
await other.entity.stop()
