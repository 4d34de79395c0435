/*
 * @peculiar/x509 wants the metadata part of `reflect-metadata` for its own use of decorators. These are the
 * functions that it calls, without the global `Reflect.decorate` that would change how other code is built.
 */

type Key = string | symbol | undefined

const metadata = new WeakMap<object, Map<Key, Map<unknown, unknown>>>()

function of(target: object, property: Key): Map<unknown, unknown> {
  const properties = metadata.get(target) ?? new Map<Key, Map<unknown, unknown>>()
  metadata.set(target, properties)
  const values = properties.get(property) ?? new Map<unknown, unknown>()
  properties.set(property, values)
  return values
}

function getOwnMetadata(key: unknown, target: object, property?: Key): unknown {
  return metadata.get(target)?.get(property)?.get(key)
}

function getMetadata(key: unknown, target: object, property?: Key): unknown {
  for (let at: object | null = target; at; at = Object.getPrototypeOf(at) as object | null) {
    const value = getOwnMetadata(key, at, property)
    if (value !== undefined) return value
  }
  return undefined
}

function defineMetadata(key: unknown, value: unknown, target: object, property?: Key): void {
  of(target, property).set(key, value)
}

/** Lets @peculiar/x509 be loaded. Leaves alone what is there already. */
export function provideMetadata(): void {
  const known = Reflect as unknown as Record<string, unknown>
  known.getMetadata ??= getMetadata
  known.getOwnMetadata ??= getOwnMetadata
  known.defineMetadata ??= defineMetadata
  known.metadata ??= (key: unknown, value: unknown) => (target: object, property?: Key) =>
    defineMetadata(key, value, target, property)
}
