import { readConfig } from '../server/config'
import { counted, print } from './output'
import { configFile, type PlaceOptions } from './place'

/** Checks the whole file. Throws `ERR_CONFIG` with a line for each fault. */
export function checkConfig(options: PlaceOptions): void {
  const file = configFile(options)
  const { config } = readConfig(file, process.env)
  const modules = new Set([
    ...config.modules.keys(),
    ...[...config.hosts.values()].flatMap(host => [...host.modules.keys()])
  ])
  print(`${file} is in order: ${counted(config.hosts.size, 'host')}, ${counted(modules.size, 'module')}.`)
}
