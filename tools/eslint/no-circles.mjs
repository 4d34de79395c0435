import fs from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { resolve } from './imports.mjs'

/** The imports of a file that are there at run time, read once per version of the file. */
const known = new Map()

function valueImports(file, root) {
  const version = fs.statSync(file).mtimeMs
  const entry = known.get(file)
  if (entry?.version === version) return entry.imports
  const source = ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest)
  const imports = []
  for (const statement of source.statements) {
    const specifier = valueSpecifier(statement)
    if (specifier === undefined) continue
    const target = resolve(specifier, file, root)
    if (target.kind === 'file' && target.file.endsWith('.ts')) imports.push(target.file)
  }
  known.set(file, { version, imports })
  return imports
}

function valueSpecifier(statement) {
  if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return undefined
  const { moduleSpecifier } = statement
  if (!moduleSpecifier || !ts.isStringLiteral(moduleSpecifier) || isTypeOnly(statement)) return undefined
  return moduleSpecifier.text
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

/** The shortest way from `file` back to itself over value imports; undefined where there is none. */
export function circleOf(file, root) {
  const cameFrom = new Map()
  const queue = [file]
  for (const at of queue) {
    for (const next of valueImports(at, root)) {
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

/** Imports that are there at run time must not lead back to the file: the load order would decide what works. */
export default {
  meta: {
    type: 'problem',
    docs: { description: 'no circular imports of values' },
    schema: [{ type: 'object', properties: { root: { type: 'string' } }, additionalProperties: false }],
    messages: { circle: 'Circular import: {{way}}' }
  },
  create(context) {
    const root = context.options[0]?.root ?? context.cwd
    if (!context.filename.endsWith('.ts') || !fs.existsSync(context.filename)) return {}
    return {
      Program(node) {
        const circle = circleOf(context.filename, root)
        if (!circle) return
        const names = circle.map(file => path.relative(root, file)).join(' → ')
        context.report({ node, loc: { line: 1, column: 0 }, messageId: 'circle', data: { way: names } })
      }
    }
  }
}
