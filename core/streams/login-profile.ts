import type { Element } from '../xml/element'
import type { ChannelBindings } from './channel-binding'
import type { SaslCondition, SaslExchange, SaslOffer } from './mechanism'
import type { ClientSession } from './session'

/** What a login needs of its stream. */
export interface LoginStream extends ClientSession {
  readonly channelBindings: ChannelBindings | undefined
  /** Nothing but STARTTLS is accepted now. */
  readonly tlsFirst: boolean
  /** Writes an element. */
  answer(element: Element): void
  /** Reads nothing more until the promise is settled. */
  wait<T>(promise: Promise<T>, then: (value: T) => void, failed: (error: unknown) => void): void
  /** Takes a step that asks modules, now or as soon as none of them is being swapped. */
  whenOpen(step: () => void): void
  /** Whether the client has not said to be somebody else (RFC 6120 §6.4.6). */
  agreesWith(user: string): boolean
  /** The client is that user, and a new stream begins after `success` was sent (RFC 6120 §6.4.6). */
  loggedIn(user: string, success: Element): void
  /** A name that stands for something of this user: always the same, also after a restart, and nobody can guess it. */
  stableName(what: string): string
}

/** How SASL is written on a stream: by RFC 6120 §6.4, or by XEP-0388. */
export interface LoginProfile {
  readonly ns: string
  readonly offer: SaslOffer
  /** Takes an element of that namespace. `exchange`: what was under way, by this profile. */
  element(element: Element, exchange: SaslExchange | undefined): void
  challenge(data: Buffer): Element
  /** The client has proved to be that user. */
  succeeded(user: string, data: Buffer | undefined): void
}

/** What the profiles do through whoever counts: `Login`. */
export interface LoginRun {
  /** An attempt to log in. No data is no initial response. */
  attempt(profile: LoginProfile, name: string | undefined, data: Buffer | undefined): void
  /** The next message of an attempt. */
  step(profile: LoginProfile, exchange: SaslExchange, data: Buffer | undefined): void
  /** Answers that an attempt has failed; too many end the stream. */
  failed(profile: LoginProfile, failure: { condition: SaslCondition; text?: string | undefined }): void
}
