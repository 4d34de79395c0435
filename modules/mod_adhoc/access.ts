import { allows, type AdhocCommand, type Context, type StanzaEvent } from '#core'

/** Whether a command is there for whoever asks, at the address that was asked. */
export function isOffered(command: AdhocCommand, event: StanzaEvent): boolean {
  if (event.to.kind === 'host') return true
  // Clients look for commands at the account too; only its owner finds them there.
  return command.onAccount === true && event.from.bare === event.to.bare
}

/** XEP-0050 §5, XEP-0133 §6: whether it is listed; core asks again when it is started, gone on with and finished. */
export function mayRun(ctx: Context, command: AdhocCommand, event: StanzaEvent): boolean {
  return allows(command.access, ctx.server.role(event.from, ctx.host))
}
