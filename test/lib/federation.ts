import assert from 'node:assert/strict'
import fs from 'node:fs'
import net from 'node:net'
import type { TestContext } from 'node:test'
import { HANDLED } from '../../core/events/hooks'
import type { StanzaEvent } from '../../core/routing/event'
import type { Element } from '../../core/xml/element'
import { IM_HOST, testConfig, type Options } from './config'
import { TestServer } from './server'

/** A port that nobody used a moment ago. */
export async function freePort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Ports of a test server for other servers. */
export const S2S_PORTS = {
  listen: [{ address: '127.0.0.1', port: 0 }],
  directTls: [{ address: '127.0.0.1', port: 0 }]
}

export interface FederatedOptions {
  /** Of mod_s2s, beside ports and routes. */
  s2s?: Options
  /** The hosts, in place of one with accounts under the server's own name. */
  hosts?: Readonly<Record<string, Options>>
  modules?: Options
  /** Further keys of the config file. */
  config?: Options
  /** Connections begin with TLS. */
  directTls?: boolean
}

/** A server in this process that knows where the others are. */
export class FederatedServer extends TestServer {
  #given: Options = {}

  /** Where other servers connect. */
  s2sPort(transport: 'tcp' | 'tls' = 'tcp'): number {
    return this.server.federation.ports().find(port => port.transport === transport)?.port ?? 0
  }

  /** Changes options of mod_s2s, and reloads the config. */
  async configure(s2s: Options): Promise<void> {
    this.#given = { ...this.#given, ...s2s }
    const config = await testConfig(this.options, `${this.folder}/data`)
    const modules = config.modules as Options
    const own = modules.s2s as Options
    this.writeConfig({ ...config, modules: { ...modules, s2s: { ...own, ...this.#given } } })
    const { ok, lines } = await this.server.reloadConfig()
    assert.ok(ok, lines.join('\n'))
  }
}

/**
 * Starts servers that federate with each other, by the names of their hosts; each knows where the others are by
 * routes. They end with the test.
 */
export async function federation<Name extends string>(
  t: TestContext,
  parts: Readonly<Record<Name, FederatedOptions>>
): Promise<Record<Name, FederatedServer>> {
  const servers = new Map<string, FederatedServer>()
  for (const [name, options] of Object.entries<FederatedOptions>(parts))
    servers.set(name, await startFederated(t, name, options))
  for (const [name, server] of servers) {
    const peers: Record<string, Options> = {}
    for (const [other, { options }] of servers) {
      const direct = parts[other as Name].directTls ?? false
      const port = (servers.get(other) as FederatedServer).s2sPort(direct ? 'tls' : 'tcp')
      if (other === name) continue
      for (const domain of Object.keys(options.hosts ?? {}))
        peers[domain] = { route: `127.0.0.1:${port}`, directTls: direct }
    }
    const own = (parts[name as Name].s2s?.peers ?? {}) as Record<string, Options>
    for (const [domain, peer] of Object.entries(own)) peers[domain] = { ...peers[domain], ...peer }
    await server.configure({ peers })
  }
  return Object.fromEntries(servers) as Record<Name, FederatedServer>
}

export async function startFederated(
  t: TestContext,
  name: string,
  { s2s, hosts, modules, config }: FederatedOptions = {}
): Promise<FederatedServer> {
  const server = new FederatedServer({
    hosts: hosts ?? { [name]: IM_HOST },
    modules: { s2s: { ...S2S_PORTS, ...s2s }, ...modules },
    ...(config ? { config } : {})
  })
  t.after(async () => {
    await server.stop()
    fs.rmSync(server.folder, { recursive: true, force: true })
  })
  await server.start()
  return server
}

/** What a host of a test server is sent: messages, before anybody handles them. */
export class Heard {
  readonly stanzas: Element[] = []
  readonly #changed = new Set<() => void>()

  constructor(server: TestServer, domain: string) {
    const host = server.server.domains.get(domain)
    assert.ok(host, `${domain} is no host of the config`)
    const owner = { module: 'heard', host: domain, begin: () => undefined, end: () => undefined }
    const hear = ({ stanza }: StanzaEvent): typeof HANDLED => {
      this.stanzas.push(stanza)
      for (const changed of [...this.#changed]) changed()
      return HANDLED
    }
    for (const to of ['host', 'bare', 'full'])
      host.hooks.add(`message/${to}`, hear, owner, { priority: 1000 })
  }

  /** The ids of what has come. */
  get ids(): string[] {
    return this.stanzas.map(({ attrs }) => attrs.id ?? '')
  }

  /** Waits until a message with that id has come. */
  async until(id: string): Promise<Element> {
    const find = (): Element | undefined => this.stanzas.find(({ attrs }) => attrs.id === id)
    if (!find())
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no ${id}, only ${this.ids.join()}`)), 20_000)
        const changed = (): void => {
          if (!find()) return
          clearTimeout(timer)
          this.#changed.delete(changed)
          resolve()
        }
        this.#changed.add(changed)
      })
    return find() as Element
  }
}
