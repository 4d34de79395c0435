import { isPromise } from '../events/hooks'
import { CodedError } from '../errors'
import { ModuleContext } from './context'
import type { UseOptions } from './contract'
import { label } from './graph'
import { makeHandle, type Api, type Running } from './handle'
import type { Instance, UsedModule, Version } from './instance'
import type { LoadedModule } from './loader'
import { describe } from './place'
import { plain } from './plain'
import { Scope } from './scope'
import { withTimeout } from './serial'
import type { Services } from './services'

/** Finds the module that runs under a name: on one host, or as seen from another. */
export interface Finder {
  find(name: string, from: string, host: string | undefined): Running | undefined
  /** Whether the config, or an operator, has it there at all. */
  known(name: string, host: string): boolean
}

/** What a setup is made with. */
export interface SetupPlan {
  readonly instance: Instance
  readonly loaded: LoadedModule
  readonly config: unknown
  /** What the version before handed over. */
  readonly saved?: unknown
}

/**
 * Runs a module's setup on one host. What it registers is staged: `version.scope.attach()` makes it take effect.
 * Throws `ERR_MODULE_SETUP` or `ERR_MODULE_TIMEOUT` with file and line, and has undone everything then.
 */
export async function setUp(
  plan: SetupPlan,
  services: Services,
  finder: Finder,
  limit: number
): Promise<Version> {
  const { instance, loaded, config, saved } = plan
  const scope = new Scope(instance.name, instance.host.name, instance.rank, services.log)
  const uses: UsedModule[] = []
  const use = (name: string, options: UseOptions): object => useModule(name, options, scope, finder, uses)
  const context = new ModuleContext(services, scope, instance.host, config, use)
  try {
    const returned = loaded.definition.setup(context, plain(saved))
    const api = isPromise(returned) ? await withTimeout(returned, limit, () => hangs(limit)) : returned
    return { loaded, scope, context, api: (api ?? {}) as Api, uses }
  } catch (error) {
    await scope.close({ why: 'failure' })
    const code = error instanceof CodedError ? error.code : 'ERR_MODULE_SETUP'
    throw new CodedError(
      code,
      `${label({ name: instance.name, host: instance.host.name })}: ${describe(error, loaded.inside)}`
    )
  }
}

function hangs(limit: number): CodedError {
  return new CodedError('ERR_MODULE_TIMEOUT', `its setup has not ended after ${limit / 1000} s`)
}

function useModule(
  name: string,
  options: UseOptions,
  scope: Scope,
  finder: Finder,
  uses: UsedModule[]
): object {
  const { host, optional } = options
  const find = (): Running | undefined => finder.find(name, scope.host, host)
  if (optional) return makeHandle(name, find, scope)
  // Another host may start later: there it is enough that the module is meant to run
  if (host === undefined ? !find() : !finder.known(name, host)) {
    const what =
      host === undefined
        ? `${name} is not running; list it in 'dependencies'`
        : `${name} is not enabled on ${host}`
    throw new CodedError('ERR_MODULE_MISSING', `${what}, or use it with { optional: true }`)
  }
  uses.push({ name, host })
  return makeHandle(name, find, scope)
}
