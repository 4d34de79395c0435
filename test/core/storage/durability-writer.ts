import { writeSync } from 'node:fs'
import { nameHash, openDatabase, type StorageOptions } from '../../../core/storage'
import { itemStatements } from './items'

/** Writes units of two rows, twenty at a time, and says each to standard output once it is acknowledged. */
async function main(): Promise<void> {
  const [options = '', round = ''] = process.argv.slice(2)
  const quiet = (): void => {}
  const log = { debug: quiet, info: quiet, warn: console.error, error: console.error }
  const database = await openDatabase(JSON.parse(options) as StorageOptions, log)
  const sql = itemStatements(database)
  const node = `node ${round}`
  const { lastId: nodeId } = await database.write(tx => tx.run(sql.addNode, { node, hash: nameHash(node) }))
  let next = 0
  const writeForEver = async (): Promise<never> => {
    for (;;) {
      const name = `r${round}-${next++}`
      await database.write(async tx => {
        await tx.run(sql.addItem, { nodeId, name, payload: 'x'.repeat(500), published: 1 })
        await tx.run(sql.addItem, { nodeId, name: `${name}b`, payload: null, published: 2 })
      })
      // Not through a stream: a line that is said has left the process.
      writeSync(1, `${name}\n`)
    }
  }
  await Promise.all(Array.from({ length: 20 }, writeForEver))
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
