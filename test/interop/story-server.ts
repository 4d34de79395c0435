import fs from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { parse } from 'yaml'
import type { DatabaseName } from '../lib/databases'
import type { Options } from '../lib/config'
import { startTestServer } from '../lib/server'
import type { TestServer } from '../lib/server'

const DEFAULT_CONFIG = path.resolve(__dirname, '../../config/balcony.yaml')

type Hosts = Record<string, { admins?: string[] } & Record<string, unknown>>

/** The people of the story; `admin` administers both hosts. */
export const STORY_PASSWORDS: Readonly<Record<string, string>> = {
  'juliet@localhost': 'a password of juliet’s',
  'romeo@localhost': 'a password of romeo’s',
  'admin@localhost': 'a password of admin’s'
}

/** A server with the hosts and modules of the default config, and the people of the story; `config` is further keys. */
export async function storyServer(
  t: TestContext,
  database: DatabaseName = 'SQLite',
  config: Options = {}
): Promise<TestServer> {
  const { hosts, modules } = parse(fs.readFileSync(DEFAULT_CONFIG, 'utf8')) as {
    hosts: Hosts
    modules: Record<string, unknown>
  }
  for (const host of Object.values(hosts)) host.admins = ['admin@localhost']
  const { c2s: _c2s, websocket: _websocket, ...others } = modules
  const server = await startTestServer(t, { hosts, modules: others, tls: 'required', database, config })
  for (const [jid, password] of Object.entries(STORY_PASSWORDS)) await server.addUser(jid, password)
  return server
}
