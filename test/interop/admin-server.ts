import type { TestContext } from 'node:test'
import { IM_HOST } from '../lib/config'
import { startTestServer } from '../lib/server'
import type { TestServer } from '../lib/server'
import { PASSWORD } from '../lib/wire'

/** Two hosts with the same administrator, who has an account, as has romeo, who administers nothing. */
export async function adminServer(t: TestContext): Promise<TestServer> {
  const modules = { ...(IM_HOST.modules as object), adhoc_admin: {}, server_buddy: {} }
  const host = { admins: ['admin@localhost'], modules }
  const server = await startTestServer(t, { hosts: { localhost: host, 'peer.localhost': host } })
  for (const user of ['admin', 'romeo']) await server.addUser(`${user}@localhost`, PASSWORD)
  return server
}
