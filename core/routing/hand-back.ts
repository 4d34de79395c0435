import { errorReply, StanzaError } from '../errors'
import { isPromise } from '../events/hooks'
import type { Host } from '../hosts/host'
import type { Log } from '../log'
import { delayed, type Held } from '../streams/smacks'
import { parseElement } from '../xml/document'
import type { Element } from '../xml/element'
import type { Router } from './router'

/**
 * What a session has not acknowledged goes where it would have gone without that session (XEP-0198 §4): messages to
 * another resource, into the store or back; requests are answered with an error; the rest is of no use to anybody.
 */
export function handBack(unacknowledged: readonly Held[], host: Host, router: Router, log: Log): void {
  for (const { xml, at, copies } of unacknowledged) {
    if (copies && !copies.lost()) continue
    const stanza = parseElement(xml)
    const { from, to, type } = stanza.attrs as Record<string, string | undefined>
    if (from === undefined || to === undefined || type === 'error') continue
    if (stanza.name === 'message') route(delayed(stanza, host.name, at), host, router, log)
    // RFC 6121 §8.5.3.2.3; presence is dropped (§8.5.3.2.2)
    if (stanza.name !== 'iq' || type === 'result') continue
    const answer = errorReply(stanza, new StanzaError('service-unavailable'))
    if (answer) route(answer, host, router, log)
  }
}

function route(stanza: Element, host: Host, router: Router, log: Log): void {
  const failed = (err: unknown): void =>
    log.error({ err, host: host.name }, 'a stanza that was not acknowledged could not be handed back')
  try {
    const done = router.route(stanza, { kind: 'local', name: host.name })
    if (isPromise(done)) done.catch(failed)
  } catch (err) {
    failed(err)
  }
}
