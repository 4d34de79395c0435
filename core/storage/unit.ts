import { CodedError } from '../errors'
import type { StorageLog } from './types'

/** Milliseconds for which a unit may wait for something that is not its transaction. */
export const UNIT_TIMEOUT = 5000

/** The function that was given to `write`, so that a person finds it. */
export function describeUnit(unit: (...args: never[]) => unknown): string {
  const text = String(unit).replaceAll(/\s+/g, ' ')
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}

export function unitOverdue(unit: (...args: never[]) => unknown, timeout: number): CodedError {
  return new CodedError(
    'ERR_STORAGE_UNIT_OVERDUE',
    `A unit of writing has waited ${timeout} ms for something that is not its transaction and was undone.` +
      ` Await nothing else inside it, no request and no other write. The unit: ${describeUnit(unit)}`
  )
}

export function unitOver(): CodedError {
  return new CodedError(
    'ERR_STORAGE_UNIT_OVER',
    'The transaction was used after its unit had ended: is an `await` missing in the unit?'
  )
}

export function storageClosed(): CodedError {
  return new CodedError('ERR_STORAGE_CLOSED', 'The database is closed')
}

/** Calls back what a unit left for after its commit. */
export function runHooks(hooks: readonly (() => void)[] | undefined, log: StorageLog): void {
  for (const hook of hooks ?? []) {
    try {
      hook()
    } catch (error) {
      log.error({ err: error }, 'What was to follow a commit failed')
    }
  }
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}
