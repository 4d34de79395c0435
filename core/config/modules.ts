import type { BrokenEntry, CatalogueEntry, ModuleCatalogue, ModuleScope } from './catalogue'
import { quoted, type Faults } from './faults'
import { didYouMean } from './suggest'
import { emptyMap, entriesOf, entryOf, merge, type ConfigNode, type MapEntry } from './tree'

/** Where modules run: the server (no name) or one of its hosts. */
export interface Site {
  scope: ModuleScope
  /** As written in the file. */
  host?: string
  /** The host's type is a fault itself: that a module does not fit it is not told. */
  doubtful?: boolean
}

/** Names the modules of a `modules` map that are unknown, broken, not for this place, or no options. */
export function checkEntries(
  modules: ConfigNode | undefined,
  site: Site | undefined,
  catalogue: ModuleCatalogue,
  faults: Faults
): void {
  for (const [name, { key, value }] of entriesOf(modules)) {
    if (value.broken) continue
    const known = catalogue.get(name)
    if (!known) faults.add(key, `unknown module${didYouMean(name, catalogue.names())}`)
    else if (!isOff(value)) checkKnown(name, known, key, site, faults)
    if (
      value.kind === 'map' ||
      (value.kind === 'scalar' && (value.value === null || typeof value.value === 'boolean'))
    )
      continue
    faults.add(value.place, "expected the module's options (a map), true or false")
  }
}

function checkKnown(
  name: string,
  known: CatalogueEntry | BrokenEntry,
  key: MapEntry['key'],
  site: Site | undefined,
  faults: Faults
): void {
  if ('error' in known) return faults.add(key, `the module cannot be loaded: ${known.error}`)
  if (!site?.host || known.on.includes(site.scope)) return
  const elsewhere = known.on.filter(scope => scope !== 'server').map(scope => `${scope} hosts`)
  if (site.doubtful && elsewhere.length > 0) return
  const where =
    elsewhere.length > 0
      ? `it runs on ${elsewhere.join(' and ')}, and ${quoted(site.host)} is a ${site.scope} host`
      : 'it runs on the server, not on a host: move it to the "modules" at the top level of the file'
  faults.add(key, `${quoted(name)} cannot run here: ${where}`)
}

/** The modules that the file turns on at a site, each with its options there: host over global. */
export function modulesAt(
  tree: ConfigNode,
  site: Site,
  catalogue: ModuleCatalogue
): Map<string, { entry: CatalogueEntry; node: ConfigNode }> {
  const names = [...entriesOf(entryOf(tree, 'modules')), ...entriesOf(hostModules(tree, site))].map(
    ([name]) => name
  )
  const found = new Map<string, { entry: CatalogueEntry; node: ConfigNode }>()
  for (const name of new Set(names)) {
    const entry = catalogue.get(name)
    if (!entry || 'error' in entry || !entry.on.includes(site.scope)) continue
    const node = optionsAt(tree, site, name)
    if (node) found.set(name, { entry, node })
  }
  return found
}

/** Names what a module needs and the file has neither at its site nor on the server. */
export function checkNeeds(
  tree: ConfigNode,
  site: Site,
  { name, entry, node }: { name: string; entry: CatalogueEntry; node: ConfigNode },
  catalogue: ModuleCatalogue,
  faults: Faults
): void {
  const isOn = (needed: string, at: Site): boolean => {
    const known = catalogue.get(needed)
    // One that is unknown or broken is a fault already
    const fits = !known || 'error' in known || known.on.includes(at.scope)
    return fits && optionsAt(tree, at, needed) !== undefined
  }
  for (const needed of entry.dependencies ?? []) {
    if (isOn(needed, site) || isOn(needed, { scope: 'server' })) continue
    const where = site.host === undefined ? 'the server' : quoted(site.host)
    faults.add(node.place, `${quoted(name)} needs the module ${quoted(needed)}, which is off on ${where}`)
  }
}

/** A module's options at a site, undefined where it is off there. */
export function optionsAt(tree: ConfigNode, site: Site, name: string): ConfigNode | undefined {
  const general = read(entryOfModules(entryOf(tree, 'modules'), name))
  const special = read(entryOfModules(hostModules(tree, site), name))
  if (special === 'off' || (special === undefined && general === 'off')) return undefined
  if (special === undefined) return general === 'off' ? undefined : general
  return general === undefined || general === 'off' ? special : merge(general, special)
}

export function hostModules(tree: ConfigNode, site: Site): ConfigNode | undefined {
  return site.host === undefined ? undefined : entryOf(entryOf(entryOf(tree, 'hosts'), site.host), 'modules')
}

function entryOfModules(modules: ConfigNode | undefined, name: string): MapEntry | undefined {
  return modules?.kind === 'map' ? modules.entries.get(name) : undefined
}

function read(entry: MapEntry | undefined): ConfigNode | 'off' | undefined {
  if (!entry) return undefined
  if (isOff(entry.value)) return 'off'
  return entry.value.kind === 'map' ? entry.value : emptyMap(entry.key)
}

function isOff(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.value === false
}
