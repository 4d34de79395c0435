import { Counter as PromCounter, Gauge as PromGauge, Histogram as PromHistogram, Registry } from 'prom-client'
import { CodedError } from './errors'

/** Goes up only. */
export interface Counter {
  inc(by?: number): void
}

/** Goes up and down. */
export interface Gauge {
  inc(by?: number): void
  dec(by?: number): void
  set(value: number): void
}

/** Counts values into buckets. */
export interface Histogram {
  observe(value: number): void
}

/**
 * A metric with labels: `with` gives the one for certain values of them, in the order of their names. Where it is
 * hot it is called once and its result kept.
 */
export interface Labelled<M> {
  with(...values: string[]): M
}

/** Combinations of label values that a metric has at most: further ones are counted as `other`. */
export const MAX_COMBINATIONS = 1000

const PREFIX = 'balcony_'

/** Seconds, from what a handler takes to what its time limit allows. */
const SECONDS = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30]

type Kind = 'counter' | 'gauge' | 'histogram' | 'measure'

interface Family {
  kind: Kind
  labels: readonly string[]
  metric: unknown
}

/**
 * The metrics of one server. Names are those of Prometheus without the prefix `balcony_`, their unit at the end:
 * `stanzas_total`, `handler_seconds`. Asking again for a name gives the same metric, so a reloaded module counts
 * on; asking for it as another kind or with other labels throws `ERR_METRIC`.
 */
export class Metrics {
  readonly #registry = new Registry()
  readonly #families = new Map<string, Family>()

  /** The media type of `text()`. */
  readonly contentType: string = this.#registry.contentType

  /** `inc` is an addition. */
  counter(name: string, help: string): Counter
  counter(name: string, help: string, labels: readonly string[]): Labelled<Counter>
  counter(name: string, help: string, labels: readonly string[] = []): Counter | Labelled<Counter> {
    return this.#once('counter', name, labels, options => {
      const cells = new Cells(labels, () => new Cell())
      new PromCounter({
        ...options,
        help,
        collect() {
          this.reset()
          for (const [values, cell] of cells.all()) this.inc(values, cell.value)
        }
      })
      return cells.face()
    })
  }

  /** `set`, `inc` and `dec` are assignments. */
  gauge(name: string, help: string): Gauge
  gauge(name: string, help: string, labels: readonly string[]): Labelled<Gauge>
  gauge(name: string, help: string, labels: readonly string[] = []): Gauge | Labelled<Gauge> {
    return this.#once('gauge', name, labels, options => {
      const cells = new Cells(labels, () => new Cell())
      new PromGauge({
        ...options,
        help,
        collect() {
          this.reset()
          for (const [values, cell] of cells.all()) this.set(values, cell.value)
        }
      })
      return cells.face()
    })
  }

  /** `buckets` are upper bounds, rising; for seconds unless given. `observe` takes a few hundred nanoseconds. */
  histogram(name: string, help: string, options?: { buckets?: readonly number[] }): Histogram
  histogram(
    name: string,
    help: string,
    options: { buckets?: readonly number[]; labels: readonly string[] }
  ): Labelled<Histogram>
  histogram(
    name: string,
    help: string,
    { buckets = SECONDS, labels = [] }: { buckets?: readonly number[]; labels?: readonly string[] } = {}
  ): Histogram | Labelled<Histogram> {
    return this.#once('histogram', name, labels, options => {
      const histogram = new PromHistogram({ ...options, help, buckets: [...buckets] })
      return new Cells<Histogram>(labels, values =>
        labels.length === 0 ? histogram : histogram.labels(values)
      ).face()
    })
  }

  /**
   * A gauge that is read when somebody asks for the metrics. Returns the function that ends it; a module hands
   * that to `ctx.defer`, or its old code would be kept.
   */
  measure(name: string, help: string, read: () => number): () => void {
    this.#drop(name, 'measure')
    const family: Family = { kind: 'measure', labels: [], metric: read }
    const collect = function (this: PromGauge): void {
      try {
        this.set(finite(read()))
      } catch {
        // One module's fault must not take the others' metrics away
        this.reset()
      }
    }
    new PromGauge({ name: PREFIX + name, help, registers: [this.#registry], collect })
    this.#families.set(name, family)
    return () => {
      if (this.#families.get(name) === family) this.#drop(name, 'measure')
    }
  }

  /** Everything in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #once<M>(kind: Kind, name: string, labels: readonly string[], make: (options: PromOptions) => M): M {
    const known = this.#families.get(name)
    if (!known) {
      const metric = make({ name: PREFIX + name, labelNames: [...labels], registers: [this.#registry] })
      this.#families.set(name, { kind, labels, metric })
      return metric
    }
    if (known.kind === kind && known.labels.join() === labels.join()) return known.metric as M
    const was = `${known.kind} with ${known.labels.length === 0 ? 'no labels' : known.labels.join(', ')}`
    throw new CodedError('ERR_METRIC', `The metric ${name} is a ${was} already`)
  }

  #drop(name: string, kind: Kind): void {
    const known = this.#families.get(name)
    if (known && known.kind !== kind)
      throw new CodedError('ERR_METRIC', `The metric ${name} is a ${known.kind} already`)
    this.#registry.removeSingleMetric(PREFIX + name)
    this.#families.delete(name)
  }
}

interface PromOptions {
  name: string
  labelNames: string[]
  registers: Registry[]
}

/** prom-client looks up labels at each count; a cell is a number that it is shown when somebody asks. */
class Cell implements Gauge {
  value = 0

  inc(by = 1): void {
    this.value += by
  }

  dec(by = 1): void {
    this.value -= by
  }

  set(value: number): void {
    this.value = finite(value)
  }
}

/** The parts of a metric, one for each combination of label values. */
class Cells<M> {
  readonly #cells = new Map<string, [Record<string, string>, M]>()

  constructor(
    readonly labels: readonly string[],
    readonly make: (values: Record<string, string>) => M
  ) {}

  /** What the metric's user sees: itself without labels, else the way to its parts. */
  face(): M | Labelled<M> {
    return this.labels.length === 0 ? this.#cell([]) : { with: (...values) => this.#cell(values) }
  }

  all(): Iterable<[Record<string, string>, M]> {
    return this.#cells.values()
  }

  #cell(values: readonly string[]): M {
    const key = values.join('\0')
    const known = this.#cells.get(key)
    if (known) return known[1]
    // Values may come from strangers (domains, node names): they must not fill the memory
    if (this.#cells.size >= MAX_COMBINATIONS && values.some(value => value !== 'other')) {
      return this.#cell(this.labels.map(() => 'other'))
    }
    const named = Object.fromEntries(this.labels.map((label, i) => [label, values[i] ?? '']))
    const made = this.make(named)
    this.#cells.set(key, [named, made])
    return made
  }
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0
}
