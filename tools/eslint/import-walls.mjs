import path from 'node:path'
import { placeOf } from './floors.mjs'
import { importListeners, resolve } from './imports.mjs'

/** Node's modules that reach outside the process: not for floor 1 and not for libraries. */
const IO = new Set([
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'fs',
  'http',
  'http2',
  'https',
  'inspector',
  'net',
  'readline',
  'repl',
  'sqlite',
  'tls',
  'worker_threads'
])
/** Parsers of addresses that happen to live in node:net. */
const PURE_NAMES = new Set(['isIP', 'isIPv4', 'isIPv6'])
const DATABASES = new Set(['knex', 'better-sqlite3', 'mysql2', 'libsql'])

/** Holds the walls of the house: who may import whom (docs/architecture.md). */
export default {
  meta: {
    type: 'problem',
    docs: {
      description: 'imports go down or sideways between the floors of core; modules see #core and libraries'
    },
    schema: [{ type: 'object', properties: { root: { type: 'string' } }, additionalProperties: false }],
    messages: {
      up: 'Floor {{from}} of core must not import floor {{to}} ({{target}}): imports go down or sideways.',
      noFloor: '{{file}} stands on no floor of core: name its folder in tools/eslint/floors.mjs.',
      face: 'Core does not import its own public face; import the file that defines what you need.',
      faceTooHigh: "Core's public face re-exports floors 1 to 3; {{target}} stands on floor 4.",
      coreModule: 'Core knows no module by name: it must not import {{target}}.',
      astray: "modules/ holds mod_NAME and lib_NAME only; '{{name}}' is neither.",
      notTheFace: "A module imports '#core', not {{target}}: export what is missing from core/index.ts.",
      otherModule:
        "Reach {{name}} by ctx.use('{{short}}'): of another module only types may be imported ('import type').",
      libUp: 'A library must not import a module ({{target}}), not even its types.',
      outside: 'Core and modules must not import {{target}}: it is not shipped with the server.',
      io: "'{{name}}' reaches outside the process: {{who}} is pure code.",
      database: "'{{name}}' is a database: {{who}} knows none.",
      missing: "'{{specifier}}' is no file of this repository."
    }
  },
  create(context) {
    const root = context.options[0]?.root ?? context.cwd
    const here = path.relative(root, context.filename)
    const place = placeOf(here)
    if (place.kind === 'other') return {}

    const listeners = importListeners((node, specifier, typeOnly) => {
      const target = resolve(specifier, context.filename, root)
      const found = judge(
        place,
        { ...target, specifier, typeOnly, pure: typeOnly || onlyPureNames(node) },
        root
      )
      if (found) context.report({ node, ...found })
    })
    if (place.kind === 'core' && place.floor === undefined)
      listeners.Program = node => context.report({ node, messageId: 'noFloor', data: { file: here } })
    if (place.kind === 'astray')
      listeners.Program = node => context.report({ node, messageId: 'astray', data: { name: place.name } })
    return listeners
  }
}

function onlyPureNames(node) {
  return node.type === 'ImportDeclaration' && node.specifiers.length > 0
    ? node.specifiers.every(one => one.type === 'ImportSpecifier' && PURE_NAMES.has(one.imported.name))
    : false
}

function judge(place, target, root) {
  if (target.kind === 'missing') return { messageId: 'missing', data: { specifier: target.specifier } }
  if (target.kind !== 'file') return judgeOutside(place, target)
  const file = path.relative(root, target.file)
  const to = placeOf(file)
  // npm ships it with every package; core takes its version from there
  if (file === 'package.json' && place.kind === 'core') return undefined
  if (to.kind === 'other') return { messageId: 'outside', data: { target: file } }
  if (place.kind === 'core' || place.kind === 'face') return judgeCore(place, to, file)
  return judgeModule(place, to, target, file)
}

function judgeOutside(place, target) {
  const who = place.kind === 'lib' ? 'a library' : place.floor === 1 ? 'floor 1 of core' : undefined
  if (!who || target.pure) return undefined
  if (target.kind === 'builtin' && IO.has(target.name.split('/')[0]))
    return { messageId: 'io', data: { name: target.name, who } }
  if (target.kind === 'package' && DATABASES.has(target.name))
    return { messageId: 'database', data: { name: target.name, who } }
  return undefined
}

function judgeCore(place, to, file) {
  if (to.kind === 'face') return { messageId: 'face' }
  if (to.kind !== 'core') return { messageId: 'coreModule', data: { target: file } }
  if (to.floor === undefined) return undefined
  if (place.kind === 'face')
    return to.floor > 3 ? { messageId: 'faceTooHigh', data: { target: file } } : undefined
  if (place.floor !== undefined && to.floor > place.floor)
    return { messageId: 'up', data: { from: place.floor, to: to.floor, target: file } }
  return undefined
}

function judgeModule(place, to, target, file) {
  if (to.kind === 'face') return target.face ? undefined : { messageId: 'notTheFace', data: { target: file } }
  if (to.kind === 'core') return { messageId: 'notTheFace', data: { target: file } }
  if (to.kind === 'lib' || to.name === place.name) return undefined
  if (place.kind === 'lib') return { messageId: 'libUp', data: { target: file } }
  if (target.typeOnly) return undefined
  return { messageId: 'otherModule', data: { name: to.name, short: to.name.replace(/^mod_/, '') } }
}
