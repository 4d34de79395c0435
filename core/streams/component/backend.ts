import type { StreamError } from '../../errors'
import type { JID } from '../../jid'
import type { Element } from '../../xml/element'
import type { Port } from '../ports'
import type { StreamSurroundings } from '../stream'
import type { ComponentStream } from './accepted'

/** Why a component was not taken. */
export type Refusal = 'host-unknown' | 'not-authorized' | 'conflict'

/** One external component as its streams must know it. */
export interface ComponentDoor {
  /** Shared with the component. */
  readonly secret: string
  /** Whom the component is asked by whether it is there. */
  readonly asker: string
  /** The handshake was right: the stream is the component's from now on, unless an error is returned. */
  enter(stream: ComponentStream): StreamError | undefined
  /** What waited for the component may be sent now. */
  entered(stream: ComponentStream): void
  /** A stanza of the component, whose `from` is its own. */
  stanza(stanza: Element, from: JID, bytes: number): void
  /** That stream, which had entered, takes and sends nothing more. */
  left(stream: ComponentStream, reason: string): void
}

/** What the streams of external components need from the floors above. */
export interface ComponentBackend extends StreamSurroundings {
  /** The component of that prepared name which may attach at that address; undefined for any other name. */
  door(domain: string, port: Port): ComponentDoor | undefined
  /** For counters. */
  refused(why: Refusal): void
}
