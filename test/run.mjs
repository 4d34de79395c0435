#!/usr/bin/env node
/*
 * Runs the test files below test/ (or below the folders of --in), each in a process of its own.
 *
 *   node test/run.mjs [options] [PART...]      only files with a PART in their path
 *     --name PATTERN       only tests whose name matches
 *     --jobs N             how many at a time (default: one per core)
 *     --limit SECONDS      time limit for each file, whatever its head says
 *     --verbose            names every test, prints what the tests print
 *
 * The last line is 'N passed, N failed, N skipped'; the exit code is 0 only when something passed and nothing
 * failed.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { endGroup, runFile, timeLimitOf } from './runner/file.mjs'
import { startServices } from './runner/services.mjs'

const root = path.resolve(import.meta.dirname, '..')
const running = new Set()

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string' },
    jobs: { type: 'string' },
    limit: { type: 'string' },
    verbose: { type: 'boolean' },
    // Where test files are looked for, for the test of this script.
    in: { type: 'string', multiple: true }
  }
})

function* testFiles(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory() && entry.name !== 'node_modules') yield* testFiles(file)
    else if (entry.name.endsWith('.test.ts') || entry.name.endsWith('.test.mjs')) yield file
  }
}

function chooseFiles() {
  const folders = options.in ?? ['test', 'bench/test']
  const all = folders
    .map(folder => path.resolve(root, folder))
    .filter(folder => fs.existsSync(folder))
    .flatMap(folder => [...testFiles(folder)])
    .map(file => path.relative(root, file))
  const chosen =
    positionals.length === 0 ? all : all.filter(file => positionals.some(part => file.includes(part)))
  // What may take long starts first, so that the end is not spent waiting for it.
  return chosen
    .map(file => ({ file, limit: timeLimitOf(path.join(root, file)) }))
    .sort((a, b) => b.limit - a.limit || (a.file < b.file ? -1 : 1))
}

function print(result) {
  const failed = result.tests.filter(one => !one.ok)
  const good = failed.length === 0 && result.faults.length === 0
  console.log(
    `${good ? '✓' : '✗'} ${result.file} (${counted(result.tests.length)}, ${result.seconds.toFixed(1)} s)`
  )
  if (options.verbose)
    for (const one of result.tests)
      console.log(`    ${one.ok ? '✓' : '✗'} ${one.name}${one.skip ? ' (skipped)' : ''}`)
  for (const one of failed) console.log(indent(`✗ ${one.name}\n${indent(one.error ?? '')}`))
  for (const fault of result.faults) console.log(indent(`✗ ${fault}`))
  if (result.output.trim() && (!good || options.verbose))
    console.log(indent(`what it printed:\n${indent(result.output)}`))
}

const counted = n => `${n} test${n === 1 ? '' : 's'}`
const indent = text => text.replace(/^(?=.)/gm, '    ')

/** The tests that did not run, by reason. */
function printSkipped(results) {
  const reasons = new Map()
  for (const result of results)
    for (const one of result.tests) {
      const reason = one.skip ?? (one.todo === undefined ? undefined : `still to do: ${one.todo}`)
      if (reason === undefined) continue
      if (!reasons.has(reason)) reasons.set(reason, [])
      reasons.get(reason).push(`${result.file}: ${one.name}`)
    }
  for (const [reason, tests] of reasons) {
    console.log(`\nskipped, ${reason}:`)
    for (const name of tests) console.log(`    ${name}`)
  }
}

async function main() {
  const started = performance.now()
  const files = chooseFiles()
  const jobs = Math.max(1, Number(options.jobs ?? os.availableParallelism()))
  const services = await startServices(
    files.map(one => one.file),
    root
  )
  const results = []
  const stop = signal => {
    for (const child of running) endGroup(child)
    void Promise.resolve(services.stop()).then(() => process.exit(signal === 'SIGINT' ? 130 : 143))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)

  const queue = [...files]
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const limit = options.limit ? Number(options.limit) : next.limit
      // A test process reports to us, also when we were started by a test ourselves.
      const env = { ...process.env, ...services.env, NODE_TEST_CONTEXT: undefined }
      const result = await runFile(next.file, { root, env, limit, names: options.name, running })
      results.push(result)
      if (!options.name || result.tests.length > 0 || result.faults.length > 0) print(result)
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  await services.stop()
  process.exitCode = summarise(results, (performance.now() - started) / 1000)
}

function summarise(results, seconds) {
  printSkipped(results)
  const tests = results.flatMap(result => result.tests)
  const faulty = results.filter(result => result.faults.length > 0)
  const skipped = tests.filter(one => one.skip !== undefined || one.todo !== undefined).length
  const failed = tests.filter(one => !one.ok).length + faulty.length
  const passed = tests.length - skipped - tests.filter(one => !one.ok).length
  const broken = results.filter(result => result.faults.length > 0 || result.tests.some(one => !one.ok))
  if (broken.length > 0) console.log(`\nfailed:\n${indent(broken.map(result => result.file).join('\n'))}`)
  if (passed + failed === 0) console.log('\nNo test ran.')
  console.log(`\n${counted(tests.length)} in ${seconds.toFixed(1)} s`)
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  return failed > 0 || passed === 0 ? 1 : 0
}

await main()
