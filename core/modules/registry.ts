import type { Host } from '../hosts/host'
import type { Running } from './handle'
import { Instance, type Version } from './instance'
import type { LoadedModule } from './loader'
import type { Finder } from './setup'

/** All modules on all hosts, running or not. */
export class Registry implements Finder {
  readonly #hosts = new Map<string, Map<string, Instance>>()
  #rank = 0

  get(name: string, host: string): Instance | undefined {
    return this.#hosts.get(host)?.get(name)
  }

  /** The instance, made at the first time; it keeps its rank from then on. */
  at(name: string, host: Host): Instance {
    const known = this.get(name, host.name)
    // A host that was taken away and came back is another object
    if (known?.host === host) return known
    const instance = new Instance(host, name, known?.rank ?? ++this.#rank)
    const modules = this.#hosts.get(host.name)
    if (modules) modules.set(name, instance)
    else this.#hosts.set(host.name, new Map([[name, instance]]))
    return instance
  }

  remove(instance: Instance): void {
    this.#hosts.get(instance.host.name)?.delete(instance.name)
  }

  all(): Instance[] {
    return [...this.#hosts.values()].flatMap(modules => [...modules.values()])
  }

  of(name: string): Instance[] {
    return this.all().filter(instance => instance.name === name)
  }

  /** What runs, with its code. */
  running(): { at: Host; name: string; loaded: LoadedModule }[] {
    return this.all().flatMap(({ host, name, version }) =>
      version ? [{ at: host, name, loaded: version.loaded }] : []
    )
  }

  find(name: string, from: string, host: string | undefined): Running | undefined {
    if (host !== undefined) return this.#versionOf(name, host)
    return this.#versionOf(name, from) ?? this.#versionOf(name, '')
  }

  #versionOf(name: string, host: string): Version | undefined {
    return this.get(name, host)?.version
  }

  known(name: string, host: string): boolean {
    const state = this.get(name, host)?.state
    return state !== undefined && state !== 'unloaded'
  }

  /** The running modules that cannot be without this one. */
  dependentsOf(instance: Instance): Instance[] {
    return this.all().filter(other => other !== instance && other.version && this.#needs(other, instance))
  }

  #needs({ version, host }: Instance, instance: Instance): boolean {
    const names = version?.loaded.definition.dependencies ?? []
    const uses = [...names.map(name => ({ name, host: undefined })), ...(version?.uses ?? [])]
    return uses.some(
      use => use.name === instance.name && this.find(use.name, host.name, use.host) === instance.version
    )
  }
}
