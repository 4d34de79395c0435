import type { Config } from '../config'
import { CodedError } from '../errors'
import { JID } from '../jid'
import type { ModuleCatalogue } from '../modules/catalogue'
import { certificatePlan } from '../server/certificate-plan'
import { readConfig } from '../server/config'
import { examine } from '../streams/certificates'
import { liveServer } from './backend'
import type { HostOverride } from './operations'
import { counted, print } from './output'
import { configFile, type PlaceOptions } from './place'

/**
 * Checks the whole file, and the certificates that it names. Throws `ERR_CONFIG` with a line for each fault. Where the
 * server runs, what commands hold in place of the file is told too.
 */
export async function checkConfig(options: PlaceOptions): Promise<void> {
  const file = configFile(options)
  const { config, catalogue } = readConfig(file, process.env)
  const { faults, warnings } = await examine(certificatePlan(config))
  if (faults.length > 0) throw new CodedError('ERR_CONFIG', faults.join('\n'))
  const modules = new Set([
    ...config.modules.keys(),
    ...[...config.hosts.values()].flatMap(host => [...host.modules.keys()])
  ])
  print(`${file} is in order: ${counted(config.hosts.size, 'host')}, ${counted(modules.size, 'module')}.`)
  for (const warning of [...warnings, ...strangersIn(config), ...adviceOf(config, catalogue)])
    print(`warning: ${warning}`)
  const overrides = await overridesOf(options)
  if (overrides.length > 0) print('In the running server this holds in place of the file, set by command:')
  for (const { host, option, value, by, at } of overrides) {
    const origin = [by, at === undefined ? undefined : new Date(at).toISOString()].filter(Boolean).join(', ')
    print(`  ${host}: ${option}: ${value}${origin === '' ? '' : ` (${origin})`}`)
  }
}

/** Who administers from a domain that is not of this server. */
function strangersIn({ server, hosts }: Config): string[] {
  const named = [
    ...server.operators.map(jid => ({ jid, place: 'operators' })),
    ...[...hosts.values()].flatMap(({ name, admins }) =>
      admins.map(jid => ({ jid, place: `hosts.${name}.admins` }))
    )
  ]
  return named.flatMap(({ jid, place }) => {
    const { domain } = JID.parse(jid)
    if (hosts.has(domain)) return []
    return [
      `${place}: ${jid} has no account here: whoever runs ${domain}, or passes for it where other servers are believed, has these rights too`
    ]
  })
}

/** What modules say of their options. */
function adviceOf(config: Config, catalogue: ModuleCatalogue): string[] {
  const places = [{ name: '', modules: config.modules }, ...config.hosts.values()]
  return places.flatMap(({ name, modules }) => {
    const options = (other: string): unknown => modules.get(other) ?? config.modules.get(other)
    return [...modules].flatMap(
      ([module, own]) => catalogue.load(module).definition.advise?.(own, { host: name, options }) ?? []
    )
  })
}

async function overridesOf(options: PlaceOptions): Promise<HostOverride[]> {
  const server = await liveServer(options)
  try {
    return ((await server?.call('config.overrides')) ?? []) as HostOverride[]
  } catch {
    return [] // a server of another version, or one that stops just now: the file is in order all the same
  }
}
