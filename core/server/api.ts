import type { AccountApi } from '../accounts/api'
import { adminsOf, roleOf, type RoleLists } from '../accounts/roles'
import type { Host } from '../hosts/host'
import type { JID } from '../jid'
import type { EndingApi } from '../modules/ending'
import type { ModuleManager } from '../modules/manager'
import type { Role, ServerApi } from '../modules/server-api'
import { isPromise } from '../events/hooks'
import type { Origin } from '../routing/origin'
import type { ComponentsApi } from '../routing/components/api'
import type { FederationApi } from '../federation/api'
import type { Router } from '../routing/router'
import type { HttpListening } from '../http/server'
import type { ClientListening } from '../streams/listeners'
import type { LimitSetting } from '../streams/rates/limits'
import type { Element } from '../xml/element'
import type { LocalDomains } from './domains'
import type { Log } from '../log'

export interface ApiParts {
  version: string
  startedAt: number
  accounts: AccountApi
  domains: LocalDomains
  roles: RoleLists
  router: Router
  listening: ClientListening
  limits: LimitSetting
  components: ComponentsApi
  federation: FederationApi
  http: HttpListening
  ending: EndingApi
  manager(): ModuleManager
  isStarted(): boolean
  log: Log
  reloadConfig: ServerApi['config']['reload']
  checkConfig: ServerApi['config']['check']
  stop(reason: string): Promise<void>
}

/** The server as its modules see it. */
export class ServerFace implements ServerApi {
  readonly version: string
  readonly startedAt: number
  readonly accounts: AccountApi
  readonly listening: ClientListening
  readonly limits: LimitSetting
  readonly components: ComponentsApi
  readonly federation: FederationApi
  readonly http: HttpListening
  readonly ending: EndingApi
  readonly config: ServerApi['config']
  readonly #parts: ApiParts

  constructor(parts: ApiParts) {
    this.#parts = parts
    this.version = parts.version
    this.startedAt = parts.startedAt
    this.accounts = parts.accounts
    this.listening = parts.listening
    this.limits = parts.limits
    this.components = parts.components
    this.federation = parts.federation
    this.http = parts.http
    this.ending = parts.ending
    this.config = { reload: parts.reloadConfig, check: parts.checkConfig }
  }

  get modules(): ServerApi['modules'] {
    return this.#parts.manager().api
  }

  get started(): boolean {
    return this.#parts.isStarted()
  }

  host(name: string): Host | undefined {
    return this.#parts.domains.find(name)
  }

  hosts(): Host[] {
    return this.#parts.domains.list()
  }

  isLocal(domain: string): boolean {
    return this.#parts.domains.find(domain) !== undefined
  }

  serve(domain: string, host: Host): () => void {
    return this.#parts.domains.serve(domain, host)
  }

  role(jid: JID, host: Host): Role {
    return roleOf(jid, host, this.#parts.roles)
  }

  administrators(host: Host): string[] {
    const { roles } = this.#parts
    return [...new Set([...roles.operators(), ...adminsOf(host, roles)])]
  }

  route(stanza: Element, origin: Origin): void {
    const done = this.#parts.router.route(stanza, origin)
    if (isPromise(done)) done.catch((err: unknown) => this.#parts.log.error({ err }, 'a stanza failed'))
  }

  stop(reason: string): Promise<void> {
    return this.#parts.stop(reason)
  }
}
