import assert from 'node:assert/strict'
import test from 'node:test'
import { MAX_COMBINATIONS, Metrics } from '../../core/metrics'

async function values(metrics: Metrics): Promise<string[]> {
  const text = await metrics.text()
  return text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
}

test('counters, gauges and histograms come out in the text format', async () => {
  const metrics = new Metrics()
  const stanzas = metrics.counter('stanzas_total', 'Stanzas received', ['kind', 'from'])
  stanzas.with('message', 'c2s').inc()
  stanzas.with('message', 'c2s').inc(2)
  stanzas.with('iq', 's"2\\s\n').inc()
  metrics.counter('plain_total', 'Plain').inc(5)
  const gauge = metrics.gauge('sessions', 'Sessions')
  gauge.set(4)
  gauge.inc()
  gauge.dec(3)
  const seconds = metrics.histogram('handler_seconds', 'Handlers', { buckets: [0.1, 1] })
  seconds.observe(0.05)
  seconds.observe(5)
  metrics
    .histogram('wait_seconds', 'Waits', { buckets: [1], labels: ['queue'] })
    .with('a')
    .observe(0.5)

  assert.deepEqual(await values(metrics), [
    'balcony_stanzas_total{kind="message",from="c2s"} 3',
    'balcony_stanzas_total{kind="iq",from="s\\"2\\\\s\\n"} 1',
    'balcony_plain_total 5',
    'balcony_sessions 2',
    'balcony_handler_seconds_bucket{le="0.1"} 1',
    'balcony_handler_seconds_bucket{le="1"} 1',
    'balcony_handler_seconds_bucket{le="+Inf"} 2',
    'balcony_handler_seconds_sum 5.05',
    'balcony_handler_seconds_count 2',
    'balcony_wait_seconds_bucket{le="1",queue="a"} 1',
    'balcony_wait_seconds_bucket{le="+Inf",queue="a"} 1',
    'balcony_wait_seconds_sum{queue="a"} 0.5',
    'balcony_wait_seconds_count{queue="a"} 1'
  ])
  // Asking twice counts nothing twice
  assert.equal((await values(metrics))[0], 'balcony_stanzas_total{kind="message",from="c2s"} 3')
  assert.match(await metrics.text(), /# HELP balcony_plain_total Plain\n# TYPE balcony_plain_total counter/)
  assert.match(metrics.contentType, /^text\/plain/)
})

test('asking again gives the same metric, asking otherwise is an error', async () => {
  const metrics = new Metrics()
  metrics.counter('a_total', 'A').inc()
  metrics.counter('a_total', 'A').inc()
  assert.deepEqual(await values(metrics), ['balcony_a_total 2'])
  for (const wrong of [
    () => metrics.gauge('a_total', 'A'),
    () => metrics.counter('a_total', 'A', ['x']),
    () => metrics.measure('a_total', 'A', () => 1)
  ]) {
    assert.throws(wrong, { code: 'ERR_METRIC' })
  }
})

test('two servers in a process have metrics of their own', async () => {
  const [one, two] = [new Metrics(), new Metrics()]
  one.counter('a_total', 'A').inc()
  two.counter('a_total', 'A').inc(7)
  assert.deepEqual(await values(one), ['balcony_a_total 1'])
  assert.deepEqual(await values(two), ['balcony_a_total 7'])
})

test('labels of strangers do not fill the memory', async () => {
  const metrics = new Metrics()
  const counter = metrics.counter('domains_total', 'Domains', ['domain', 'kind'])
  for (let i = 0; i < MAX_COMBINATIONS * 3; i++) counter.with(`d${i}.example`, 'x').inc()
  counter.with('d0.example', 'x').inc()
  const lines = await values(metrics)
  assert.equal(lines.length, MAX_COMBINATIONS + 1)
  assert.ok(lines.includes(`balcony_domains_total{domain="other",kind="other"} ${MAX_COMBINATIONS * 2}`))
  assert.ok(lines.includes('balcony_domains_total{domain="d0.example",kind="x"} 2'))
})

test('a measure is read when asked, until it ends', async () => {
  const metrics = new Metrics()
  let n = 1
  const end = metrics.measure('queue_stanzas', 'Waiting', () => n)
  assert.deepEqual(await values(metrics), ['balcony_queue_stanzas 1'])
  n = 2
  assert.deepEqual(await values(metrics), ['balcony_queue_stanzas 2'])
  // The next version of a module takes over before the old one ends
  const endNext = metrics.measure('queue_stanzas', 'Waiting', () => 9)
  end()
  assert.deepEqual(await values(metrics), ['balcony_queue_stanzas 9'])
  endNext()
  assert.deepEqual(await values(metrics), [])
})

test('a measure that fails takes nothing with it, and odd numbers are zero', async () => {
  const metrics = new Metrics()
  metrics.measure('broken', 'Broken', () => {
    throw new Error('no')
  })
  metrics.measure('odd', 'Odd', () => NaN)
  metrics.gauge('set', 'Set').set(Infinity)
  assert.deepEqual(await values(metrics), ['balcony_broken 0', 'balcony_odd 0', 'balcony_set 0'])
})
