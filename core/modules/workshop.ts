import type { Host } from '../hosts/host'
import type { ModuleCatalogue } from './catalogue'
import type { Lingering } from './lingering'
import type { ModuleLimits } from './limits'
import type { Registry } from './registry'
import type { Services } from './services'
import type { ModuleSettings } from './settings'

/** What the parts of the manager work with. */
export interface Workshop {
  readonly services: Services
  readonly catalogue: ModuleCatalogue
  readonly registry: Registry
  readonly limits: Readonly<ModuleLimits>
  readonly lingering: Lingering
  /** The config in force. */
  settings: ModuleSettings
  /** In the order of the config, the server's own scope last. */
  hosts(): Host[]
}

/** Code that nothing runs on any more is read from the disk when it is wanted again. */
export function forgetIdle({ registry, catalogue }: Workshop, name: string): void {
  if (!registry.of(name).some(instance => instance.version)) catalogue.forget(name)
}

/** How an operator names a host. */
export function hostLabel(host: Host): string {
  return host.type === 'server' ? 'the server' : host.name
}

/** `a, b and c` */
export function list(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}
