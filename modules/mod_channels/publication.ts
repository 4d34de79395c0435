import { isStanzaError, type Element, type StanzaError } from '#core'
import { isAtom, readSubmission, type Submission } from '../lib_channels'

/** A payload as somebody sent it, read before the write unit; its fault is told when the right to publish is clear. */
export interface Publication {
  /** Local name of the payload's root, '' where there is none. */
  readonly root: string
  /** Of an Atom node. */
  readonly submission?: Submission
  readonly fault?: StanzaError
}

/** Reads what is published to a node of that type. */
export function readPublication(type: string, payload: Element | undefined): Publication {
  const root = payload?.name ?? ''
  if (!isAtom(type)) return { root }
  try {
    return { root, submission: readSubmission(payload) }
  } catch (error) {
    if (isStanzaError(error)) return { root, fault: error }
    throw error
  }
}
