import { CodedError } from '../../errors'
import type { MysqlOptions } from '../types'

export type MysqlError = Error & { code?: string; errno?: number; fatal?: boolean }

/** Another transaction, or a migration, was in the way and this one was undone: run it again. */
const RETRYABLE: ReadonlySet<string> = new Set([
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_CHECKREAD',
  'ER_NEED_REPREPARE'
])

/** Whether the unit may be run again. */
export function isRetryable(error: unknown): boolean {
  return RETRYABLE.has((error as MysqlError).code ?? '')
}

/** Why there is no connection, and what to do. */
export function connectError(options: MysqlOptions, error: MysqlError): CodedError {
  const where = options.socket ?? `${options.host ?? '127.0.0.1'}:${options.port ?? 3306}`
  const message = `Cannot use the MySQL database '${options.database}' at ${where}: ${error.message || (error.code ?? 'no answer')}; ${hint(options, error.code)}`
  return new CodedError('ERR_STORAGE_CONNECT', message, { cause: error })
}

function hint({ user, database }: MysqlOptions, code: string | undefined): string {
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
    case 'ETIMEDOUT':
      return 'is it running, and do storage.host, storage.port or storage.socket name it?'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'storage.host is not known'
    case 'ER_ACCESS_DENIED_ERROR':
    case 'ER_ACCESS_DENIED_NO_PASSWORD_ERROR':
      return 'check storage.user and storage.password'
    case 'ER_BAD_DB_ERROR':
      return `make it: CREATE DATABASE \`${database}\` CHARACTER SET utf8mb4`
    case 'ER_DBACCESS_DENIED_ERROR':
      return `allow it: GRANT ALL ON \`${database}\`.* TO '${user}'`
    default:
      return 'the server refuses to start without it'
  }
}

export function driverMissing(error: Error): CodedError {
  return new CodedError(
    'ERR_STORAGE_DRIVER',
    `storage.driver is 'mysql' and the package mysql2 cannot be loaded: run \`npm install mysql2\`, or choose 'sqlite'. (${error.message.split('\n')[0] ?? ''})`,
    { cause: error }
  )
}
