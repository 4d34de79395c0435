import { z } from 'zod'

const sqlite = z.strictObject({
  driver: z.literal('sqlite').default('sqlite').describe('SQLite: nothing to install'),
  path: z
    .string()
    .min(1)
    .default('data/balcony.sqlite')
    .describe('The database file; its folder is made when it is missing'),
  durability: z
    .enum(['full', 'normal'])
    .default('full')
    .describe(
      'full: what was acknowledged survives a power cut; normal: the last moments may be lost then, nothing is torn'
    )
})

const mysql = z.strictObject({
  driver: z.literal('mysql').describe('MySQL 8.0.17 or MariaDB 10.2, at least'),
  host: z.string().min(1).default('127.0.0.1').describe('Where the database server listens'),
  port: z.int().min(1).max(65535).default(3306).describe('Its TCP port'),
  socket: z.string().min(1).optional().describe('Path of its Unix socket, instead of host and port'),
  user: z.string().min(1).describe('Who logs in there'),
  password: z.string().default('').describe('The password; take it from the environment'),
  database: z.string().min(1).describe('The database; it must exist'),
  pool: z.int().min(2).max(200).default(10).describe('Connections at most')
})

/** The `storage` section of the config. */
export const storageSchema = z.preprocess(
  value =>
    typeof value === 'object' && value !== null && !('driver' in value)
      ? { driver: 'sqlite', ...value }
      : value,
  z.discriminatedUnion('driver', [sqlite, mysql])
)
