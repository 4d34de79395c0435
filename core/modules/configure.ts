import { isDeepStrictEqual } from 'node:util'
import { withTimeout } from './serial'
import { label } from './graph'
import type { Instance } from './instance'
import { wantedOn } from './load'
import { describe } from './place'
import { prepare, type Ready, type Wanted } from './prepare'
import { swapContext } from './reload'
import { optionsOf, writtenOn, type ModuleSettings } from './settings'
import { startModules } from './start'
import { stopInstance, stopOrder } from './stop'
import { swap } from './swap'
import { forgetIdle, type Workshop } from './workshop'

/** What became of a changed config; lines for a person. */
export interface ConfigureReport {
  readonly applied: string[]
  /** With the reason; a module that ran goes on with the options it had. */
  readonly failed: string[]
}

/**
 * Brings the modules to where another config wants them: stops those that it turns off, starts those that it
 * turns on or that had failed, hands changed options to the others or swaps them. What was loaded or unloaded by
 * hand stays so. Where code, options or needs of what is to start are wrong, nothing is changed.
 */
export async function configure(workshop: Workshop, settings: ModuleSettings): Promise<ConfigureReport> {
  const { registry, catalogue } = workshop
  const before = workshop.settings
  const old = keys(workshop)
  const next: Workshop = { ...workshop, settings }
  const now = keys(next)
  const hosts = new Set(next.hosts())
  const gone = registry.all().filter(one => !hosts.has(one.host) || (old.has(key(one)) && !now.has(key(one))))
  const stays = (one: Wanted): boolean => !gone.some(away => away.host === one.at && away.name === one.name)
  const added = wantedOn(next).filter(one => isStarted(one, registry.get(one.name, one.at.name), old))
  const { order, faults } = prepare(added, registry.running().filter(stays), catalogue, settings)
  const needed = stillNeeded(workshop, gone)
  // What is needed and goes would be told a second time, as missing
  const others = faults.filter(fault => needed.length === 0 || fault.code !== 'ERR_MODULE_MISSING')
  const broken = [...needed, ...others.map(fault => fault.message)]
  if (broken.length > 0) return { applied: [], failed: broken }
  workshop.settings = settings
  const report: ConfigureReport = { applied: [], failed: [] }
  const kept = registry.all().filter(one => one.version && !gone.includes(one))
  await stopAll(next, gone, report)
  await startAll(next, order, report)
  for (const instance of kept) await applyOptions(next, instance, before, report)
  return report
}

function keys(workshop: Workshop): Set<string> {
  return new Set(wantedOn(workshop).map(({ at, name }) => key({ host: at, name })))
}

function key({ host, name }: Pick<Instance, 'name'> & { host: { name: string } }): string {
  return `${host.name}\n${name}`
}

/** Whether the module is to be started: it is new, its host is, or it should run already and does not. */
function isStarted({ at, name }: Wanted, known: Instance | undefined, old: ReadonlySet<string>): boolean {
  if (!known || known.host !== at) return true
  if (known.version) return false
  return known.state !== 'unloaded' || !old.has(key({ host: at, name }))
}

function stillNeeded({ registry }: Workshop, gone: readonly Instance[]): string[] {
  return gone.flatMap(one =>
    registry
      .dependentsOf(one)
      .filter(other => !gone.includes(other))
      .map(other => `${named(one)} cannot be turned off: ${named(other)} needs it`)
  )
}

async function stopAll(
  workshop: Workshop,
  gone: readonly Instance[],
  report: ConfigureReport
): Promise<void> {
  const ordered = stopOrder(gone)
  for (const instance of ordered) {
    const ran = instance.version !== undefined
    await stopInstance(instance, workshop, 'unload')
    workshop.registry.remove(instance)
    if (ran) report.applied.push(`${named(instance)}: stopped`)
  }
}

async function startAll(workshop: Workshop, order: readonly Ready[], report: ConfigureReport): Promise<void> {
  const { registry, services, limits } = workshop
  const faults = await startModules(order, registry, services, limits)
  report.failed.push(...faults.map(fault => fault.message))
  for (const { at, name } of order) {
    const instance = registry.get(name, at.name)
    if (instance?.version) report.applied.push(`${named(instance)}: started`)
    else if (instance?.state === 'waiting') report.failed.push(`${named(instance)}: ${instance.error}`)
    forgetIdle(workshop, name)
  }
}

async function applyOptions(
  workshop: Workshop,
  instance: Instance,
  before: ModuleSettings,
  report: ConfigureReport
): Promise<void> {
  const { version, host, name } = instance
  const changed =
    instance.stale ||
    !isDeepStrictEqual(writtenOn(before, host, name), writtenOn(workshop.settings, host, name))
  if (!version || !changed) return
  // What fails is tried again at the next time: a port may be free then
  instance.stale = true
  try {
    const config = optionsOf(workshop.settings, host, version.loaded)
    const { setup } = workshop.limits
    const late = (): Error => new Error(`reconfigure has not ended after ${setup / 1000} s`)
    if (await withTimeout(version.context.takeConfig(config), setup, late)) {
      instance.stale = false
      report.applied.push(`${named(instance)}: options changed`)
      return
    }
    const result = await swap([{ instance, loaded: version.loaded, config }], swapContext(workshop))
    instance.stale = !result.ok
    const without = result.ok && result.lost !== undefined ? ', without what it knew before' : ''
    if (result.ok) report.applied.push(`${named(instance)}: restarted with changed options${without}`)
    else report.failed.push(`${named(instance)}: ${result.error}`)
  } catch (error) {
    report.failed.push(`${named(instance)}: ${describe(error, version.loaded.inside)}`)
  }
}

function named({ name, host }: Instance): string {
  return label({ name, host: host.name })
}
