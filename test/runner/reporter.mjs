import { inspect } from 'node:util'

/*
 * A reporter of node:test that writes one JSON line per finished test, for test/run.mjs:
 * { name, ok, ms, skip?, todo?, error? }. Suites and tests that only fail because one of their subtests did are
 * left out: what is counted are tests that ran and judged something.
 */
export default async function* reporter(events) {
  const names = []
  for await (const { type, data } of events) {
    if (type === 'test:start') {
      names.length = data.nesting
      names.push(data.name)
    } else if (type === 'test:pass' || type === 'test:fail') {
      const line = lineOf(type === 'test:pass', data, names.slice(0, data.nesting))
      if (line) yield `${JSON.stringify(line)}\n`
    }
  }
}

function lineOf(ok, data, parents) {
  const { error, type, duration_ms } = data.details
  if (type === 'suite' && (ok || error?.failureType === 'subtestsFailed')) return undefined
  if (!ok && error?.failureType === 'subtestsFailed') return undefined
  if (data.skip === 'test name does not match pattern') return undefined
  return {
    name: [...parents, data.name].join(' › '),
    ok: ok || data.todo !== undefined,
    ms: Math.round(duration_ms),
    skip: data.skip === true ? 'no reason given' : data.skip,
    todo: data.todo === true ? 'no reason given' : data.todo,
    error: ok ? undefined : describe(error)
  }
}

function describe(error) {
  const cause = error?.code === 'ERR_TEST_FAILURE' ? (error.cause ?? error) : error
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause)
  return text
    .split('\n')
    .filter(line => !/^\s+at .*\(?node:(internal|async_hooks)\b/.test(line))
    .join('\n')
}
