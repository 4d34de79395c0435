import type { Dialect, MigrationReport, Reader, Releasable, Unit } from './types'

/** What differs between the databases; all else is built on it. */
export interface Engine {
  readonly dialect: Dialect
  readonly read: Reader
  readonly wide: Reader
  write<T>(unit: Unit<T>, sender?: Releasable): Promise<T>
  migrate(owner: string, folder: string): Promise<MigrationReport>
  integrityCheck(): Promise<string[]>
  /** Called once; after it nothing else is called. */
  close(): Promise<void>
}
