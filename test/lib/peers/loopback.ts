import { randomInt } from 'node:crypto'
import net from 'node:net'

/** Ports that a server of XMPP has, whoever it is. */
export const PORTS = { c2s: 5222, s2s: 5269, directTls: 5270, component: 5347 } as const

/**
 * An address of this machine alone that nobody uses (127.0.0.0/8): ports are as in the real world there, and tests
 * at the same time do not meet.
 */
export async function ownAddress(): Promise<string> {
  for (;;) {
    const address = `127.${randomInt(16, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`
    if (await isFree(address, PORTS.s2s)) return address
  }
}

function isFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false)
      else reject(new Error(`${address}:${port} cannot be used: ${error.message}`))
    })
    server.listen(port, address, () => server.close(() => resolve(true)))
  })
}

/** Whether somebody listens there. */
export function answers(address: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = net.connect(port, address)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
