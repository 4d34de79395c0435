import path from 'node:path'
import { formatFaults, loadConfig, type Config, type ConfigSource } from '../config'
import { CodedError } from '../errors'
import { ModuleCatalogue } from '../modules/catalogue'
import { ModuleLoader } from '../modules/loader'

const ROOT = path.resolve(__dirname, '..', '..')

/** The repository's own modules, which come after the operator's folders. */
export const OWN_MODULES = path.join(ROOT, 'modules')

export interface Loaded {
  config: Config
  catalogue: ModuleCatalogue
}

/**
 * Reads and checks the config and the modules that it names. Throws `ERR_CONFIG` with a line for each fault.
 * With a catalogue, the code that is loaded already is used.
 */
export function readConfig(source: ConfigSource, env: NodeJS.ProcessEnv, known?: ModuleCatalogue): Loaded {
  let catalogue = known
  const result = loadConfig(
    source,
    folders =>
      (catalogue ??= new ModuleCatalogue(
        new ModuleLoader([...folders, OWN_MODULES], path.join(ROOT, 'core', 'index.ts'))
      )),
    env
  )
  if (!result.ok) throw new CodedError('ERR_CONFIG', formatFaults(result.faults))
  // The function above was called: a config in order has looked for its modules.
  return { config: result.config, catalogue: catalogue as ModuleCatalogue }
}
