import type { TestContext } from 'node:test'
import { IM_HOST, type Options, type TestServerOptions } from '../../lib/config'
import { startTestServer, type TestServer } from '../../lib/server'
import { PASSWORD } from '../../lib/wire'
import { ADMIN, OWN } from '../mod_adhoc_admin/helpers'

/** The commands, by the list that each edits. */
export const NODES = {
  blacklist: `${ADMIN}#edit-blacklist`,
  'blacklist-in': `${ADMIN}#add-to-blacklist-in`,
  'blacklist-out': `${ADMIN}#add-to-blacklist-out`,
  whitelist: `${ADMIN}#edit-whitelist`,
  'whitelist-in': `${ADMIN}#add-to-whitelist-in`,
  'whitelist-out': `${ADMIN}#add-to-whitelist-out`
} as const

export const ALSO_WHITELIST = `${ADMIN}#add-to-whitelist`
export const SHOW = `${OWN}#entity-lists`
export const REMOVE = `${OWN}#entity-lists-remove`

export type List = keyof typeof NODES

export const BLACK = 'blacklistjids'
export const WHITE = 'whitelistjids'

/** The field of a list. */
export function fieldOf(list: List): typeof BLACK | typeof WHITE {
  return list.startsWith('white') ? WHITE : BLACK
}

/** `localhost` and `other` with accounts, a service; `op@localhost` operates, `admin@localhost` and `boss@localhost` administer. */
export async function startListed(
  t: TestContext,
  options: Options = {},
  more: TestServerOptions = {}
): Promise<TestServer> {
  const admins = ['admin@localhost', 'boss@localhost']
  const server = await startTestServer(t, {
    hosts: {
      localhost: { ...IM_HOST, admins },
      other: { ...IM_HOST },
      'channels.localhost': { type: 'component', admins }
    },
    config: { operators: ['op@localhost'] },
    ...more,
    modules: { entity_lists: options, ...more.modules }
  })
  // The first start has made it with a password of its own
  await server.server.accounts.setPassword('op', 'localhost', PASSWORD)
  return server
}
