import type { ClientSession, Element, ModuleEvent, Traced } from '#core'

/** A resource has broadcast its presence. */
export interface AvailabilityEvent extends Traced {
  readonly session: ClientSession
  readonly stanza: Element
  /** The first since it was bound or was last unavailable. */
  readonly initial: boolean
  /** The priority until now; undefined where the resource was not available. */
  readonly before: number | undefined
}

declare module '#core' {
  interface HostEvents {
    /** A resource is available, after contacts were told. */
    'presence/available': AvailabilityEvent
    /** A resource is no longer available. */
    'presence/unavailable': AvailabilityEvent
  }
  interface SessionState {
    /** Who got directed presence without a subscription (RFC 6121 §4.6.3), full or bare JIDs. */
    directed?: string[]
  }
}

/** As they are told to people. */
export const EVENTS: readonly ModuleEvent[] = [
  {
    name: 'presence/available',
    when: 'a resource is available, after its contacts were told',
    payload: 'AvailabilityEvent',
    async: 'yes',
    handled: ''
  },
  {
    name: 'presence/unavailable',
    when: 'a resource is no longer available',
    payload: 'AvailabilityEvent',
    async: 'yes',
    handled: ''
  }
]
