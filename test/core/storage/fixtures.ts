import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'

const folders: string[] = []
after(() => folders.forEach(folder => fs.rmSync(folder, { recursive: true, force: true })))

/** A folder with these migrations: the body of `up`, by file name. Removed after the tests. */
export function migrationFolder(files: Record<string, string>): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-migrations-'))
  folders.push(folder)
  writeMigrations(folder, files)
  return folder
}

export function writeMigrations(folder: string, files: Record<string, string>): void {
  for (const [name, body] of Object.entries(files))
    fs.writeFileSync(
      path.join(folder, name),
      `import type { MigrationContext } from '#core'\nexport async function up(db: MigrationContext): Promise<void> {\n${body}\n}\n`
    )
}
