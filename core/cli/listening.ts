import type { Server } from '../server'

const SERVICE = { tcp: 'clients (STARTTLS)', tls: 'clients (direct TLS)' } as const

/** A line for each address where the server listens. */
export function listening(server: Server): string[] {
  return server
    .ports()
    .map(({ transport, address, port }) => `${SERVICE[transport]} on ${hostPort(address, port)}`)
}

function hostPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
