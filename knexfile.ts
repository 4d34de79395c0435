/*
 * For Knex's own command, on the database that the config names. Every owner of migrations, core's parts and each
 * module, has a table of its own, so the owner is chosen as the environment:
 *
 *   npx knex migrate:list --env mod_roster       which have run, which have not
 *   npx knex migrate:status --env core_accounts  how many have not run
 *   npx knex migrate:latest --env mod_roster     runs them, as the server does by itself when it starts
 *
 * Without --env it is `storage`, the stores of all modules. The config is config/balcony.yaml, or the file that
 * BALCONY_CONFIG names. Reading goes well while the server runs; for anything else stop it first, or use
 * `npx balcony`, which knows what to do. There is no way down: migrations only add.
 */
import fs from 'node:fs'
import path from 'node:path'
import type { Knex } from 'knex'

require('./bin/register.js')
// After the line above, which lets Node load TypeScript.
const { readConfig } = require('./core/server/config') as typeof import('./core/server/config')
const { knexConfig } =
  require('./core/storage/migrate/knex-config') as typeof import('./core/storage/migrate/knex-config')

const { config } = readConfig(
  process.env.BALCONY_CONFIG ?? path.join(__dirname, 'config', 'balcony.yaml'),
  process.env
)
const { storage, moduleFolders } = config.server

function environment(owner: string, folder: string): Knex.Config {
  return knexConfig(storage, owner, folder)
}

const environments: Record<string, Knex.Config> = {
  core_accounts: environment('core_accounts', path.join(__dirname, 'core', 'accounts', 'migrations')),
  storage: environment('storage', path.join(__dirname, 'core', 'storage', 'migrations'))
}
for (const folder of [path.join(__dirname, 'modules'), ...moduleFolders]) {
  for (const name of fs.readdirSync(folder)) {
    const migrations = path.join(folder, name, 'migrations')
    if (name.startsWith('mod_') && fs.existsSync(migrations))
      environments[name] = environment(name, migrations)
  }
}
// Knex falls back to these, by NODE_ENV.
for (const name of ['development', 'production', 'test'])
  environments[name] = environment('storage', path.join(__dirname, 'core', 'storage', 'migrations'))

module.exports = environments
