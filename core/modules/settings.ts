import { formatFaults, type Config } from '../config'
import { CodedError } from '../errors'
import type { Host } from '../hosts/host'
import type { LoadedModule } from './loader'

/** The config as far as modules go. */
export type ModuleSettings = Pick<
  Config,
  'modules' | 'hosts' | 'optionsFor' | 'writtenOptions' | 'shownOptions' | 'checkOptions'
>

/** The names of the modules that are on, on a host or on the server, in the order of the file. */
export function enabledOn(settings: ModuleSettings, host: Host): string[] {
  return [
    ...(host.type === 'server'
      ? settings.modules
      : (settings.hosts.get(host.name)?.modules ?? new Map())
    ).keys()
  ]
}

/**
 * A module's options by its own schema. Throws `ERR_MODULE_CONFIG` with a line of the config file for each fault,
 * and `ERR_MODULE_SCOPE` where the module cannot run on such a host.
 */
export function optionsOf(settings: ModuleSettings, host: Host, loaded: LoadedModule): unknown {
  const { name, definition } = loaded
  if (!definition.on.includes(host.type)) {
    const where = host.type === 'server' ? 'the server itself' : `${host.name}, which is a ${host.type} host`
    throw new CodedError(
      'ERR_MODULE_SCOPE',
      `${name} cannot run on ${where}: it runs on ${definition.on.join(' and ')}`
    )
  }
  const result = settings.optionsFor(name, definition.config, host.type === 'server' ? undefined : host.name)
  if (!result.ok) throw new CodedError('ERR_MODULE_CONFIG', formatFaults(result.faults))
  return result.options
}

/** Whether the file says something else about a module's options on a host than another file did. */
export function writtenOn(settings: ModuleSettings, host: Host, name: string): unknown {
  return settings.writtenOptions(name, host.type === 'server' ? undefined : host.name)
}
