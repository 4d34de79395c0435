import type { CommandResult, FormValues } from '#core'
import { actOnEach, type Act } from '../../lib_admin'

/** Of all commands here: for administrators, at the host and at their own account. */
export const COMMON = { access: 'admin', onAccount: true } as const

/** Acts on the servers that were chosen in the form. */
export function onChosen(
  act: Act,
  said: FormValues,
  fn: (peer: string) => Promise<string>
): CommandResult | Promise<CommandResult> {
  const peers = (said.peers as string[] | undefined) ?? []
  if (peers.length > 0) return actOnEach(act, peers, fn)
  return { notes: [{ type: 'info', text: 'Nothing was chosen.' }] }
}
