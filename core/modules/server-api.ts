import type { AccountApi } from '../accounts/api'
import type { Host } from '../hosts/host'
import type { JID } from '../jid'
import type { Element } from '../xml/element'
import type { ShownOption } from '../config'
import type { EndingApi } from './ending'
import type { HttpListening } from '../http/server'
import type { ClientListening } from '../streams/listeners'
import type { LimitSetting } from '../streams/rates/limits'
import type { ComponentsApi } from '../routing/components/api'
import type { FederationApi } from '../federation/api'
import type { Origin } from '../routing/origin'
import type { StanzaEvent } from '../routing/event'

export type Role = 'operator' | 'admin' | 'member' | 'none'

export interface ModuleStatus {
  host: string
  name: string
  state: 'running' | 'failed' | 'unloaded' | 'waiting'
  /** Which load of the code this is, from 1. */
  version: number
  /** Why it failed, with file and line. */
  error?: string
}

/** The options of a module on one host. */
export interface PlacedOptions {
  /** '' is the server; undefined: the config turns the module on nowhere. */
  host: string | undefined
  options: ShownOption[]
}

export interface ReloadReport {
  ok: boolean
  /** A line for a person. */
  message: string
}

/** What modules and the command line may ask of the server as a whole. */
export interface ServerApi {
  readonly version: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Everything that the config names is running. */
  readonly started: boolean
  readonly accounts: AccountApi
  /** Where clients connect; the sockets are core's and outlive the modules that ask for them. */
  readonly listening: ClientListening
  /** Rates, sizes and numbers for streams of every kind. */
  readonly limits: LimitSetting
  /** External components in both directions; their sockets, streams and queues are core's too. */
  readonly components: ComponentsApi
  /** Streams to and from other servers, and what waits for them. */
  readonly federation: FederationApi
  /** Where HTTP is spoken, for modules that want an address of their own. */
  readonly http: HttpListening
  /** A host of this server by its prepared name; also where a component serves further domains. */
  host(name: string): Host | undefined
  hosts(): Host[]
  /** Whether the domain is one that this server answers for. */
  isLocal(domain: string): boolean
  /**
   * Makes a component answer for a further domain (`topics.example.org`): its stanzas run on that host's
   * handlers. Returns the function that ends it; throws `ERR_DOMAIN_TAKEN`.
   */
  serve(domain: string, host: Host): () => void
  /** What somebody may do on a host. */
  role(jid: JID, host: Host): Role
  /** The bare JIDs of those who administer a host: its admins and the operators. */
  administrators(host: Host): string[]
  modules: {
    list(): ModuleStatus[]
    /**
     * The options of a module with their values, on each host where the config turns it on ('' is the server) or on
     * the one that is named; without a host where it is on nowhere. Throws `ERR_MODULE_UNKNOWN` and the like.
     */
    options(name: string, host?: string): PlacedOptions[]
    /** What would be wrong with these options (YAML), written over those of the file, at the same places. */
    checkOptions(name: string, text: string, host?: string): { ok: boolean; lines: string[] }
    /**
     * Starts a module that does not run, and what it needs: on one host ('' is the server), or wherever the config
     * has it.
     */
    load(name: string, host?: string): Promise<ReloadReport>
    /** Stops a module, on one host or on all; refused while others need it. For `by` see `reload`. */
    unload(name: string, host?: string, by?: StanzaEvent): Promise<ReloadReport>
    /** All hosts or none. `by` is the event whose handler asks: it is not waited for. */
    reload(name: string, by?: StanzaEvent): Promise<ReloadReport>
  }
  config: {
    /** Reads the file again and applies what changed; changes nothing if it is wrong. */
    reload(by?: StanzaEvent): Promise<{ ok: boolean; lines: string[] }>
    /** What is wrong with the file as it is now; a server that starts would not take it. */
    check(): { ok: boolean; lines: string[] }
  }
  /** Delivers a stanza as its origin would: for modules that carry others' stanzas (components, s2s). */
  route(stanza: Element, origin: Origin): void
  /** When the server ends because somebody wants it to. */
  readonly ending: EndingApi
  /** Ends the process in an orderly way. */
  stop(reason: string): Promise<void>
}
