import { createLogger } from '../log'
import { Server } from '../server'
import type { OwnServer } from './backend'
import { operationsOf } from './operations'
import { printError } from './output'
import { welcome } from './welcome'

/**
 * Opens the data folder for one command. All modules of the hosts run, since an account that comes or goes concerns
 * them; nothing listens.
 */
export async function openOwnServer(
  place: { config: string; data: string },
  command: string
): Promise<OwnServer> {
  process.umask(0o077)
  const log = createLogger({ level: 'warn', format: 'pretty', destination: process.stderr })
  const server = await Server.start({ ...place, log, name: `balcony ${command}`, headless: true })
  // What was made for the first time is told now: at the first start it will be there already
  const text = welcome({ version: server.api.version, listening: [], ...server.first })
  if (text !== undefined) printError(text)
  return { operations: operationsOf(server), log, close: () => server.stop('the command has ended') }
}
