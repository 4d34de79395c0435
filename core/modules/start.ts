import { CodedError } from '../errors'
import { label } from './graph'
import type { Instance } from './instance'
import type { ModuleLimits } from './limits'
import { describe } from './place'
import type { Ready } from './prepare'
import type { Registry } from './registry'
import type { Services } from './services'
import { setUp } from './setup'

/**
 * Starts modules in the order given, each after its migrations. Goes on past one that fails, so that all faults
 * are told at once; those that need it wait. Returns what failed.
 */
export async function startModules(
  order: readonly Ready[],
  registry: Registry,
  services: Services,
  limits: Readonly<ModuleLimits>
): Promise<CodedError[]> {
  const faults: CodedError[] = []
  const migrated = new Map<string, CodedError | undefined>()
  // All are known before the first is started: one may use another that comes later, on another host
  const instances = order.map(({ name, at }) => registry.at(name, at))
  for (const instance of instances) instance.state = 'waiting'
  for (const [i, ready] of order.entries()) {
    const instance = instances[i] as Instance
    const missing = (ready.loaded.definition.dependencies ?? []).find(
      name => !registry.find(name, ready.at.name, undefined)
    )
    if (missing !== undefined) {
      instance.wait(`waits for ${missing}`, ready.loaded.definition.guards)
      continue
    }
    try {
      await migrateOnce(ready, services, migrated)
      await startOne(ready, instance, registry, services, limits)
    } catch (error) {
      const fault =
        error instanceof CodedError
          ? error
          : new CodedError('ERR_MODULE_SETUP', describe(error, ready.loaded.inside))
      instance.fail(fault.message, ready.loaded.definition.guards)
      if (!faults.includes(fault)) faults.push(fault)
    }
  }
  return faults
}

async function startOne(
  ready: Ready,
  instance: Instance,
  registry: Registry,
  services: Services,
  limits: Readonly<ModuleLimits>
): Promise<void> {
  const version = await setUp({ ...ready, instance }, services, registry, limits.setup)
  try {
    version.scope.attach()
  } catch (error) {
    await version.scope.close({ why: 'failure' })
    throw new CodedError(
      error instanceof CodedError ? error.code : 'ERR_MODULE_SETUP',
      `${label({ name: ready.name, host: ready.at.name })}: ${describe(error, ready.loaded.inside)}`
    )
  }
  instance.run(version)
  services.bus.emit('module/loaded', ready.at.name, ready.name)
}

/** Once per module, however many hosts it runs on. */
async function migrateOnce(
  ready: Ready,
  services: Services,
  migrated: Map<string, CodedError | undefined>
): Promise<void> {
  const { name, loaded } = ready
  if (!migrated.has(name)) migrated.set(name, await migrate(loaded, services))
  const fault = migrated.get(name)
  if (fault) throw fault
}

/** Runs a module's migrations that have not been run; the fault if there is one. */
export async function migrate(loaded: Ready['loaded'], services: Services): Promise<CodedError | undefined> {
  if (loaded.migrations === undefined) return undefined
  try {
    await services.db.migrate(`mod_${loaded.name}`, loaded.migrations)
    return undefined
  } catch (error) {
    return new CodedError('ERR_MIGRATION', `${loaded.name}: ${describe(error, loaded.inside)}`)
  }
}
