import type { Config } from '../config'
import type { Host } from '../hosts/host'
import type { CertificateFiles, CertificatePlan } from '../streams/certificates'

/** Which certificate each domain has, by the config; a domain that a component serves beside its own has its one. */
export function certificatePlan(
  { server, hosts }: Config,
  served: ReadonlyMap<string, Host> = new Map()
): CertificatePlan {
  const domains = new Map([...hosts.values()].map(({ name, tls }) => [name, filesOf(tls)]))
  for (const [domain, { name }] of served) if (!domains.has(domain)) domains.set(domain, domains.get(name))
  return { domains, standard: filesOf(server.tls), authorities: server.tls.ca }
}

function filesOf(
  tls: { certificate?: string | undefined; key?: string | undefined } | undefined
): CertificateFiles | undefined {
  return tls?.certificate && tls.key ? { certificate: tls.certificate, key: tls.key } : undefined
}
