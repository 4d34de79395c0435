import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { Leaf, TestCa } from '../ca'
import type { TestDns } from '../dns'
import type { Reachable } from '../wire'
import { Guarded } from './guarded'
import { answers, ownAddress, PORTS } from './loopback'

export interface PeerOptions {
  /** The domain that it serves. */
  domain: string
  /** Whom it asks for other servers. */
  dns: TestDns
  /** Whom it believes, beside whoever its system believes. */
  ca: TestCa
  /** Its certificate; one of that authority for its domain and its components unless given. */
  leaf?: Leaf
  /** External components (XEP-0114): their domains with their secrets. */
  components?: Readonly<Record<string, string>>
  /** The config file as it is written, from what it would be: for settings that no other test needs. */
  edit?(config: string): string
  /** ejabberd's default: what is for one component goes over the connections of all; off unless given. */
  globalRoutes?: boolean
  /** `certificate`: other servers must have one that it believes; dialback will do unless given. */
  auth?: 'certificate' | 'dialback'
  /** Of streams between servers; `required` unless given. */
  tls?: 'required' | 'off'
  /** Whether one stream may serve both directions, and stanzas are acknowledged; on unless given. */
  bidi?: boolean
  acks?: boolean
}

/** Another server, in a process and on a folder and an address of its own. */
export abstract class Peer implements Reachable {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-peer-'))
  /** As Reachable has it. */
  readonly ports = { tcp: PORTS.c2s }
  readonly domain: string
  /** Whether it asks the test's DNS server for addresses too, and not the system. */
  abstract readonly asksForAddresses: boolean
  #process: Guarded | undefined

  protected constructor(
    readonly options: PeerOptions,
    /** 127.x.y.z: clients at 5222, servers at 5269, with TLS from the start at 5270, components at 5347. */
    readonly host: string
  ) {
    this.domain = options.domain
  }

  /** Writes what it needs, and starts it. It ends with the test. */
  protected static async ready<P extends Peer>(
    t: TestContext,
    options: PeerOptions,
    make: (host: string) => P
  ): Promise<P> {
    const peer = make(await ownAddress())
    t.after(async () => {
      await peer.stop()
      fs.rmSync(peer.folder, { recursive: true, force: true })
    })
    const { ca, domain, components = {} } = options
    peer.prepare(options.leaf ?? (await ca.issue({ dns: [domain, ...Object.keys(components)] })))
    await peer.start()
    return peer
  }

  /** Writes config and certificate. */
  protected abstract prepare(leaf: Leaf): void
  protected abstract command(): { command: readonly string[]; env: NodeJS.ProcessEnv }
  abstract addUser(jid: string, password: string): Promise<void>

  /** The process; throws while it does not run. */
  get process(): Guarded {
    if (!this.#process) throw new Error(`${this.domain} does not run`)
    return this.#process
  }

  async start(): Promise<void> {
    const { command, env } = this.command()
    const started = await Guarded.start(command, { log: this.file('log'), env })
    this.#process = started
    await started.until(async () => (await answers(this.host, PORTS.c2s)) && answers(this.host, PORTS.s2s))
  }

  /** By `kill -9`; its data stays. */
  async stop(): Promise<void> {
    await this.#process?.stop()
    this.#process = undefined
  }

  file(name: string): string {
    return path.join(this.folder, name)
  }

  /** Everything that it has logged. */
  log(): string {
    return this.process.said()
  }
}
