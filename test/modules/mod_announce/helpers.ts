import type { TestContext } from 'node:test'
import { startTestServer, type TestServer } from '../../lib/server'
import { IM_HOST } from '../../lib/config'
import { PASSWORD, type Player } from '../../lib/wire'
import type { DatabaseName } from '../../lib/databases'
import { ADMIN, run } from '../mod_adhoc_admin/helpers'

export const CAST = {
  admin: { jid: 'admin@localhost/globe' },
  juliet: { jid: 'juliet@localhost/balcony', presence: true }
}

/** `admin@localhost` administers that host; all commands of XEP-0133 are there. */
export async function startAnnouncing(
  t: TestContext,
  { database = 'SQLite', announce = {} }: { database?: DatabaseName; announce?: object } = {}
): Promise<TestServer> {
  const server = await startTestServer(t, {
    database,
    hosts: {
      localhost: { ...IM_HOST, admins: ['admin@localhost'] },
      other: IM_HOST
    },
    modules: { adhoc_admin: {}, announce, smacks: {}, csi: {} }
  })
  await server.addUser('admin@localhost', PASSWORD)
  return server
}

export function says(
  admin: Player,
  command: 'announce' | 'set-motd' | 'edit-motd' | 'set-welcome',
  lines: string | readonly string[]
) {
  const field = {
    announce: 'announcement',
    'set-motd': 'motd',
    'edit-motd': 'motd',
    'set-welcome': 'welcome'
  }[command]
  return run(admin, `${ADMIN}#${command}`, { [field]: lines })
}

/** The message as it comes. */
export function message(to: string, text: string): string {
  return `<message from='localhost' to='${to}' type='normal'><body>${text}</body></message>`
}
