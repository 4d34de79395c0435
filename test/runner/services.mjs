import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const require = createRequire(import.meta.url)

/** What of the harness makes databases. */
const MAKES_DATABASES = /lib\/databases'|MariaDB/

/**
 * What the test files share: one private MariaDB, where it is installed and one of the files may ask for it. Resolves
 * with the environment that tells them (see test/lib/databases.ts), and with what ends it.
 */
export async function startServices(files, root) {
  const nothing = { env: {}, stop: async () => {} }
  if (process.env.BALCONY_TEST_MYSQL) return nothing
  if (!files.some(file => MAKES_DATABASES.test(fs.readFileSync(path.join(root, file), 'utf8'))))
    return nothing
  require('../../bin/register.js')
  const { mariadbMissing, startMariadb } = require('../lib/mariadb.ts')
  if (mariadbMissing()) return nothing
  const { socket, stop } = await startMariadb()
  let stopped
  return { env: { BALCONY_TEST_MYSQL: socket }, stop: () => (stopped ??= stop()) }
}
