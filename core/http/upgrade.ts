import { STATUS_CODES } from 'node:http'
import type { HttpUpgradeRequest } from './items'

/** Answers an upgrade request with an error and ends the connection. */
export function refuseUpgrade(
  { socket }: Pick<HttpUpgradeRequest, 'socket'>,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {}
): void {
  const body = `${text}\n`
  const lines = Object.entries({
    Connection: 'close',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    ...headers
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`)
}

/** The path of a request target, '' for one that is no path. */
export function pathOf(target: string | undefined): string {
  return /^\/[^?#]*/.exec(target ?? '')?.[0] ?? ''
}
