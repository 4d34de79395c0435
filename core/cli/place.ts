import fs from 'node:fs'
import path from 'node:path'
import { Faults } from '../config/faults'
import { readSource } from '../config/source'
import { entryOf } from '../config/tree'
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
  const faults = new Faults(file)
  const text = readSource(file, faults)
  const tree = text === undefined ? undefined : parseTree(text, env, faults)
  const node = entryOf(tree, 'data')
  const written = node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : 'data'
  return path.resolve(path.dirname(file), written)
}

/** Where a running server takes what the command line asks for. */
export function controlSocket(data: string): string {
  return path.join(data, 'control.sock')
}
