import { isDeepStrictEqual } from 'node:util'
import type { Config, HostConfig } from './config'
import { pathBelow } from './faults'
import { peel, shapeOf, type Schema } from './schema'
import { ServerSchema } from './server-schema'

export interface ChangedModule {
  name: string
  /** The options that differ, of the first level. */
  keys: string[]
}

export interface ModulesDiff {
  added: string[]
  removed: string[]
  changed: ChangedModule[]
}

export interface ChangedHost {
  name: string
  keys: ('admins' | 'tls')[]
  modules: ModulesDiff
}

/** What differs between two configs. It names places and holds no values, so it can be shown and logged. */
export interface ConfigDiff {
  /** Keys of the server that take effect at once: `log.level`. */
  live: string[]
  /** Keys of the server that differ and take effect at the next start only. */
  restart: string[]
  /** Modules of the server itself. */
  modules: ModulesDiff
  /** A host whose type differs is removed and added. */
  hosts: { added: string[]; removed: string[]; changed: ChangedHost[] }
  /** Nothing differs. */
  empty: boolean
}

/**
 * @param started what the server was started with: it goes on with that where a change needs a restart, and hears of
 * the change again until then
 */
export function diffConfig(before: Config, after: Config, started: Config = before): ConfigDiff {
  const { live } = diffServer(before, after)
  const { restart } = diffServer(started, after)
  const modules = diffModules(before, after)
  const replaced = (host: HostConfig, config: Config) => config.hosts.get(host.name)?.type !== host.type
  const added = [...after.hosts.values()].filter(host => replaced(host, before)).map(host => host.name)
  const removed = [...before.hosts.values()].filter(host => replaced(host, after)).map(host => host.name)
  const changed = [...after.hosts.keys()]
    .filter(name => !added.includes(name))
    .map(name => diffHost(name, before, after))
    .filter(host => host.keys.length > 0 || !isNone(host.modules))
  const none = isNone(modules) && added.length + removed.length + changed.length === 0
  const empty = none && live.length + restart.length === 0
  return { live, restart, modules, hosts: { added, removed, changed }, empty }
}

/** The differences for a person, a line each. */
export function formatDiff(diff: ConfigDiff): string[] {
  return [
    ...diff.live.map(key => `${key}: changed`),
    ...diff.restart.map(key => `${key}: changed, not applied: needs restart`),
    ...formatModules(diff.modules, ''),
    ...diff.hosts.removed.map(name => `${pathBelow('hosts', name)}: removed`),
    ...diff.hosts.added.map(name => `${pathBelow('hosts', name)}: added`),
    ...diff.hosts.changed.flatMap(host => [
      ...host.keys.map(key => `${pathBelow('hosts', host.name)}.${key}: changed`),
      ...formatModules(host.modules, pathBelow('hosts', host.name))
    ])
  ]
}

type ServerDiff = Pick<ConfigDiff, 'live' | 'restart'>

function diffServer(before: Config, after: Config): ServerDiff {
  const found: ServerDiff = { live: [], restart: [] }
  diffKeys(ServerSchema, before.server, after.server, '', false, found)
  return found
}

/** Follows the schema down to the keys that differ. */
function diffKeys(
  schema: Schema,
  before: unknown,
  after: unknown,
  path: string,
  live: boolean,
  found: ServerDiff
): void {
  if (isDeepStrictEqual(before, after)) return
  const isLive = live || peel(schema).notes.live === true
  const shape = shapeOf(schema)
  if (!shape) {
    found[isLive ? 'live' : 'restart'].push(path)
    return
  }
  for (const [key, below] of Object.entries(shape)) {
    const value = (of: unknown) => (of as Record<string, unknown> | undefined)?.[key]
    diffKeys(below, value(before), value(after), pathBelow(path, key), isLive, found)
  }
}

function diffHost(name: string, before: Config, after: Config): ChangedHost {
  const [old, now] = [before.hosts.get(name), after.hosts.get(name)]
  const keys = (['admins', 'tls'] as const).filter(key => !isDeepStrictEqual(old?.[key], now?.[key]))
  return { name, keys, modules: diffModules(before, after, name) }
}

function diffModules(before: Config, after: Config, host?: string): ModulesDiff {
  const names = (config: Config) => [
    ...((host === undefined ? config : config.hosts.get(host))?.modules.keys() ?? [])
  ]
  const [old, now] = [names(before), names(after)]
  const changed = now
    .filter(name => old.includes(name))
    // As written: what a schema made of it may hold functions, which are never equal
    .map(name => ({
      name,
      keys: changedKeys(before.writtenOptions(name, host), after.writtenOptions(name, host))
    }))
  return {
    added: now.filter(name => !old.includes(name)),
    removed: old.filter(name => !now.includes(name)),
    changed: changed.filter(({ keys }) => keys.length > 0)
  }
}

function changedKeys(before: Record<string, unknown> = {}, after: Record<string, unknown> = {}): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].filter(key => !isDeepStrictEqual(before[key], after[key]))
}

function isNone({ added, removed, changed }: ModulesDiff): boolean {
  return added.length + removed.length + changed.length === 0
}

function formatModules({ added, removed, changed }: ModulesDiff, path: string): string[] {
  const at = (name: string) => pathBelow(pathBelow(path, 'modules'), name)
  return [
    ...removed.map(name => `${at(name)}: removed`),
    ...added.map(name => `${at(name)}: added`),
    ...changed.map(({ name, keys }) => `${at(name)}: changed (${keys.join(', ')})`)
  ]
}
