export type { BrokenEntry, CatalogueEntry, ModuleCatalogue, ModuleScope } from './catalogue'
export { Config } from './config'
export type { HostConfig, ModuleOptions } from './config'
export { describeConfig, describeFile } from './describe'
export type { DescribedKey } from './describe'
export { diffConfig, formatDiff } from './diff'
export type { ChangedHost, ChangedModule, ConfigDiff, ModulesDiff } from './diff'
export type { Environment } from './environment'
export { formatFaults } from './faults'
export type { Fault, Place } from './faults'
export { loadConfig } from './load'
export type { CatalogueSource, ConfigResult } from './load'
export {
  accountOption,
  domainOption,
  listenOption,
  pathOption,
  placeOption,
  portOption,
  secretOption
} from './options'
export type { ListenAddress, ServerConfig } from './server-schema'
export type { ShownOption } from './shown'
export type { ConfigSource } from './source'
export { suggest } from './suggest'
