import type { Counter, Gauge, Labelled, Metrics } from '../metrics'

/** What is counted of federation. */
export class FederationMetrics {
  /** Stanzas that were taken for other servers. */
  readonly sent: Counter
  /** Of these, what has arrived. */
  readonly delivered: Counter
  readonly received: Counter
  /** Domains that were not authenticated. */
  readonly refused: Counter
  readonly #bounced: Labelled<Counter>
  readonly #streams: Labelled<Gauge>
  readonly #endMeasure: () => void

  constructor(metrics: Metrics, waiting: () => number) {
    this.sent = metrics.counter('s2s_sent_total', 'Stanzas taken for other servers')
    this.delivered = metrics.counter(
      's2s_delivered_total',
      'Stanzas that other servers have acknowledged, or that were written to those that do not'
    )
    this.received = metrics.counter('s2s_received_total', 'Stanzas from other servers')
    this.refused = metrics.counter(
      's2s_refused_total',
      'Domains that were not authenticated, and dialback that was not asked for'
    )
    this.#bounced = metrics.counter(
      's2s_bounced_total',
      'Stanzas to other servers that were answered with an error',
      ['condition']
    )
    this.#streams = metrics.gauge('s2s_streams', 'Connections with other servers', ['direction'])
    this.#endMeasure = metrics.measure(
      's2s_queued_stanzas',
      'Stanzas that wait for other servers, or for their acknowledgement',
      waiting
    )
  }

  bounced(condition: string): void {
    this.#bounced.with(condition).inc()
  }

  opened(direction: string): void {
    this.#streams.with(direction).inc()
  }

  closed(direction: string): void {
    this.#streams.with(direction).dec()
  }

  end(): void {
    this.#endMeasure()
  }
}
