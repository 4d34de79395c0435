/**
 * A deep copy of plain data: what one version of a module hands to the next. Throws a TypeError that names the
 * place of anything else, because a function, or an object with methods, would bring the old version's code along.
 */
export function plain(value: unknown): unknown {
  return copy(value, 'the saved state', new Map())
}

function copy(value: unknown, path: string, seen: Map<object, unknown>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw notPlain(path, `a ${typeof value}`)
  if (typeof value !== 'object' || value === null) return value
  const known = seen.get(value)
  if (known !== undefined) return known
  if (Array.isArray(value)) return copyArray(value, path, seen)
  if (value instanceof Map) return copyMap(value, path, seen)
  if (value instanceof Set) return copySet(value, path, seen)
  if (value instanceof Date || ArrayBuffer.isView(value)) return structuredClone(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw notPlain(path, `an object of the class ${value.constructor.name}`)
  }
  return copyObject(value, path, seen)
}

function copyObject(value: object, path: string, seen: Map<object, unknown>): unknown {
  const made: Record<string, unknown> = {}
  seen.set(value, made)
  for (const [key, one] of Object.entries(value)) {
    const copied = copy(one, `${path}.${key}`, seen)
    // Assigning to this key would set the prototype
    if (key === '__proto__')
      Object.defineProperty(made, key, {
        value: copied,
        enumerable: true,
        writable: true,
        configurable: true
      })
    else made[key] = copied
  }
  return made
}

function copyArray(value: readonly unknown[], path: string, seen: Map<object, unknown>): unknown {
  const made: unknown[] = []
  seen.set(value, made)
  for (let i = 0; i < value.length; i++) made.push(copy(value[i], `${path}[${i}]`, seen))
  return made
}

function copyMap(value: ReadonlyMap<unknown, unknown>, path: string, seen: Map<object, unknown>): unknown {
  const made = new Map<unknown, unknown>()
  seen.set(value, made)
  for (const [key, one] of value)
    made.set(copy(key, `a key of ${path}`, seen), copy(one, `${path}[${String(key)}]`, seen))
  return made
}

function copySet(value: ReadonlySet<unknown>, path: string, seen: Map<object, unknown>): unknown {
  const made = new Set<unknown>()
  seen.set(value, made)
  for (const one of value) made.add(copy(one, `an entry of ${path}`, seen))
  return made
}

function notPlain(path: string, what: string): TypeError {
  return new TypeError(`${path} must be plain data, it is ${what}`)
}
