import fs from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { resolve } from './imports.mjs'

/** The imports of each file, read once per version of the file. */
const known = new Map()

function importsOf(file, root) {
  const version = fs.statSync(file).mtimeMs
  const entry = known.get(file)
  if (entry?.version === version) return entry.imports
  const source = ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest)
  const imports = []
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) continue
    const { moduleSpecifier } = statement
    if (!moduleSpecifier || !ts.isStringLiteral(moduleSpecifier)) continue
    const target = resolve(moduleSpecifier.text, file, root)
    if (target.kind === 'file' && target.file.endsWith('.ts'))
      imports.push({ file: target.file, typeOnly: isTypeOnly(statement) })
  }
  known.set(file, { version, imports })
  return imports
}

function isTypeOnly(statement) {
  if (ts.isExportDeclaration(statement)) {
    const names =
      statement.exportClause && ts.isNamedExports(statement.exportClause) && statement.exportClause.elements
    return statement.isTypeOnly || Boolean(names && names.length > 0 && names.every(one => one.isTypeOnly))
  }
  const clause = statement.importClause
  if (!clause) return false
  if (clause.isTypeOnly) return true
  const names =
    clause.namedBindings && ts.isNamedImports(clause.namedBindings) && clause.namedBindings.elements
  return !clause.name && Boolean(names && names.length > 0 && names.every(one => one.isTypeOnly))
}

/** The shortest way from `file` back to itself; undefined where there is none. */
export function circleOf(file, root, types) {
  const cameFrom = new Map()
  const queue = [file]
  for (const at of queue) {
    for (const { file: next, typeOnly } of importsOf(at, root)) {
      if (typeOnly && !types) continue
      if (next === file) return way(at, cameFrom, file)
      if (cameFrom.has(next)) continue
      cameFrom.set(next, at)
      queue.push(next)
    }
  }
  return undefined
}

function way(last, cameFrom, file) {
  const steps = [file]
  for (let at = last; at !== file; at = cameFrom.get(at)) steps.push(at)
  return [file, ...steps.slice(1).reverse(), file]
}

/**
 * Imports that are there at run time must not lead back to the file: the load order would decide what works. With
 * `types`, imports of types neither: two nouns that need each other to be understood are one.
 */
export default {
  meta: {
    type: 'problem',
    docs: { description: 'no circular imports' },
    schema: [
      {
        type: 'object',
        properties: { root: { type: 'string' }, types: { type: 'boolean' } },
        additionalProperties: false
      }
    ],
    messages: { circle: 'Circular import: {{way}}' }
  },
  create(context) {
    const { root = context.cwd, types = false } = context.options[0] ?? {}
    if (!context.filename.endsWith('.ts') || !fs.existsSync(context.filename)) return {}
    return {
      Program(node) {
        const circle = circleOf(context.filename, root, types)
        if (!circle) return
        const names = circle.map(file => path.relative(root, file)).join(' → ')
        context.report({ node, loc: { line: 1, column: 0 }, messageId: 'circle', data: { way: names } })
      }
    }
  }
}
