import type { Traced } from '../events/hooks'
import { label, Graph } from './graph'
import type { UnloadReason } from './contract'
import type { Instance } from './instance'
import type { ReloadReport } from './server-api'
import { forgetIdle, hostLabel, list, type Workshop } from './workshop'

/** Those that run, each before what it needs; among others the one that was started last comes first. */
export function stopOrder(instances: readonly Instance[]): Instance[] {
  const nodes = [...instances]
    .sort((a, b) => a.rank - b.rank)
    .map(instance => ({
      instance,
      host: instance.host.name,
      name: instance.name,
      dependencies: instance.version?.loaded.definition.dependencies ?? [],
      after: instance.version?.loaded.definition.after ?? []
    }))
  return new Graph(nodes)
    .order()
    .order.map(node => node.instance)
    .reverse()
}

/** Stops what runs; its handlers have a moment to end. */
export async function stopInstance(
  instance: Instance,
  workshop: Workshop,
  why: UnloadReason['why'],
  by?: Traced
): Promise<void> {
  const { services, limits } = workshop
  const { version, host, name } = instance
  instance.stop()
  if (version) {
    const { scope } = version
    await scope.close({ why }, { wait: limits.drain, excused: by?.owner === scope ? 1 : 0 })
    services.bus.emit('module/unloaded', host.name, name)
  }
  forgetIdle(workshop, name)
}

/** `ServerApi.modules.unload` */
export async function unload(
  workshop: Workshop,
  name: string,
  host: string | undefined,
  by?: Traced
): Promise<ReloadReport> {
  const { registry } = workshop
  const found = registry
    .of(name)
    .filter(one => one.state !== 'unloaded' && (host === undefined || one.host.name === host))
  if (found.length === 0) return { ok: false, message: `${name} is not loaded${host ? ` on ${host}` : ''}` }
  const needed = found.flatMap(one => registry.dependentsOf(one)).filter(other => !found.includes(other))
  if (needed.length > 0) {
    const who = [...new Set(needed.map(({ name: other, host: at }) => label({ name: other, host: at.name })))]
    return {
      ok: false,
      message: `${name} was not unloaded: ${list(who)} ${who.length === 1 ? 'needs' : 'need'} it`
    }
  }
  for (const instance of found) await stopInstance(instance, workshop, 'unload', by)
  return { ok: true, message: `${name} unloaded on ${list(found.map(one => hostLabel(one.host)))}` }
}
