import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const REPORTER = path.join(import.meta.dirname, 'reporter.mjs')
const REGISTER = path.join(import.meta.dirname, '../../bin/register.js')
const KEEP_OUTPUT = 64 * 1024

/** Seconds a test file may take: 120, or what a comment in its first lines says (`// time limit: 600 s`). */
export function timeLimitOf(file) {
  const head = fs.readFileSync(file, 'utf8').slice(0, 2000)
  const found = /^(?:\/\/|\s\*|\/\*) ?time limit: (\d+) s/im.exec(head)
  return found ? Number(found[1]) : 120
}

/**
 * Runs one test file in a process of its own and resolves with `{ file, tests, faults, seconds, output }`: the
 * lines of the reporter, and what went wrong beside the tests. `running` holds the processes under way.
 */
export async function runFile(file, { root, env, limit, names, running }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-run-'))
  const report = path.join(folder, 'report')
  const args = ['--require', REGISTER, `--test-reporter=${REPORTER}`, `--test-reporter-destination=${report}`]
  if (names) args.push(`--test-name-pattern=${names}`)
  const started = performance.now()
  try {
    const end = await finished([...args, path.join(root, file)], { root, env, limit, running })
    const tests = readReport(report)
    const seconds = (performance.now() - started) / 1000
    return { file, tests, faults: faultsOf(end, tests, limit, names), seconds, output: end.output }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** The process leads a group of its own, so that what a hanging test started ends with it. */
function finished(args, { root, env, limit, running }) {
  return new Promise(resolve => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe']
    })
    running.add(child)
    let output = ''
    const keep = chunk => {
      output = (output + chunk).slice(-KEEP_OUTPUT)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    let late = false
    const timer = setTimeout(() => {
      late = true
      endGroup(child)
    }, limit * 1000)
    child.on('error', error => keep(String(error)))
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      running.delete(child)
      resolve({ code, signal, late, output })
    })
  })
}

/** Ends a test process and everything it started. */
export function endGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    child.kill('SIGKILL')
  }
}

function readReport(report) {
  if (!fs.existsSync(report)) return []
  const lines = fs.readFileSync(report, 'utf8').split('\n')
  // A process that was killed may leave half a line.
  return lines.filter(line => line.endsWith('}')).map(line => JSON.parse(line))
}

function faultsOf(end, tests, limit, names) {
  if (end.late)
    return [`not finished after ${limit} s (say '// time limit: N s' in its head if it needs longer)`]
  if (end.signal) return [`the process was ended by ${end.signal}`]
  if (end.code !== 0 && tests.every(one => one.ok)) return [`the process ended with code ${end.code}`]
  if (tests.length === 0 && !names) return ['it holds no test that ran']
  return []
}
