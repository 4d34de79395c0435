import type { Scope } from './scope'
import type { ServerApi } from './server-api'

/**
 * The server as one module sees it. While it waits for the module manager, the manager does not wait for it: a
 * module may ask for its own reload.
 */
export function askingServer(server: ServerApi, scope: Scope): ServerApi {
  const own = askingParts(server, scope)
  const bound = new Map<PropertyKey, unknown>()
  return new Proxy(server, {
    get(_, key) {
      if (key === 'modules' || key === 'config') return own[key]
      const known = bound.get(key)
      if (known !== undefined) return known
      const value: unknown = Reflect.get(server, key, server)
      if (typeof value !== 'function') return value
      // A method of a class with private fields must not see the proxy as `this`
      const method: unknown = value.bind(server)
      bound.set(key, method)
      return method
    }
  })
}

function askingParts({ modules, config }: ServerApi, scope: Scope): Pick<ServerApi, 'modules' | 'config'> {
  // The module's own event is accounted for by `asking`; another module's handler may be waiting for this one
  const others = <E extends { owner?: unknown }>(by: E | undefined): E | undefined =>
    by?.owner === scope ? undefined : by
  return {
    modules: {
      list: () => modules.list(),
      options: (name, host) => modules.options(name, host),
      checkOptions: (name, text, host) => modules.checkOptions(name, text, host),
      load: (name, host) => scope.work.asking(modules.load(name, host)),
      unload: (name, host, by) => scope.work.asking(modules.unload(name, host, others(by))),
      reload: (name, by) => scope.work.asking(modules.reload(name, others(by)))
    },
    config: {
      reload: by => scope.work.asking(config.reload(others(by))),
      check: () => config.check()
    }
  }
}
