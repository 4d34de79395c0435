import { z } from '#core'
import type { State } from '../lib_subscription'

const time = z.number().int()

/** What is kept of a peer server: both directions apart, and how it came. */
export const Buddy = z.object({
  subscription: z.enum(['none', 'to', 'from', 'both']),
  /** Our request waits for the peer's answer. */
  ask: z.boolean(),
  /** The peer's request waits for an administrator. */
  pendingIn: z.boolean(),
  /** An administrator of ours asked first, so the peer's request in return is approved by itself (XEP-0267 §1). */
  initiated: z.boolean(),
  /** Who made us ask, and when. */
  requestedBy: z.string().optional(),
  requestedAt: time.optional(),
  /** When the peer approved our request. */
  acceptedAt: time.optional(),
  /** When the peer asked. */
  receivedAt: time.optional(),
  /** Who approved the peer's request, and when; `policy:always` and the like where no person did. */
  approvedBy: z.string().optional(),
  approvedAt: time.optional(),
  /** Why our request did not get through, or was refused. */
  problem: z.string().optional(),
  note: z.string().optional(),
  /** The administrators who have been sent the form of the request that waits. */
  told: z.array(z.string()).optional()
})

export type Buddy = z.infer<typeof Buddy>

export const NOBODY: Buddy = { subscription: 'none', ask: false, pendingIn: false, initiated: false }

export function stateOf(buddy: Buddy): State {
  return { subscription: buddy.subscription, ask: buddy.ask, pendingIn: buddy.pendingIn, approved: false }
}

/** The buddy in a new state; pre-approval is not for servers. */
export function inState(buddy: Buddy, { subscription, ask, pendingIn }: State): Buddy {
  const next = { ...buddy, subscription, ask, pendingIn }
  // Who has been told of one request is to be told of the next
  if (!pendingIn) delete next.told
  if (!isTo(next)) delete next.acceptedAt
  return next
}

/** Whether anything is left to be kept. */
export function isNobody(buddy: Buddy): boolean {
  return buddy.subscription === 'none' && !buddy.ask && !buddy.pendingIn && buddy.problem === undefined
}

export function isTo(buddy: Buddy | undefined): boolean {
  return buddy?.subscription === 'to' || buddy?.subscription === 'both'
}

export function isFrom(buddy: Buddy | undefined): boolean {
  return buddy?.subscription === 'from' || buddy?.subscription === 'both'
}
