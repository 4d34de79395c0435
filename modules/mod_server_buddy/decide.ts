import type { CommandRun, Context, FormValues } from '#core'
import { done, refused, type Act } from '../lib_admin'
import type { Buddies } from './buddies'

/** What a form says about a request: the command's, or that of a message. */
export function actOf(ctx: Context, run: CommandRun, said: FormValues): Act {
  const command = said.decision === 'approve' ? 'server-buddy-approve' : 'server-buddy-refuse'
  return { ctx, run, command }
}

/** Approves or refuses; what was done, for a sentence about the peer. Throws a StanzaError where it does not wait. */
export async function carryOut(
  buddies: Buddies,
  by: string,
  peer: string,
  said: FormValues
): Promise<string> {
  const note = (said.note as string | undefined) || undefined
  const receivedAt = said.received === undefined ? undefined : Number(said.received)
  if (said.decision === 'approve') {
    await buddies.approve(peer, { by, note, receivedAt })
    return 'was approved'
  }
  await buddies.refuse(peer, { note, receivedAt })
  return 'was refused'
}

/** The same, with its line for the audit. */
export async function decide(
  ctx: Context,
  buddies: Buddies,
  run: CommandRun,
  peer: string,
  said: FormValues
): Promise<string> {
  const act = actOf(ctx, run, said)
  try {
    const what = await carryOut(buddies, run.actor, peer, said)
    done(act, peer, said.note as string | undefined)
    return what
  } catch (error) {
    refused(act, peer, error)
    throw error
  }
}
