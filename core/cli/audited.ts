import { CodedError } from '../errors'
import type { Host } from '../hosts/host'
import { JID } from '../jid'
import { tellOf } from '../modules/acts'
import type { Server } from '../server'
import type { Caller, ControlOperation, ControlOperations, Emit } from './control-protocol'
import { complaint } from './perform'

/** The same operations; those that change something are told of (`admin/act`) before they are answered. */
export function audited(server: Server, operations: ControlOperations): ControlOperations {
  return Object.fromEntries(
    Object.entries(operations).map(([op, operation]) => [op, withAudit(server, op, operation)])
  )
}

function withAudit(server: Server, op: string, operation: ControlOperation): ControlOperation {
  const { on } = operation
  if (!on) return operation
  return {
    ...operation,
    async run(params: never, emit: Emit, caller: Caller) {
      const target = on(params)
      try {
        const result = await operation.run(params, emit, caller)
        await keep(server, caller, { command: op, on: target }, complaint(result))
        return result
      } catch (error) {
        const why = error instanceof CodedError ? error.message : 'a fault of the server: its log says more'
        await keep(server, caller, { command: op, on: target }, why)
        throw error
      }
    }
  }
}

async function keep(
  server: Server,
  { actor }: Caller,
  what: { command: string; on: string },
  fault: string | undefined
): Promise<void> {
  // An account's host keeps what is done to the account
  const jid = JID.tryParse(what.on)
  const own = jid?.kind === 'bare' ? server.domains.get(jid.domain) : undefined
  const acts: Promise<void>[] = []
  tellOf(
    own ?? scopeOf(server),
    server.log,
    {
      at: Date.now(),
      by: actor,
      ...what,
      ...(fault === undefined ? { result: 'done' } : { result: 'failed', detail: fault }),
      serverWide: !own
    },
    { acts }
  )
  await Promise.all(acts)
}

/** Whoever opens the server's data without starting it has no modules of the server, but those of the hosts. */
function scopeOf({ scope, domains }: Server): Host {
  return [scope, ...domains.list()].find(({ hooks }) => hooks.has('admin/act')) ?? scope
}
