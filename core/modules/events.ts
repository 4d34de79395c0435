import { editDistance } from '../config/suggest'
import { CodedError } from '../errors'
import { EVENTS } from '../routing/events'

/** Letters that a slip of the pen changes; modules' own events are farther from each other and from core's. */
const SLIP = 2

/**
 * Refuses an event that nobody raises because its name is misspelt. Modules raise events of their own, and theirs may
 * start later or never: a name that is not near any known one passes. Throws `ERR_EVENT_UNKNOWN`.
 */
export function refuseMisspelt(event: string, declared: readonly string[]): void {
  if (Object.hasOwn(EVENTS, event) || declared.includes(event)) return
  const meant = [...Object.keys(EVENTS), ...declared].find(
    known => Math.abs(known.length - event.length) <= SLIP && editDistance(event, known) <= SLIP
  )
  if (meant !== undefined)
    throw new CodedError('ERR_EVENT_UNKNOWN', `there is no event '${event}'; did you mean "${meant}"?`)
}
