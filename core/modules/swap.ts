import type { Traced } from '../events/hooks'
import { CodedError } from '../errors'
import type { Instance, Version } from './instance'
import type { ModuleLimits } from './limits'
import type { LoadedModule } from './loader'
import { describe } from './place'
import { plain } from './plain'
import type { Services } from './services'
import { setUp, type Finder, type SetupPlan } from './setup'

export interface SwapContext {
  readonly services: Services
  readonly finder: Finder
  readonly limits: Readonly<ModuleLimits>
  /** Is told of scopes whose last handlers are finishing. */
  lingers(scope: Version['scope']): void
}

/** What shall run on an instance. */
export interface Change {
  readonly instance: Instance
  readonly loaded: LoadedModule
  readonly config: unknown
}

export type SwapResult =
  | {
      ok: true
      /** Why the version before could not hand over what it knew, where that was given up. */
      lost?: string
    }
  | {
      ok: false
      /** Why the new version was not taken. */
      error: string
      /** Instances whose version before could not be started again either. */
      gone: Instance[]
    }

/**
 * Puts other versions in the place of those that run, on all instances or on none (design §3). Nothing of a new
 * version is seen, and nothing of an old one vanishes, before all setups have succeeded; then they change places
 * within one tick. Stanzas wait at the gate from the first step to the last.
 */
export async function swap(
  changes: readonly Change[],
  context: SwapContext,
  by?: Traced
): Promise<SwapResult> {
  const { gate, log } = context.services
  gate.close()
  try {
    return await swapBehindGate(changes, context, by)
  } finally {
    try {
      gate.reopen()
    } catch (err) {
      log.error({ err }, 'what waited for the swap failed')
    }
  }
}

async function swapBehindGate(
  changes: readonly Change[],
  context: SwapContext,
  by?: Traced
): Promise<SwapResult> {
  const before = changes.flatMap(({ instance }) => instance.version ?? [])
  await Promise.all(before.map(({ scope }) => settle(scope, context.limits.drain, by)))
  // Not earlier: a handler may be waiting for a timer of its own
  for (const { scope } of before) scope.timers.pause()
  const states = saveAll(changes.map(({ instance }) => instance))
  if (!states.ok) {
    for (const { scope } of before) scope.timers.resume()
    return { ok: false, error: states.error, gone: [] }
  }
  for (const { scope } of before) await scope.undo({ why: 'swap' })
  const plans = changes.map(change => ({ ...change, saved: savedOf(change.instance, states.saved) }))
  const error = await replace(plans, context)
  if (error === undefined) return states.lost === undefined ? { ok: true } : { ok: true, lost: states.lost }
  return { ok: false, error, gone: await restore(changes, states.saved, context) }
}

async function settle(scope: Version['scope'], limit: number, by: Traced | undefined): Promise<void> {
  if (await scope.work.quiet(limit, by?.owner === scope ? 1 : 0)) return
  scope.log.warn(
    `${scope.work.running} handlers are still at work after ${limit / 1000} s; they finish on the old version`
  )
}

type Saved = ReadonlyMap<Version, unknown>

/**
 * Copies, so that a setup which fails half-way cannot spoil the state for the one that follows. A version that cannot
 * hand over its state is kept the first time; whoever asks again goes on without it.
 */
function saveAll(
  instances: readonly Instance[]
): { ok: true; saved: Saved; lost: string | undefined } | { ok: false; error: string } {
  const saved = new Map<Version, unknown>()
  let lost: string | undefined
  let kept: string | undefined
  for (const instance of instances) {
    const { version } = instance
    if (!version) continue
    try {
      saved.set(version, plain(version.context.saved()))
    } catch (error) {
      lost ??= describe(error, version.loaded.inside)
      if (instance.keptFor !== version) kept ??= lost
      instance.keptFor = version
    }
  }
  if (kept === undefined) return { ok: true, saved, lost }
  const error = `the running version cannot hand over its state: ${kept}. Reload it once more to go on without`
  return { ok: false, error }
}

function savedOf(instance: Instance, saved: Saved): unknown {
  return instance.version && saved.get(instance.version)
}

/** Sets all of them up and lets them take effect, or leaves everything as it was and says why. */
async function replace(plans: readonly SetupPlan[], context: SwapContext): Promise<string | undefined> {
  const made: Version[] = []
  try {
    for (const plan of plans)
      made.push(await setUp(plan, context.services, context.finder, context.limits.setup))
    exchange(plans, made, context)
    return undefined
  } catch (error) {
    for (const { scope } of made) await scope.close({ why: 'failure' })
    return error instanceof CodedError ? error.message : describe(error, () => false)
  }
}

/** Within one tick, so that no event finds both versions, or none. */
function exchange(plans: readonly SetupPlan[], made: readonly Version[], context: SwapContext): void {
  const old = plans.flatMap(({ instance }) => instance.version ?? [])
  for (const { scope } of old) scope.detach()
  try {
    for (const { scope } of made) scope.attach()
  } catch (error) {
    for (const { scope } of made) scope.detach()
    for (const { scope } of old) scope.attach()
    throw error
  }
  plans.forEach(({ instance }, i) => instance.run(made[i] as Version))
  for (const { scope } of old) {
    scope.retire()
    context.lingers(scope)
  }
}

/** Starts the versions before again, each for itself, with the same state. Returns those that would not. */
async function restore(changes: readonly Change[], saved: Saved, context: SwapContext): Promise<Instance[]> {
  const gone: Instance[] = []
  for (const { instance } of changes) {
    const { version } = instance
    if (!version) continue
    const { loaded, context: old } = version
    const plan = { instance, loaded, config: old.config, saved: saved.get(version) }
    const error = await replace([plan], context)
    if (error === undefined) continue
    version.scope.retire()
    context.lingers(version.scope)
    instance.fail(error)
    gone.push(instance)
  }
  return gone
}
