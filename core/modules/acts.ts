import { isPromise, type Traced } from '../events/hooks'
import type { Host } from '../hosts/host'
import type { Log } from '../log'
import type { CommandRun } from './adhoc'

/** One act of administration, as the event `admin/act` tells of it. Never holds a password. */
export interface AdminAct extends Traced {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The full JID, or `local:USER` for the command line. */
  readonly by: string
  /** The command's name, without its namespace. */
  readonly command: string
  /** A JID, a domain, a module; empty where the command has no target, or none was reached. */
  readonly on: string
  /** `done`, `failed`, `refused` (a field of the form was), or the condition of the error. */
  readonly result: string
  /** A sentence for people. */
  readonly detail?: string
  /** About the server as a whole, on whichever host it was asked for. */
  readonly serverWide?: boolean
  /** Done or not, it changes nothing: the command shows something. */
  readonly reads?: boolean
  /** Refused because of the role, before anything was looked at. */
  readonly denied?: boolean
}

/**
 * Tells whoever keeps them of an act. The answer of `run` waits until it is kept; what keeps it from being kept is
 * logged, for the act itself is done.
 */
export function tellOf(host: Host, log: Log, act: AdminAct, run?: Pick<CommandRun, 'acts'>): void {
  const kept = keep(host, log, act)
  run?.acts?.push(kept)
}

async function keep(host: Host, log: Log, act: AdminAct): Promise<void> {
  try {
    const kept = host.hooks.run('admin/act', act)
    if (isPromise(kept)) await kept
  } catch (err) {
    log.error({ err, by: act.by, command: act.command, on: act.on }, 'an act of administration is not kept')
  }
}

/** Who acts, for people and for the audit. */
export function actorOf({ requester, actor }: Pick<CommandRun, 'requester' | 'actor'>): string {
  return requester?.full ?? actor
}

/** `module-load` of `urn:balcony:admin#module-load`. */
export function commandOf(node: string): string {
  return node.slice(node.lastIndexOf('#') + 1)
}
