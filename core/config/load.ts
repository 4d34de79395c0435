import fs from 'node:fs'
import path from 'node:path'
import { JID } from '../jid'
import type { ModuleCatalogue } from './catalogue'
import { check } from './check'
import { Config, type HostConfig } from './config'
import type { Environment } from './environment'
import { Faults, quoted, type Fault, type Place } from './faults'
import { checkEntries, checkNeeds, hostModules, modulesAt, type Site } from './modules'
import { jidProblem } from './options'
import { FileSchema, type HostOptions, type ServerConfig } from './server-schema'
import { readSource, sourceFolder, sourceName, type ConfigSource } from './source'
import { entriesOf, entryOf, isEmpty, plain, type ConfigNode } from './tree'
import { parseTree } from './yaml'

export type ConfigResult = { ok: true; config: Config } | { ok: false; faults: Fault[] }

/** A host as far as it is known while the file is still being checked. */
interface FoundHost {
  name: string
  place: Place
  site: Site & { host: string }
}

/** The modules that there are, or how to find them once the file has said in which folders to look. */
export type CatalogueSource = ModuleCatalogue | ((moduleFolders: readonly string[]) => ModuleCatalogue)

/**
 * Reads and checks a config file with the options of every module in it. Either all of it is in order, or every
 * fault is told with its place; nothing is thrown for what the file holds.
 */
export function loadConfig(
  source: ConfigSource,
  modulesFrom: CatalogueSource,
  env: Environment = process.env
): ConfigResult {
  const faults = new Faults(sourceName(source))
  const folder = sourceFolder(source)
  const text = readSource(source, faults)
  const tree = text === undefined ? undefined : parseTree(text, env, faults)
  if (!tree || isEmpty(tree)) {
    if (!faults.any)
      faults.add({ line: 1, column: 1, path: '' }, 'the file is empty; a config needs at least "hosts"')
    return { ok: false, faults: faults.list() }
  }
  const file = check(FileSchema, tree, folder, faults)?.value as
    (ServerConfig & { hosts: Record<string, HostOptions> }) | undefined
  const catalogue = typeof modulesFrom === 'function' ? modulesFrom(foldersOf(tree, folder)) : modulesFrom
  const hosts = findHosts(tree, faults)
  const modules = loadModules(tree, hosts, catalogue, folder, faults)
  if (!file || faults.any) return { ok: false, faults: faults.list() }
  const config = new Config({
    file: faults.file,
    folder,
    server: serverOf(file, folder),
    modules: modules.get(undefined) ?? new Map(),
    hosts: new Map(
      hosts.map(host => [host.name, hostOf(host, file.hosts[host.site.host], modules.get(host.site.host))])
    ),
    tree,
    written: new Map(hosts.map(host => [host.name, host.site.host]))
  })
  return { ok: true, config }
}

/** From the tree, since the rest of the file may have faults; folders that are not there are faults already. */
function foldersOf(tree: ConfigNode, folder: string): string[] {
  const list = entryOf(tree, 'moduleFolders')
  const texts = list?.kind === 'list' ? list.items.map(item => (item.broken ? undefined : plain(item))) : []
  return texts
    .filter((text): text is string => typeof text === 'string' && text !== '')
    .map(text => path.resolve(folder, text))
    .filter(found => fs.existsSync(found))
}

function findHosts(tree: ConfigNode, faults: Faults): FoundHost[] {
  const node = entryOf(tree, 'hosts')
  const found = new Map<string, FoundHost>()
  for (const [written, { key, value }] of entriesOf(node)) {
    const problem = jidProblem(written, 'host')
    if (problem !== undefined) faults.add(key, problem)
    const name = problem === undefined ? JID.parse(written).domain : written
    const twin = found.get(name)
    if (twin) faults.add(key, `this is the same host as ${quoted(twin.site.host)} in line ${twin.place.line}`)
    const site = { ...typeOf(value), host: written }
    if (!twin) found.set(name, { name, place: key, site })
  }
  if (node?.kind === 'map' && found.size === 0)
    faults.add(node.place, 'at least one host is needed, as in "localhost: {}"')
  return [...found.values()]
}

function typeOf(host: ConfigNode): Pick<Site, 'scope' | 'doubtful'> {
  const type = entryOf(host, 'type')
  const given = type?.kind === 'scalar' ? type.value : type
  if (given === 'component') return { scope: 'component' }
  return { scope: 'virtual', doubtful: given !== undefined && given !== 'virtual' }
}

/** The options of all modules, by the host as written; undefined is the server. */
function loadModules(
  tree: ConfigNode,
  hosts: FoundHost[],
  catalogue: ModuleCatalogue,
  folder: string,
  faults: Faults
) {
  checkEntries(entryOf(tree, 'modules'), undefined, catalogue, faults)
  const loaded = new Map<string | undefined, Map<string, unknown>>()
  for (const site of [{ scope: 'server' } as Site, ...hosts.map(host => host.site)]) {
    const options = new Map<string, unknown>()
    checkEntries(hostModules(tree, site), site, catalogue, faults)
    for (const [name, { entry, node }] of modulesAt(tree, site, catalogue)) {
      options.set(name, check(entry.schema, node, folder, faults)?.value)
      checkNeeds(tree, site, { name, entry, node }, catalogue, faults)
    }
    loaded.set(site.host, options)
  }
  return loaded
}

function serverOf(file: ServerConfig, folder: string): ServerConfig {
  const { log, storage, moduleFolders, operators, tls, dns, http, limits } = file
  const data = path.resolve(folder, file.data)
  const kept = storage.driver === 'sqlite' ? { ...storage, path: path.resolve(data, storage.path) } : storage
  return { log, data, storage: kept, moduleFolders, operators, tls, dns, http, limits }
}

function hostOf(
  found: FoundHost,
  options: HostOptions | undefined,
  modules: Map<string, unknown> | undefined
): HostConfig {
  return {
    name: found.name,
    type: options?.type ?? 'virtual',
    admins: options?.admins ?? [],
    tls: options?.tls?.certificate === undefined ? undefined : options.tls,
    modules: modules ?? new Map(),
    line: found.place.line
  }
}
