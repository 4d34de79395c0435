import type { Dns } from './dns'
import { DnsFailure, Unreachable } from './errors'
import { literalAddress, type Place } from './place'
import { inSrvOrder, type SrvRecord } from './srv'

/** Where a server of a domain may be. */
export interface Target extends Place {
  /** `direct`: the connection begins with TLS (XEP-0368 §3). */
  tls: 'direct' | 'starttls'
  /** Equal ones may be tried side by side. */
  priority: number
  /** Who says so: a route of the config, SRV, or the domain's own address for want of SRV. */
  by: 'route' | 'srv' | 'address'
}

/** What to look for. */
export interface Services {
  /** Names before the domain, with the way to connect to what they lead to. */
  srv: ReadonlyArray<readonly [name: string, tls: Target['tls']]>
  /** For domains without SRV (RFC 6120 §3.2.2). */
  port: number
}

/** RFC 6120 §3.2.1, XEP-0368 §3. */
export const SERVER_SERVICES: Services = {
  srv: [
    ['_xmpps-server._tcp', 'direct'],
    ['_xmpp-server._tcp', 'starttls']
  ],
  port: 5269
}

/** Records beyond these are left out. */
const MAX_TARGETS = 20

/**
 * Where to connect to for a domain, best first; never empty. Throws Unreachable: `remote-server-not-found` where DNS
 * says that the service is not offered, `remote-server-timeout` where DNS does not answer. The domain's own address
 * is looked up by `dial`, which says then what it means that there is none.
 *
 * @param domain prepared, U-labels
 */
export async function findTargets(
  dns: Dns,
  domain: string,
  services: Services = SERVER_SERVICES
): Promise<Target[]> {
  const own: Target = { host: domain, port: services.port, tls: 'starttls', priority: 0, by: 'address' }
  const address = literalAddress(domain)
  if (address !== undefined) return [{ ...own, host: address }]
  const answers = await Promise.all(
    services.srv.map(([name]) => dns.services(`${name}.${domain}`).catch(failure))
  )
  const records = answers.flatMap((answer, i) => {
    const tls = services.srv[i]?.[1] ?? 'starttls'
    return (answer instanceof DnsFailure ? [] : answer).map(record => ({ ...record, tls }))
  })
  // RFC 2782: the root as the target means that there is no such service; port 0 cannot be connected to
  const offered = records.filter(({ host, port }) => host !== '' && port !== 0)
  // XEP-0368 §3: both kinds are one set
  if (offered.length > 0) return inSrvOrder(offered).slice(0, MAX_TARGETS).map(target)
  // RFC 6120 §3.2.1: no answer is no SRV, for this purpose
  if (records.length === 0) return [own]
  // XEP-0368 §5: who knows SRV gets no fallback
  const failed = answers.find(answer => answer instanceof DnsFailure)
  if (failed instanceof DnsFailure) throw new Unreachable('remote-server-timeout', failed.message)
  throw new Unreachable(
    'remote-server-not-found',
    `${domain} does not offer the service, says its SRV record`
  )
}

function target({ host, port, tls, priority }: SrvRecord & Pick<Target, 'tls'>): Target {
  return { host, port, tls, priority, by: 'srv' }
}

function failure(error: unknown): DnsFailure {
  if (error instanceof DnsFailure) return error
  throw error
}

/** RFC 6120 §3.2.3: where the operator says where a domain is, nobody is asked. */
export function routeTarget({ host, port, tls = 'starttls' }: Place & { tls?: Target['tls'] }): Target {
  return { host, port, tls, priority: 0, by: 'route' }
}
