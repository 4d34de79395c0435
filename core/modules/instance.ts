import type { Host } from '../hosts/host'
import type { ModuleContext } from './context'
import type { Api, Running } from './handle'
import type { LoadedModule } from './loader'
import type { Scope } from './scope'
import type { ModuleStatus } from './server-api'

/** A module that it uses, and cannot be without. */
export interface UsedModule {
  readonly name: string
  readonly host: string | undefined
}

/** One version of a module at work on one host. */
export interface Version extends Running {
  readonly loaded: LoadedModule
  readonly scope: Scope
  readonly context: ModuleContext
  readonly api: Api
  /** By `ctx.use`, beside what the definition says. */
  readonly uses: readonly UsedModule[]
}

/** A module on a host, whether it runs or not, over all its versions. */
export class Instance {
  state: ModuleStatus['state'] = 'waiting'
  /** The last fault; stays while the version before runs on. */
  error: string | undefined
  version: Version | undefined
  /** A version that could not hand over its state, and was kept for that at a reload. */
  keptFor: Version | undefined
  /** It runs with other options than the config says: those could not be applied. */
  stale = false
  #guards: readonly string[] = []

  constructor(
    readonly host: Host,
    readonly name: string,
    /** Its handlers' place among equal priorities on the host. */
    readonly rank: number
  ) {}

  get status(): ModuleStatus {
    const status: ModuleStatus = {
      host: this.host.name,
      name: this.name,
      state: this.state,
      version: this.version?.loaded.version ?? 0
    }
    return this.error === undefined ? status : { ...status, error: this.error }
  }

  /** A version has taken effect. */
  run(version: Version): void {
    this.version = version
    this.keptFor = undefined
    this.state = 'running'
    this.error = undefined
    this.#unguarded(false)
    this.#guards = version.loaded.definition.guards ?? []
  }

  /** It is away although it should not be: what it guards is refused. */
  fail(error: string, guards?: readonly string[]): void {
    this.#away('failed', error, guards)
  }

  /** Something that it needs does not run. */
  wait(reason: string, guards?: readonly string[]): void {
    this.#away('waiting', reason, guards)
  }

  #away(state: 'failed' | 'waiting', error: string, guards = this.#guards): void {
    this.version = undefined
    this.state = state
    this.error = error
    this.#unguarded(false)
    this.#guards = guards
    this.#unguarded(true)
  }

  /** An operator took it away, so nothing is refused for it. */
  stop(): void {
    this.version = undefined
    this.state = 'unloaded'
    this.error = undefined
    this.#unguarded(false)
  }

  #unguarded(refused: boolean): void {
    const { hooks } = this.host
    for (const event of this.#guards) {
      if (refused) hooks.refuse(event, this.name)
      else hooks.permit(event, this.name)
    }
  }
}
