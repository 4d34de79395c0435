import type { StreamError } from '../../errors'
import type { JID } from '../../jid'
import type { Element } from '../../xml/element'
import type { Port } from '../ports'
import type { StreamSettings } from '../settings'
import type { StreamSurroundings } from '../stream'

/** Why a component was not taken. */
export type Refusal = 'host-unknown' | 'not-authorized' | 'conflict'

/** The stream of a component, as whoever it serves must know it. */
export interface EnteredStream {
  readonly remoteAddress: string
  /** Writes a stanza that is serialised already. */
  sendRaw(xml: string): void
  /** Stops reading from the component, until `resume`. */
  pause(): void
  resume(): void
  /**
   * Asks whether the component is there, for another one wants its place: one that has lost its line without a word
   * must not be kept out by what it left behind.
   */
  probe(): void
  /** How the stream behaves from now on. */
  behave(settings: Partial<StreamSettings>): void
  close(error: StreamError): void
}

/** One external component as its streams must know it. */
export interface ComponentDoor {
  /** Shared with the component. */
  readonly secret: string
  /** Whom the component is asked by whether it is there. */
  readonly asker: string
  /** The handshake was right: the stream is the component's from now on, unless an error is returned. */
  enter(stream: EnteredStream): StreamError | undefined
  /** What waited for the component may be sent now. */
  entered(stream: EnteredStream): void
  /** A stanza of the component, whose `from` is its own. */
  stanza(stanza: Element, from: JID, bytes: number): void
  /** That stream, which had entered, takes and sends nothing more. */
  left(stream: EnteredStream, reason: string): void
}

/** What the streams of external components need from the floors above. */
export interface ComponentBackend extends StreamSurroundings {
  /** The component of that prepared name which may attach at that address; undefined for any other name. */
  door(domain: string, port: Port): ComponentDoor | undefined
  /** Somebody at that address was not let in who said to be that component; '' for no name of a host. */
  refused(why: Refusal, from: string, name: string, text?: string): void
}
