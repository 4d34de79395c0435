import { randomUUID } from 'node:crypto'
import { JID, StanzaError } from '#core'
import { nodeName } from '../lib_channels'
import type { ChannelActor } from './access'

/** RFC 9562 §4; a JID is prepared, so it is in lower case. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Whether a channel has a name that an ephemeral one can have (protoXEP §1.3). */
export function isUuid(channel: string): boolean {
  return UUID.test(JID.parse(channel).local)
}

/** The node of a new channel that nobody can guess, at the domain of who makes it. */
export function newEphemeralNode({ bare, local }: ChannelActor): string {
  if (!local) throw new StanzaError('forbidden', 'only accounts of this domain make channels here')
  return nodeName(`${randomUUID()}@${JID.parse(bare).domain}`, 'posts')
}
