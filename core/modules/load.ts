import { didYouMean } from '../config/suggest'
import type { Host } from '../hosts/host'
import { prepare, type Wanted } from './prepare'
import type { ReloadReport } from './server-api'
import { enabledOn } from './settings'
import { startModules } from './start'
import { forgetIdle, hostLabel, list, type Workshop } from './workshop'

/** Every module that the config turns on, the hosts' before the server's: what opens ports comes last. */
export function wantedOn(workshop: Workshop): Wanted[] {
  const hosts = workshop.hosts()
  const ordered = [
    ...hosts.filter(host => host.type !== 'server'),
    ...hosts.filter(host => host.type === 'server')
  ]
  return ordered.flatMap(at => enabledOn(workshop.settings, at).map(name => ({ at, name })))
}

/** `ServerApi.modules.load` */
export async function load(
  workshop: Workshop,
  name: string,
  host: string | undefined
): Promise<ReloadReport> {
  const { registry, catalogue, settings, services, limits } = workshop
  const names = catalogue.names()
  if (!names.includes(name))
    return {
      ok: false,
      message: `${name} was not loaded: there is no module '${name}'${didYouMean(name, names) || `; no mod_${name} is in the module folders that the server was started with`}`
    }
  const places = placesFor(workshop, name, host)
  if (typeof places === 'string') return { ok: false, message: places }
  const wanted = [...needed(workshop, name, places), ...places.map(at => ({ at, name }))]
  const { order, faults } = prepare(wanted, registry.running(), catalogue, settings)
  const failed = faults.length > 0 ? faults : await startModules(order, registry, services, limits)
  if (failed.length === 0) return { ok: true, message: `${name} loaded on ${list(places.map(hostLabel))}` }
  const why = failed.map(fault => fault.message).join('; ')
  for (const at of places) {
    const instance = registry.at(name, at)
    if (!instance.version && instance.state !== 'failed') instance.fail(why)
  }
  forgetIdle(workshop, name)
  return { ok: false, message: `${name} was not loaded: ${why}` }
}

/** The hosts to load it on, or why there is none. */
function placesFor(
  { registry, settings, hosts }: Workshop,
  name: string,
  host: string | undefined
): Host[] | string {
  const named = hosts().filter(one => one.name === host)
  if (host !== undefined && named.length === 0) return `there is no host ${host}`
  const meant = host === undefined ? hosts().filter(one => enabledOn(settings, one).includes(name)) : named
  if (meant.length === 0) return `the config has ${name} on no host: say on which one to load it`
  const idle = meant.filter(one => !registry.get(name, one.name)?.version)
  return idle.length > 0
    ? idle
    : `${name} runs already on ${list(meant.map(hostLabel))}: reload it to take up changes`
}

/** What it needs and what the config turns on there, but does not run. */
function needed(workshop: Workshop, name: string, places: readonly Host[]): Wanted[] {
  const found = new Map<string, Wanted>()
  const server = workshop.hosts().filter(host => host.type === 'server')
  const follow = (module: string, at: Host): void => {
    for (const dependency of dependenciesOf(workshop, module)) {
      const place = [at, ...server].find(one => enabledOn(workshop.settings, one).includes(dependency))
      if (!place || workshop.registry.get(dependency, place.name)?.version) continue
      const key = `${place.name}\n${dependency}`
      if (found.has(key)) continue
      found.set(key, { at: place, name: dependency })
      follow(dependency, place)
    }
  }
  for (const at of places) follow(name, at)
  return [...found.values()]
}

function dependenciesOf({ catalogue }: Workshop, name: string): readonly string[] {
  const entry = catalogue.get(name)
  return entry && 'schema' in entry ? (catalogue.load(name).definition.dependencies ?? []) : []
}
