import { StanzaError } from '../errors'

/** What a handler returns to end a chain; nothing else does. `Symbol.for`, so that every copy means the same. */
export const HANDLED: unique symbol = Symbol.for('balcony.handled')

export type Handled = typeof HANDLED
/** A handler is called synchronously; only a returned promise is awaited (design §2). */
export type HandlerResult = Handled | void | Promise<Handled | void>
export type Handler<E> = (event: E) => HandlerResult

/** Who registered a handler: a module on a host. It is told of every call that did not end at once. */
export interface HandlerOwner {
  readonly module: string
  readonly host: string
  /** Its place among equal priorities, kept when the module is swapped; 0 unless given. */
  readonly rank?: number
  /** A handler returned a promise. */
  begin(): void
  /** That promise was settled. */
  end(): void
}

export interface HookOptions {
  /**
   * Higher runs first; 0 unless given. Equal priorities run in the order in which their modules were first
   * started on the host, those of one module in the order of registration; a swap changes neither.
   */
  priority?: number
}

export interface HookInfo {
  event: string
  priority: number
  module: string
}

interface Registration extends HookInfo {
  rank: number
  fn: Handler<never>
  owner: HandlerOwner
}

/** An event that remembers whose handler it is with, for logs and for hot swap. */
export interface Traced {
  owner?: HandlerOwner | undefined
}

/** The handler chains of one host: event name → handlers, highest priority first. */
export class Hooks {
  readonly #chains = new Map<string, readonly Registration[]>()
  /** Event → the guards that are away. */
  readonly #refused = new Map<string, readonly string[]>()

  /** Returns the function that takes the handler away again. */
  add<E>(event: string, fn: Handler<E>, owner: HandlerOwner, options: HookOptions = {}): () => void {
    const registration: Registration = {
      event,
      priority: options.priority ?? 0,
      module: owner.module,
      rank: owner.rank ?? 0,
      fn,
      owner
    }
    // A chain is never changed, only replaced, so one that is being walked stays as it was.
    const chain = [...(this.#chains.get(event) ?? [])]
    const at = chain.findIndex(other => comesAfter(other, registration))
    chain.splice(at === -1 ? chain.length : at, 0, registration)
    this.#chains.set(event, chain)
    return () => this.#remove(registration)
  }

  #remove(registration: Registration): void {
    const chain = (this.#chains.get(registration.event) ?? []).filter(other => other !== registration)
    if (chain.length === 0) this.#chains.delete(registration.event)
    else this.#chains.set(registration.event, chain)
  }

  /** Whether anybody listens; lets hot paths skip building an event. A refused event counts. */
  has(event: string): boolean {
    return this.#chains.has(event) || (this.#refused.size > 0 && this.#refused.has(event))
  }

  /** Who has handlers for this event, in the order in which they run. */
  ownersOf(event: string): HandlerOwner[] {
    return (this.#chains.get(event) ?? []).map(({ owner }) => owner)
  }

  /** The module whose absence refuses this event, if any: a guard that is away (design §3). */
  refusedBy(event: string): string | undefined {
    return this.#refused.size === 0 ? undefined : this.#refused.get(event)?.[0]
  }

  /** While a guard is away for any reason but an operator's unload, what it guards is refused. */
  refuse(event: string, module: string): void {
    this.permit(event, module)
    this.#refused.set(event, [...(this.#refused.get(event) ?? []), module])
  }

  /** That guard is there again, or an operator took it away; another one may still refuse. */
  permit(event: string, module: string): void {
    const away = (this.#refused.get(event) ?? []).filter(guard => guard !== module)
    if (away.length > 0) this.#refused.set(event, away)
    else this.#refused.delete(event)
  }

  /**
   * Calls the handlers in order until one returns HANDLED. What a handler throws ends the chain and is
   * thrown on (fail closed); `event.owner` then tells whose handler it was. A refused event throws
   * `service-unavailable`, so that a module which raises it itself is held too.
   */
  run<E extends Traced>(name: string, event: E): HandlerResult {
    if (this.#refused.size > 0 && this.#refused.has(name))
      throw new StanzaError('service-unavailable', { type: 'wait' })
    const chain = this.#chains.get(name)
    return chain && this.#walk(chain, 0, event, event.owner)
  }

  /** A handler may raise another chain with its event; when that ended well the event is the outer handler's again. */
  #walk(
    chain: readonly Registration[],
    start: number,
    event: Traced,
    outer: HandlerOwner | undefined
  ): HandlerResult {
    for (let i = start; i < chain.length; i++) {
      const registration = chain[i] as Registration
      event.owner = registration.owner
      const result = registration.fn(event as never)
      if (result === HANDLED) {
        event.owner = outer
        return HANDLED
      }
      if (isPromise(result)) return this.#wait(result, registration.owner, chain, i + 1, event, outer)
    }
    event.owner = outer
  }

  async #wait(
    result: Promise<Handled | void>,
    owner: HandlerOwner,
    chain: readonly Registration[],
    next: number,
    event: Traced,
    outer: HandlerOwner | undefined
  ): Promise<Handled | void> {
    owner.begin()
    try {
      if ((await result) === HANDLED) {
        event.owner = outer
        return HANDLED
      }
    } finally {
      owner.end()
    }
    return this.#walk(chain, next, event, outer)
  }

  /** What is registered, in the order in which it runs: for `balcony hooks`. */
  list(): HookInfo[] {
    return [...this.#chains.values()].flatMap(chain =>
      chain.map(({ event, priority, module }) => ({ event, priority, module }))
    )
  }
}

function comesAfter(other: Registration, registration: Registration): boolean {
  if (other.priority !== registration.priority) return other.priority < registration.priority
  return other.rank > registration.rank
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as Promise<unknown>).then === 'function'
}
