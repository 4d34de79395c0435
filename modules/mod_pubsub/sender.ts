import { StanzaError, type Context, type StanzaEvent } from '#core'
import type { Actor } from '../lib_pubsub'
import type { PubsubConfig } from './config'

/** Who asks, and whether they may create nodes. */
export interface Sender extends Actor {
  readonly creates: boolean
}

/** Throws `forbidden` where the address is one of this server's and nobody here was authenticated for it. */
export function senderOf(ctx: Context<PubsubConfig>, { from, origin, host }: StanzaEvent): Sender {
  const { server, config } = ctx
  const ours = server.isLocal(from.domain)
  // A component speaks for its own host alone: core has seen to that
  if (ours && origin.kind !== 'c2s' && origin.kind !== 'local' && origin.kind !== 'component')
    throw new StanzaError('forbidden')
  const role = server.role(from, host)
  const admin = role === 'admin' || role === 'operator'
  return { jid: from.full, bare: from.bare, admin, creates: admin || mayCreate() }

  function mayCreate(): boolean {
    if (config.createNodes === 'anyone' || config.creatorDomains.includes(from.domain)) return true
    const account = from.local !== '' && server.host(from.domain)?.type === 'virtual'
    return config.createNodes === 'local' && account
  }
}
