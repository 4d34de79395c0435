import path from 'node:path'

/*
 * Where a file of the house stands (docs/architecture.md). Imports go down or sideways, never up.
 */

/** The floors of core, by path below `core/`: a folder ends with a slash. */
const FLOORS = [
  [1, ['xml/', 'precis/', 'jid.ts', 'errors.ts']],
  [
    2,
    [
      'streams/',
      'net/',
      'storage/',
      'http/',
      'events/',
      'config/',
      'log.ts',
      'collapsed-log.ts',
      'metrics.ts'
    ]
  ],
  [3, ['hosts/', 'routing/', 'federation/', 'accounts/', 'modules/']],
  [4, ['server.ts', 'server/', 'cli/']]
]

/**
 * The place of a file, from its path below the repository's root:
 * - `{ kind: 'core', floor }`: floor is undefined for a file that the table does not name;
 * - `{ kind: 'face' }`: core/index.ts;
 * - `{ kind: 'module', name }` and `{ kind: 'lib', name }`: below modules/mod_NAME and modules/lib_NAME;
 * - `{ kind: 'other' }`: tests, tools, benchmarks, and whatever lies outside.
 */
export function placeOf(relative) {
  const parts = relative.split(path.sep).join('/').split('/')
  if (parts[0] === 'core') {
    if (parts.length === 2 && parts[1] === 'index.ts') return { kind: 'face' }
    return { kind: 'core', floor: floorOf(parts.slice(1).join('/')) }
  }
  if (parts[0] === 'modules' && parts.length > 2) {
    if (parts[1].startsWith('mod_')) return { kind: 'module', name: parts[1] }
    if (parts[1].startsWith('lib_')) return { kind: 'lib', name: parts[1] }
    return { kind: 'astray', name: parts[1] }
  }
  return { kind: 'other' }
}

function floorOf(below) {
  for (const [floor, names] of FLOORS)
    for (const name of names) if (name.endsWith('/') ? below.startsWith(name) : below === name) return floor
  return undefined
}
