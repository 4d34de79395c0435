import { CodedError } from '../errors'
import { Host, type HostType } from '../hosts/host'
import type { Domains } from '../routing/router'

/** The domains that this server answers for: its hosts, and further ones that components serve. */
export class LocalDomains implements Domains {
  readonly #hosts = new Map<string, Host>()
  readonly #served = new Map<string, Host>()

  add(name: string, type: HostType): Host {
    const host = new Host(name, type)
    this.#hosts.set(name, host)
    return host
  }

  remove(name: string): void {
    this.#hosts.delete(name)
  }

  /** Whoever answers for a domain. */
  find(domain: string): Host | undefined {
    return this.#hosts.get(domain) ?? this.#served.get(domain)
  }

  /** A host by its own name. */
  get(name: string): Host | undefined {
    return this.#hosts.get(name)
  }

  list(): Host[] {
    return [...this.#hosts.values()]
  }

  /** What hosts answer for beside their own names: the host by the domain. */
  served(): ReadonlyMap<string, Host> {
    return this.#served
  }

  /** Throws `ERR_DOMAIN_TAKEN`. Returns the function that ends it. */
  serve(domain: string, host: Host): () => void {
    const owner = this.find(domain)
    if (owner) throw new CodedError('ERR_DOMAIN_TAKEN', `${domain} is answered for by ${owner.name} already`)
    this.#served.set(domain, host)
    return () => {
      if (this.#served.get(domain) === host) this.#served.delete(domain)
    }
  }
}
