import { isPromise } from '../events/hooks'
import { CodedError } from '../errors'
import type { Scope } from './scope'

/** What a module's setup returned. */
export type Api = Readonly<Record<string, unknown>>

/** A module that runs. */
export interface Running {
  readonly api: Api
  readonly scope: Scope
}

type Method = (...args: unknown[]) => unknown

/**
 * What `ctx.use` gives: an object whose every property is a function that looks the module up when it is called.
 * It holds on to nothing of that module. `name` is for the error, `caller` whose handle it is.
 */
export function makeHandle(name: string, find: () => Running | undefined, caller: Scope): object {
  const methods = new Map<string, Method>()
  return new Proxy(Object.freeze({}), {
    get(_, key) {
      // `await handle` asks for `then`
      if (typeof key === 'symbol' || key === 'then') return undefined
      if (key === 'available') return find() !== undefined
      let method = methods.get(key)
      if (!method) methods.set(key, (method = (...args) => call(name, key, find(), args, caller)))
      return method
    },
    has: (_, key) => key === 'available' || typeof find()?.api[String(key)] === 'function'
  })
}

function call(
  name: string,
  key: string,
  running: Running | undefined,
  args: unknown[],
  caller: Scope
): unknown {
  if (!running) throw new CodedError('ERR_MODULE_GONE', `${name} is not running`)
  const method = running.api[key]
  if (typeof method !== 'function')
    throw new CodedError('ERR_MODULE_API', `${name} offers no function '${key}'`)
  const result: unknown = (method as Method).apply(running.api, args)
  // Counted where it runs: the module is not taken away under a call
  return isPromise(result)
    ? caller.work.calling(running.scope.work.track(result), running.scope.work)
    : result
}
