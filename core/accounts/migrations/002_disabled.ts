import type { MigrationContext } from '../../storage/types'

/** The accounts that are barred are few among many: they are counted and listed without reading the others. */
export async function up(db: MigrationContext): Promise<void> {
  await db.addIndex('accounts', 'accounts_disabled', ['host', 'disabled', 'id'])
}
