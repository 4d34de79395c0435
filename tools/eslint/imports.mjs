import fs from 'node:fs'
import { builtinModules } from 'node:module'
import path from 'node:path'

const BUILTINS = new Set(builtinModules)

/**
 * What an import specifier means in a file: `{ kind: 'file', file }` for one of the repository,
 * `{ kind: 'builtin', name }`, `{ kind: 'package', name }`, or `{ kind: 'missing' }`.
 */
export function resolve(specifier, from, root) {
  if (specifier === '#core') return { kind: 'file', file: path.join(root, 'core', 'index.ts'), face: true }
  if (specifier.startsWith('.')) {
    const file = findFile(path.resolve(path.dirname(from), specifier))
    return file ? { kind: 'file', file } : { kind: 'missing' }
  }
  if (specifier.startsWith('node:')) return { kind: 'builtin', name: specifier.slice(5) }
  if (BUILTINS.has(specifier)) return { kind: 'builtin', name: specifier }
  const parts = specifier.split('/')
  return { kind: 'package', name: specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0] }
}

function findFile(base) {
  for (const candidate of [base, `${base}.ts`, path.join(base, 'index.ts'), `${base}.js`, `${base}.mjs`])
    if (fs.statSync(candidate, { throwIfNoEntry: false })?.isFile()) return candidate
  return undefined
}

/**
 * Listeners for an ESLint rule: calls `visit(node, specifier, typeOnly)` for every way a file names another:
 * import, export from, import(), require(), import('...') types, import x = require().
 */
export function importListeners(visit) {
  return {
    ImportDeclaration(node) {
      visit(node, node.source.value, isTypeImport(node))
    },
    ExportNamedDeclaration(node) {
      if (node.source) visit(node, node.source.value, isTypeExport(node))
    },
    ExportAllDeclaration(node) {
      visit(node, node.source.value, node.exportKind === 'type')
    },
    ImportExpression(node) {
      if (node.source.type === 'Literal') visit(node, String(node.source.value), false)
    },
    TSImportType(node) {
      const source = node.source ?? node.argument?.literal
      if (source?.type === 'Literal') visit(node, String(source.value), true)
    },
    TSExternalModuleReference(node) {
      if (node.expression.type === 'Literal') visit(node, String(node.expression.value), false)
    },
    CallExpression(node) {
      const [first] = node.arguments
      if (node.callee.type === 'Identifier' && node.callee.name === 'require' && first?.type === 'Literal')
        visit(node, String(first.value), false)
    }
  }
}

/** Sucrase drops a whole import whose names are all types, so nothing of it is left at run time. */
function isTypeImport(node) {
  if (node.importKind === 'type') return true
  return node.specifiers.length > 0 && node.specifiers.every(one => one.importKind === 'type')
}

function isTypeExport(node) {
  if (node.exportKind === 'type') return true
  return node.specifiers.length > 0 && node.specifiers.every(one => one.exportKind === 'type')
}
