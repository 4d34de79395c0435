import { el, HANDLED, NS, StanzaError, type Context, type DiscoNodeEvent, type Handled } from '#core'
import { isOffered, mayRun } from './access'
import type { Commands } from './index'

/** XEP-0050 §2.2: the commands that the requester may run. */
export function answerItems(ctx: Context, commands: Commands, event: DiscoNodeEvent): Handled | void {
  if (event.node !== NS.COMMANDS) return nothingBelow(ctx, commands, event)
  for (const command of commands.values()) {
    if (!isOffered(command, event.stanza) || !mayRun(ctx, command, event.stanza)) continue
    event.reply.children.push(
      el('item', { jid: event.stanza.to.full, node: command.node, name: command.name })
    )
  }
  return HANDLED
}

/** A command is a node too, though nothing is below it (XEP-0030 §4.1). */
function nothingBelow(ctx: Context, commands: Commands, event: DiscoNodeEvent): Handled | void {
  const command = commands.get(event.node)
  if (!command || !isOffered(command, event.stanza)) return
  if (!mayRun(ctx, command, event.stanza)) throw new StanzaError('forbidden')
  return HANDLED
}

export function answerInfo(ctx: Context, commands: Commands, event: DiscoNodeEvent): Handled | void {
  if (event.node === NS.COMMANDS) {
    event.reply.children.push(
      el('identity', { category: 'automation', type: 'command-list', name: 'Commands' }),
      el('feature', { var: NS.COMMANDS })
    )
    return HANDLED
  }
  const command = commands.get(event.node)
  if (!command || !isOffered(command, event.stanza)) return
  if (!mayRun(ctx, command, event.stanza)) throw new StanzaError('forbidden') // XEP-0050 §2.2.2
  event.reply.children.push(
    el('identity', { category: 'automation', type: 'command-node', name: command.name }),
    el('feature', { var: NS.COMMANDS }),
    el('feature', { var: NS.FORM })
  )
  return HANDLED
}
