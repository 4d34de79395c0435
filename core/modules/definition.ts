import { didYouMean } from '../config/suggest'
import { CodedError } from '../errors'
import type { ModuleDefinition, Scope } from './contract'
import { refuseMisspelt } from './events'

const SCOPES: readonly Scope[] = ['server', 'virtual', 'component']

/** Checks what a module's index.ts exports. Throws `ERR_MODULE_DEFINITION`, which tells everything that is wrong. */
export function definitionOf(exported: unknown, name: string, file: string): ModuleDefinition {
  const found = (exported as { default?: unknown } | null | undefined)?.default
  if (!isObject(found)) throw wrong(file, ['its default export must be what defineModule() returns'])
  const faults = [...faultsOf(found, name)]
  if (faults.length > 0) throw wrong(file, faults)
  return found as unknown as ModuleDefinition
}

const KEYS: readonly string[] = [
  'name',
  'description',
  'on',
  'config',
  'dependencies',
  'after',
  'guards',
  'advise',
  'setup'
] satisfies (keyof ModuleDefinition)[]

function* faultsOf(module: Partial<Record<keyof ModuleDefinition, unknown>>, name: string): Iterable<string> {
  if (module.name !== name)
    yield `its name is '${String(module.name)}', its folder says '${name}': they must be equal`
  if (typeof module.description !== 'string' || module.description === '')
    yield 'description must be one line of text'
  if (
    !isList(module.on) ||
    module.on.length === 0 ||
    !module.on.every(one => SCOPES.includes(one as Scope))
  ) {
    yield `on must list where it runs: ${SCOPES.map(scope => `'${scope}'`).join(', ')}`
  }
  if (!isSchema(module.config)) yield 'config must be a zod schema, z.object({}) when there are no options'
  if (typeof module.setup !== 'function') yield 'setup must be a function'
  if (module.advise !== undefined && typeof module.advise !== 'function') yield 'advise must be a function'
  for (const key of Object.keys(module)) {
    if (!KEYS.includes(key)) yield `a definition has no '${key}'${didYouMean(key, KEYS)}`
  }
  for (const key of ['dependencies', 'after', 'guards'] as const) {
    if (module[key] !== undefined && !isList(module[key])) yield `${key} must be a list of names`
  }
  // An event that nobody raises would guard nothing
  for (const event of isList(module.guards) ? module.guards : []) yield* misspelt(event)
}

function* misspelt(event: string): Iterable<string> {
  try {
    refuseMisspelt(event, [])
  } catch (error) {
    yield `guards: ${(error as CodedError).message}`
  }
}

function wrong(file: string, faults: string[]): CodedError {
  return new CodedError('ERR_MODULE_DEFINITION', `${file}: ${faults.join('; ')}`)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(one => typeof one === 'string')
}

/** By shape: a module may bring a zod of its own. */
function isSchema(value: unknown): boolean {
  return (
    isObject(value) && '_zod' in value && typeof (value as { safeParse?: unknown }).safeParse === 'function'
  )
}
