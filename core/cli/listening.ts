import type { Server } from '../server'

const SECURED = { tcp: 'STARTTLS', tls: 'direct TLS' } as const

/** A line for each address where the server listens. */
export function listening({ listeners, federation, components, http }: Server): string[] {
  return [
    ...listeners.ports().map(({ transport, ...at }) => `clients (${SECURED[transport]}) on ${hostPort(at)}`),
    ...federation
      .ports()
      .map(({ transport, ...at }) => `other servers (${SECURED[transport]}) on ${hostPort(at)}`),
    ...components.listeners.ports().map(at => `components (XEP-0114) on ${hostPort(at)}`),
    ...http
      .ports()
      .map(({ tls, ...at }) => `web pages and WebSocket on ${tls ? 'https' : 'http'}://${hostPort(at)}`)
  ]
}

function hostPort({ address, port }: { address: string; port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
