import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Database } from '../storage'

const SECRET_BYTES = 32

/** A random secret of this installation, made once and kept in the database. */
export async function installationSecret(db: Database, name: string): Promise<Buffer> {
  const secrets = db.store('', 'core', 'secrets', z.string())
  const made = randomBytes(SECRET_BYTES).toString('base64')
  const kept = await secrets.update(name, old => old ?? made)
  return Buffer.from(kept as string, 'base64') // `update` has just kept one
}
