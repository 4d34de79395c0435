import EventEmitter from 'eventemitter3'
import type { Log } from '../log'
import { isPromise } from './hooks'

/** Functions by name: what a bus carries. */
type Events<E> = { [K in keyof E]: (...args: never[]) => unknown }

/**
 * Notifications that nobody answers, with the types of `E`. A listener that throws, or whose promise rejects, is
 * logged and keeps nobody else from hearing.
 */
export class Bus<E extends Events<E>> {
  readonly #emitter = new EventEmitter()
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  /** Returns the function that ends it. */
  on<K extends keyof E & string>(event: K, listener: E[K]): () => void {
    const caught = (...args: unknown[]): void => this.#call(event, listener, args as never[])
    this.#emitter.on(event, caught)
    return () => this.#emitter.off(event, caught)
  }

  emit<K extends keyof E & string>(event: K, ...args: Parameters<E[K]>): void {
    this.#emitter.emit(event, ...args)
  }

  #call(event: string, listener: (...args: never[]) => unknown, args: never[]): void {
    const failed = (err: unknown): void => this.#log.error({ err, event }, 'a listener failed')
    try {
      const result = listener(...args)
      if (isPromise(result)) result.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}
