import { StanzaError, StreamError } from '../errors'
import { InvalidJid, JID } from '../jid'
import { childOf, childText, el, firstChild, nsOf, type Element } from '../xml/element'
import { NS } from '../xml/namespaces'
import type { StreamHost } from './backend'
import { randomName } from './random'
import type { ClientSession } from './session'
import type { StreamSettings } from './settings'

/** An iq set with such a payload, which the stream answers itself: resource binding and its old companion. */
export function negotiationOf(iq: Element): 'bind' | 'session' | undefined {
  if (iq.attrs.type !== 'set') return undefined
  const payload = firstChild(iq)
  if (payload?.name === 'bind' && nsOf(payload) === NS.BIND) return 'bind'
  if (payload?.name === 'session' && nsOf(payload) === NS.SESSION) return 'session'
  return undefined
}

/** The resource that a request to bind one asks for (RFC 6120 §7.6, §7.7). */
export function wantedResource(iq: Element): string | undefined {
  const bind = childOf(iq, 'bind')
  return bind && childText(bind, 'resource')
}

/**
 * The full JID for an attempt to bind a resource (RFC 6120 §7). It is free when this returns: a session that was
 * replaced has been closed. Throws a StanzaError.
 */
export function resourceFor(
  wanted: string | undefined,
  user: string,
  host: StreamHost,
  settings: StreamSettings
): JID {
  // RFC 6120 §7.7.2.1: an empty resource is made to conform, so it is one of ours
  const jid = withResource(user, host.name, wanted || newResource())
  const bound = host.sessions.of(user)
  const holder = bound.get(jid.resource)
  if (holder && settings.conflict === 'replace') {
    // RFC 6120 §7.7.2.2, §4.9.3.3
    holder.close(new StreamError('conflict', 'another client has bound this resource'))
    return jid
  }
  if (bound.size >= settings.maxResources && !makeRoom(bound)) {
    // XEP-0205 §4.4
    throw new StanzaError('resource-constraint', {
      text: `an account may have ${settings.maxResources} resources`,
      app: el('resource-limit-exceeded', 'urn:xmpp:errors')
    })
  }
  if (!holder) return jid
  if (settings.conflict === 'refuse') throw new StanzaError('conflict', { type: 'modify' })
  return withResource(user, host.name, newResource())
}

/** A session that only waits for its client to come back must not keep it from coming back (XEP-0198 §5). */
function makeRoom(bound: ReadonlyMap<string, ClientSession>): boolean {
  for (const session of bound.values()) {
    if (!session.hibernating) continue
    session.close(new StreamError('resource-constraint', 'the account has too many resources'))
    return true
  }
  return false
}

function withResource(user: string, domain: string, resource: string): JID {
  try {
    return JID.of(user, domain, resource)
  } catch (error) {
    if (error instanceof InvalidJid) throw new StanzaError('bad-request', `the resource ${error.reason}`)
    throw error
  }
}

/** RFC 6120 §7.5: not to be guessed, for whoever knows it can find out whether the client is online. */
function newResource(): string {
  return randomName(9)
}

export function bindResult(iq: Element, jid: JID): Element {
  const { id } = iq.attrs
  return el('iq', { type: 'result', id }, el('bind', NS.BIND, el('jid', null, jid.full)))
}

export function sessionResult(iq: Element): Element {
  return el('iq', { type: 'result', id: iq.attrs.id })
}
