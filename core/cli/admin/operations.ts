import { z } from 'zod'
import { CodedError, isStanzaError } from '../../errors'
import type { Host } from '../../hosts/host'
import { JID } from '../../jid'
import type { AdhocCommand, CommandRun } from '../../modules/adhoc'
import type { Server } from '../../server'
import { operation, type Caller, type ControlOperation } from '../control-protocol'
import { TurnRequest, type CommandInfo, type Turn } from './protocol'
import { turnOf } from './turn'
import { inWords } from './words'

/**
 * The ad-hoc commands of the hosts for the command line (XEP-0050 is for XMPP): which there are, and the next turn of
 * one. Whoever can ask is the operator of this machine.
 */
export function adminOperations(server: Server): Record<string, ControlOperation> {
  return {
    'admin.list': operation(z.strictObject({}), (): CommandInfo[] =>
      server.domains
        .list()
        .flatMap(host => [...commandsOf(host).values()].map(command => infoOf(host, command)))
    ),
    'admin.turn': operation(
      TurnRequest,
      async ({ host: name, node, answers, finish }, _, caller): Promise<Turn> => {
        const host = hostOf(server, name)
        const command = commandOf(host, node)
        const walk = { command, run: runOf(caller), host, log: server.log, role: () => 'operator' as const }
        try {
          return await turnOf(walk, answers, finish)
        } catch (error) {
          // It was meant for a client
          if (isStanzaError(error)) throw new CodedError('ERR_COMMAND', inWords(error), { cause: error })
          throw error
        }
      }
    )
  }
}

/** By node; of two of the same node the younger one, as for XMPP. */
function commandsOf(host: Host): Map<string, AdhocCommand> {
  return new Map(host.items.list('adhoc-command').map(command => [command.node, command]))
}

function infoOf(host: Host, { node, name, access, serverWide = false, stages }: AdhocCommand): CommandInfo {
  return { host: host.name, node, name, access, serverWide, stages: stages.length }
}

function hostOf({ domains }: Server, name: string): Host {
  const host = domains.find(JID.tryParse(name)?.domain ?? name)
  if (host) return host
  throw new CodedError('ERR_NO_HOST', `there is no host ${name}`)
}

function commandOf(host: Host, node: string): AdhocCommand {
  const command = commandsOf(host).get(node)
  if (command) return command
  throw new CodedError(
    'ERR_NO_COMMAND',
    `there is no command ${node} on ${host.name}: its module may have been unloaded; nothing was done`
  )
}

/** Nobody on the wire asks, so there is no address and no stanza. */
function runOf({ actor }: Caller): CommandRun {
  return { requester: undefined, actor, role: 'operator', event: undefined, lang: undefined }
}
