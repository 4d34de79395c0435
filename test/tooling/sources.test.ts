import test from 'node:test'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'

const ROOT = path.resolve(__dirname, '../..')
const FOLDERS = ['bench', 'bin', 'core', 'modules', 'test', 'tools']
/** This page and the tests of the rules have to name what they look for. */
const EXCEPT = ['test/tooling/sources.test.ts', 'test/tooling/lint-rules.test.ts']

function* sources(folder: string): Generator<string> {
  for (const entry of fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true })) {
    const file = `${folder}/${entry.name}`
    if (entry.isDirectory()) {
      if (!['node_modules', 'run', 'results'].includes(entry.name)) yield* sources(file)
    } else if (/\.(ts|js|mjs)$/.test(entry.name) && !EXCEPT.includes(file)) yield file
  }
}

/** Every line of the sources that the pattern matches, as `file:line: text`. */
function find(pattern: RegExp): string[] {
  const found: string[] = []
  for (const folder of FOLDERS)
    for (const file of sources(folder)) {
      const lines = fs.readFileSync(path.join(ROOT, file), 'utf8').split('\n')
      lines.forEach((line, index) => {
        if (pattern.test(line)) found.push(`${file}:${index + 1}: ${line.trim()}`)
      })
    }
  return found
}

test('the sources are found', () => {
  const all = FOLDERS.flatMap(folder => [...sources(folder)])
  assert.ok(all.includes('core/index.ts'), 'core/index.ts is not among the sources')
})

test('no comment switches off all lint rules, or the types of a file', () => {
  assert.deepEqual(find(/eslint-disable(-next-line|-line)?\s*(\*\/|--|$)/), [])
  assert.deepEqual(find(/@ts-nocheck|@ts-ignore/), [])
})

test('no test runs alone: .only would hide the others', () => {
  assert.deepEqual(find(/\b(test|it|describe|suite|t)\.only\(|\bonly: true\b/), [])
})

test('the lockfile names packages, not the hosts they came from', () => {
  const lock = fs.readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')
  assert.ok(lock.includes('"lockfileVersion"'))
  assert.doesNotMatch(lock, /"resolved": *"http/)
  assert.doesNotMatch(lock, /git\+|codeload\.github\.com|\.tar\.gz/)
})
