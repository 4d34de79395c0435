import { childOf, childText, el, type Element } from '../../xml/element'
import type { StreamSettings } from '../settings'

/** XEP-0478. */
export const STREAM_LIMITS = 'urn:xmpp:stream-limits:0'

/** What a peer said that it takes; undefined where it did not say. */
export interface AnnouncedLimits {
  /** Bytes of a stanza, or of another element on the top level of the stream. */
  maxBytes: number | undefined
  /** Seconds without anything from us, after which it asks or ends the stream. */
  idleSeconds: number | undefined
}

type Announced = Pick<StreamSettings, 'limits' | 'limitsBeforeAuth' | 'authTimeout' | 'silence' | 'announce'>

/**
 * `<limits/>` for `<stream:features/>`, or for `<bidi/>` (XEP-0478 §3.1, §3.2); undefined where it is not to be told.
 * Before authentication other limits hold than afterwards.
 */
export function limitsFeature(settings: Announced, authenticated: boolean): Element | undefined {
  if (!settings.announce) return undefined
  const { stanzaBytes } = authenticated ? settings.limits : settings.limitsBeforeAuth
  // Who does nothing about logging in is gone after that time.
  const idle = authenticated ? settings.silence : settings.authTimeout
  const seconds = Math.floor(idle / 1000)
  return el(
    'limits',
    STREAM_LIMITS,
    el('max-bytes', null, String(stanzaBytes)),
    seconds > 0 && el('idle-seconds', null, String(seconds))
  )
}

/** Reads what a peer announced, in its features or its `<bidi/>`. What is no number it has not said. */
export function announcedLimits(parent: Element): AnnouncedLimits {
  const limits = childOf(parent, 'limits', STREAM_LIMITS)
  return {
    maxBytes: limits && number(childText(limits, 'max-bytes')),
    idleSeconds: limits && number(childText(limits, 'idle-seconds'))
  }
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d{1,10}\s*$/.test(text) ? Number(text) : undefined
}
