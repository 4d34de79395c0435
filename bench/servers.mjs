import fs from 'node:fs'
import path from 'node:path'

/*
 * The servers that can be measured: the script that runs each, its environment, and what of the matrix it gets
 * (README.md, "Adding a further server"). Further ones go into servers.local.json beside this file.
 */
export const SERVERS = {
  // No PLAIN without TLS, so the logins without TLS are by SCRAM.
  balcony: { setup: './setup-balcony.sh', env: {}, set: 'full', all: true, skip: ['login-plain'] },
  prosody: {
    setup: './setup-prosody.sh',
    env: { STORAGE: 'internal' },
    set: 'full',
    prepare: 'prosody-internal'
  },
  'prosody-sqlite': { setup: './setup-prosody.sh', env: { STORAGE: 'sqlite' }, set: 'pubsub' },
  ejabberd: { setup: './setup-ejabberd.sh', env: { STORAGE: 'mnesia' }, set: 'full' },
  'ejabberd-sqlite': { setup: './setup-ejabberd.sh', env: { STORAGE: 'sqlite' }, set: 'pubsub' },
  stub: {
    setup: './setup-stub.sh',
    env: {},
    set: 'full',
    skip: ['login-scram', 'presence', 'publish1-full'],
    noRegister: true,
    volatile: true
  }
}
const local = path.join(import.meta.dirname, 'servers.local.json')
if (fs.existsSync(local)) Object.assign(SERVERS, JSON.parse(fs.readFileSync(local, 'utf8')))
