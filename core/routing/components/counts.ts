import type { Metrics } from '../../metrics'
import type { Refusal } from '../../streams/component/backend'
import type { ComponentStatus } from './api'

type Direction = ComponentStatus['direction']

/** What is counted of external components. */
export class Counts {
  readonly #connected
  readonly #refused
  readonly #bounced
  readonly #dropped

  constructor(metrics: Metrics, waiting: () => number) {
    this.#connected = metrics.gauge('components_connected', 'Connections of external components (XEP-0114)', [
      'direction'
    ])
    this.#refused = metrics.counter('components_refused_total', 'Components that were not let in', ['reason'])
    this.#bounced = metrics.counter(
      'component_stanzas_bounced_total',
      'Stanzas that could not be brought to a component or server that is away',
      ['direction']
    )
    this.#dropped = metrics.counter(
      'component_stanzas_dropped_total',
      'Stanzas of servers we are attached to that were not taken'
    )
    metrics.measure('component_stanzas_waiting', 'Stanzas that wait for a component or server', waiting)
  }

  connected(direction: Direction, by: 1 | -1): void {
    this.#connected.with(direction).inc(by)
  }

  refused(reason: Refusal): void {
    this.#refused.with(reason).inc()
  }

  bounced(direction: Direction): void {
    this.#bounced.with(direction).inc()
  }

  dropped(): void {
    this.#dropped.inc()
  }
}
