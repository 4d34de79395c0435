import fs from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import type { Options, TestServerOptions } from '../../lib/config'

const ROOT = path.resolve(__dirname, '../../..')
export const MODULES_FOLDER = path.join(ROOT, 'modules')

interface Host {
  admins?: string[]
  modules: Record<string, unknown>
  [key: string]: unknown
}

/** The modules that are in the repository, sorted. */
export function allModules(): string[] {
  return fs
    .readdirSync(MODULES_FOLDER)
    .filter(
      folder => folder.startsWith('mod_') && fs.existsSync(path.join(MODULES_FOLDER, folder, 'index.ts'))
    )
    .map(folder => folder.slice('mod_'.length))
    .sort()
}

/**
 * The hosts and modules of the default config, and what stands commented out in it: every module of the repository
 * runs. `admin@localhost` administers all hosts.
 *
 * @param upstream the port of a server that `away.localhost` is a component of; nobody listens at the one that is
 *   taken without it
 */
export function everything(
  upstream = 1
): TestServerOptions & { hosts: Record<string, Host>; modules: Options } {
  const file = fs.readFileSync(path.join(ROOT, 'config/balcony.yaml'), 'utf8')
  const { hosts, modules } = parse(file) as { hosts: Record<string, Host>; modules: Record<string, unknown> }
  modules.host_meta = {}
  // Whoever sends ten thousand stanzas at once would have to wait
  modules.limits = { c2s: { bytesPerSecond: 0, stanzasPerSecond: 0 } }
  const anywhere = [{ address: '127.0.0.1', port: 0 }]
  modules.s2s = { listen: anywhere, directTls: anywhere }
  const { c2s: _c2s, websocket: _websocket, ...others } = modules // the harness has them at ports of its own
  if (hosts.localhost) hosts.localhost.modules.register = {}
  if (hosts.localhost) hosts.localhost.modules.server_info = { admin: ['xmpp:admin@localhost'] }
  hosts['pubsub.localhost'] = { type: 'component', modules: { pubsub: {} } }
  const component = { secret: 'a secret', listen: [{ address: '127.0.0.1', port: 0 }] }
  hosts['echo.localhost'] = { type: 'component', modules: { component } }
  hosts['away.localhost'] = {
    type: 'component',
    modules: { upstream: { port: upstream, secret: 'a secret' } }
  }
  for (const host of Object.values(hosts)) host.admins = ['admin@localhost']
  const enabled = new Set([
    ...Object.keys(modules),
    ...Object.values(hosts).flatMap(host => Object.keys(host.modules))
  ])
  const idle = allModules().filter(name => !enabled.has(name))
  if (idle.length > 0) throw new Error(`no host of this test has ${idle.join(', ')}: give it to one`)
  return { hosts, modules: { ...others, websocket: { url: 'wss://localhost/xmpp-websocket' } } }
}
