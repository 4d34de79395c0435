import fs from 'node:fs'
import path from 'node:path'
import { Faults, formatFaults } from '../config/faults'
import { readSource } from '../config/source'
import { entryOf, type ConfigNode } from '../config/tree'
import { parseTree } from '../config/yaml'

/** What every command takes. */
export interface PlaceOptions {
  /** The config file. */
  config?: string
  /** The data folder, in place of the config's. */
  data?: string
}

/** Below the working folder, else below Balcony's own. */
const CONFIG = path.join('config', 'balcony.yaml')
const ROOT = path.resolve(__dirname, '..', '..')

/** The config file that is meant: what was named, `BALCONY_CONFIG`, or `config/balcony.yaml`. */
export function configFile({ config }: PlaceOptions, env: NodeJS.ProcessEnv = process.env): string {
  const named = config ?? env.BALCONY_CONFIG
  if (named !== undefined && named !== '') return named
  return fs.existsSync(CONFIG) ? CONFIG : path.join(ROOT, CONFIG)
}

/**
 * Where the server with that config has its data. A file with faults will do: whoever wants to know that the file
 * is wrong can ask the running server.
 */
export function dataFolder(options: PlaceOptions, env: NodeJS.ProcessEnv = process.env): string {
  if (options.data !== undefined) return path.resolve(options.data)
  const file = configFile(options, env)
  const node = entryOf(read(file, env).tree, 'data')
  const written = node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : 'data'
  return path.resolve(path.dirname(file), written)
}

/**
 * Why it cannot be known where that server has its data: the faults of a file that is not there or no YAML, a line
 * each. Undefined where the folder was named or could be read.
 */
export function unknownPlace(
  options: PlaceOptions,
  env: NodeJS.ProcessEnv = process.env
): string | undefined {
  if (options.data !== undefined) return undefined
  const { tree, faults } = read(configFile(options, env), env)
  return tree ? undefined : formatFaults(faults.list())
}

function read(file: string, env: NodeJS.ProcessEnv): { tree: ConfigNode | undefined; faults: Faults } {
  const faults = new Faults(file)
  const text = readSource(file, faults)
  return { tree: text === undefined ? undefined : parseTree(text, env, faults), faults }
}

/** Where a running server takes what the command line asks for. */
export function controlSocket(data: string): string {
  return path.join(data, 'control.sock')
}
