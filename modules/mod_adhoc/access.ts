import type { AdhocCommand, Context, StanzaEvent } from '#core'

/** Whether a command is there for whoever asks, at the address that was asked. */
export function isOffered(command: AdhocCommand, event: StanzaEvent): boolean {
  if (event.to.kind === 'host') return true
  // Clients look for commands at the account too; only its owner finds them there.
  return command.onAccount === true && event.from.bare === event.to.bare
}

/** XEP-0050 §5, XEP-0133 §6: asked when a command is listed, started, and again before anything is done. */
export function mayRun(ctx: Context, command: AdhocCommand, event: StanzaEvent): boolean {
  if (command.access === 'any') return true
  const role = ctx.server.role(event.from, ctx.host)
  return role === 'operator' || (command.access === 'admin' && role === 'admin')
}
