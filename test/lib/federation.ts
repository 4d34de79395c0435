import assert from 'node:assert/strict'
import fs from 'node:fs'
import type { TestContext } from 'node:test'
import { IM_HOST, testConfig, type Options } from './config'
import { TestServer } from './server'

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
  /** Where other servers connect. */
  s2sPort(transport: 'tcp' | 'tls' = 'tcp'): number {
    return this.server.federation.ports().find(port => port.transport === transport)?.port ?? 0
  }

  /** Changes options of mod_s2s, and reloads the config. */
  async configure(s2s: Options): Promise<void> {
    const config = await testConfig(this.options, `${this.folder}/data`)
    const modules = config.modules as Options
    const own = modules.s2s as Options
    this.writeConfig({ ...config, modules: { ...modules, s2s: { ...own, ...s2s } } })
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

async function startFederated(
  t: TestContext,
  name: string,
  { s2s, hosts, modules, config }: FederatedOptions
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
