import type { Traced } from '../events/hooks'
import { CodedError } from '../errors'
import { Graph } from './graph'
import type { Instance } from './instance'
import type { LoadedModule } from './loader'
import { nodeOf } from './prepare'
import type { ReloadReport } from './server-api'
import { optionsOf } from './settings'
import { migrate } from './start'
import { swap, type Change, type SwapContext } from './swap'
import { hostLabel, list, type Workshop } from './workshop'

/** `ServerApi.modules.reload`: the order is that of design §3, "Hot swap". */
export async function reload(workshop: Workshop, name: string, by?: Traced): Promise<ReloadReport> {
  const { registry, services, catalogue } = workshop
  const instances = registry.of(name).filter(one => one.state !== 'unloaded')
  if (instances.length === 0) return { ok: false, message: `${name} is not loaded` }
  const started = performance.now()
  const prepared = await prepareSwap(workshop, name, instances)
  if ('error' in prepared) return refused(workshop, name, instances, prepared.error)
  const { loaded, changes } = prepared
  const result = await swap(changes, swapContext(workshop), by)
  if (!result.ok) return refused(workshop, name, instances, result.error)
  catalogue.replace(loaded)
  services.bus.emit('module/reloaded', name)
  const ms = Math.round(performance.now() - started)
  services.log.info({ module: name, version: loaded.version, ms }, 'reloaded')
  const where = list(instances.map(one => hostLabel(one.host)))
  const message = `${name} reloaded (version ${loaded.version}) on ${where}`
  if (result.lost === undefined) return { ok: true, message }
  const without = `without what the version before knew, which it could not hand over: ${result.lost}`
  services.log.warn({ module: name }, `reloaded ${without}`)
  return { ok: true, message: `${message}, ${without}` }
}

export function swapContext({ services, registry, limits, lingering }: Workshop): SwapContext {
  return { services, finder: registry, limits, lingers: scope => lingering.add(scope) }
}

/** Everything that can be found out, or done, while the version before runs on undisturbed. */
async function prepareSwap(
  workshop: Workshop,
  name: string,
  instances: readonly Instance[]
): Promise<{ loaded: LoadedModule; changes: Change[] } | { error: string }> {
  try {
    const loaded = workshop.catalogue.loader.load(name)
    const changes = instances.map(instance => ({
      instance,
      loaded,
      config: optionsOf(workshop.settings, instance.host, loaded)
    }))
    checkNeeds(workshop, loaded)
    const fault = await migrate(loaded, workshop.services)
    return fault ? { error: fault.message } : { loaded, changes }
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return { error: error.message }
  }
}

/** What the new version needs must run, and must not need it in turn. */
function checkNeeds({ registry }: Workshop, loaded: LoadedModule): void {
  const nodes = registry.all().flatMap(({ name, host, version }) => {
    const code = name === loaded.name ? loaded : version?.loaded
    return code ? [nodeOf({ at: host, name }, code)] : []
  })
  const [fault] = new Graph(nodes).order().faults
  if (fault) throw fault
}

function refused(
  { services }: Workshop,
  name: string,
  instances: readonly Instance[],
  error: string
): ReloadReport {
  const running = instances.filter(one => one.version)
  for (const instance of running) instance.error = `not reloaded: ${error}`
  const gone = instances.filter(one => !one.version)
  const outcome = [
    running.length > 0 ? `version ${running[0]?.version?.loaded.version} goes on running` : '',
    ...gone.map(
      one => `it does not run on ${hostLabel(one.host)}${one.error === undefined ? '' : ` (${one.error})`}`
    )
  ]
  const message = `${name} was not reloaded: ${error}; ${outcome.filter(Boolean).join('; ')}`
  services.log.error({ module: name }, message)
  return { ok: false, message }
}
