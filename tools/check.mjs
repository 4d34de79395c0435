#!/usr/bin/env node
/*
 * All that `npm test` asks: lint, types and format side by side, then the tests. Every step runs, whatever the
 * others say; the exit code is 0 only when all are good. Arguments go to the tests (see test/run.mjs).
 */
import { spawn } from 'node:child_process'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const bin = (name, file) => path.join(root, 'node_modules', name, file)
const failed = []

const STEPS = {
  lint: [bin('eslint', 'bin/eslint.js'), '.', '--max-warnings=0'],
  types: [bin('typescript', 'bin/tsc'), '--project', '.', '--noEmit'],
  format: [bin('prettier', 'bin/prettier.cjs'), '--check', '--log-level=warn', '.']
}

function run(args, stdio) {
  return new Promise(resolve => {
    const child = spawn(process.execPath, args, { cwd: root, stdio })
    let output = ''
    child.stdout?.on('data', chunk => (output += chunk))
    child.stderr?.on('data', chunk => (output += chunk))
    child.on('close', code => resolve({ code, output }))
  })
}

async function step(name) {
  const started = performance.now()
  const { code, output } = await run(STEPS[name], ['ignore', 'pipe', 'pipe'])
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${code === 0 ? '✓' : '✗'} ${name} (${seconds} s)`)
  if (code === 0) return
  failed.push(name)
  console.log(output.trimEnd().replace(/^(?=.)/gm, '    '))
}

await Promise.all([step('lint'), step('types').then(() => step('format'))])
const tests = await run([path.join(root, 'test/run.mjs'), ...process.argv.slice(2)], 'inherit')
if (failed.length > 0) console.error(`Besides the tests: ${failed.join(', ')} failed, see above.`)
process.exitCode = failed.length > 0 || tests.code !== 0 ? 1 : 0
