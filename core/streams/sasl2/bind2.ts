import { StreamError, type StanzaError } from '../../errors'
import { JID } from '../../jid'
import { childrenOf, childText, el, nsOf, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import { CSI } from '../client-state'
import type { Negotiable } from '../negotiable'
import { randomName } from '../random'
import { SM } from '../smacks/names'
import { bind2Features } from './features'

export interface Bind2Outcome {
  /** `bound`: `<bound/>`, with the answers of what the session began with. */
  bound(jid: JID, bound: Element): void
  refused(error: StanzaError): void
}

/** Characters of a tag that we make a resource of, at most. */
const MAX_TAG = 64

/** Binds a resource as `<bind/>` asks, and begins the session with the features it names (XEP-0386 §3.2). */
export function bind(stream: Negotiable, request: Element, outcome: Bind2Outcome): void {
  endEarlierSessions(stream)
  stream.bindResource(resourceFor(stream, childText(request, 'tag')), {
    bound: jid => outcome.bound(jid, el('bound', NS.BIND2, beginWith(stream, request))),
    refused: outcome.refused
  })
}

/** XEP-0386 §3.2: a client that is there again is not there twice. */
function endEarlierSessions(stream: Negotiable): void {
  const id = stream.state.userAgent?.id
  if (id === undefined) return
  for (const session of [...(stream.host?.sessions.of(stream.user).values() ?? [])]) {
    if (session.state.userAgent?.id !== id) continue
    session.close(new StreamError('conflict', 'the same client has logged in again'))
  }
}

/**
 * XEP-0386 §3.2.1: the tag, and a name that is the same whenever that client comes. Nobody else can find it, for
 * whoever knows it can find out whether the client is online (RFC 6120 §7.5).
 */
function resourceFor(stream: Negotiable, tag: string | undefined): string {
  const id = stream.state.userAgent?.id
  const name = id === undefined ? randomName(9) : stream.stableName(id)
  const wanted = tag?.trim().slice(0, MAX_TAG)
  if (!wanted) return name
  const resource = `${wanted}/${name}`
  return JID.tryParse(`${stream.user}@${stream.domain}/${resource}`) ? resource : name
}

/** What a session begins with, as it was asked for; what is not offered is left out. */
function beginWith(stream: Negotiable, request: Element): Element[] {
  return childrenOf(request).flatMap(child => beginWithOne(stream, child) ?? [])
}

function beginWithOne(stream: Negotiable, request: Element): Element | undefined {
  const ns = nsOf(request)
  if (ns === undefined || !stream.host || !bind2Features(stream.host.items).includes(ns)) return undefined
  if (ns === SM && request.name === 'enable') return stream.enableManagement(request)
  if (ns === CSI) stream.indicateState(request)
  return undefined
}
