import { errorReply, StanzaError } from '../errors'
import { isPromise } from '../events/hooks'
import type { Gate } from '../events/gate'
import type { Host } from '../hosts/host'
import type { JID } from '../jid'
import type { Log } from '../log'
import { delayed, type Held } from '../streams/smacks'
import { parseElement } from '../xml/document'
import type { Element } from '../xml/element'
import type { Router } from './router'

/** Milliseconds that a new session of the account waits for what an earlier one gives back. */
const PATIENCE = 10_000

/**
 * What a session has not acknowledged goes where it would have gone without that session (XEP-0198 §4): messages to
 * another resource, into the store or back; requests are answered with an error; the rest is of no use to anybody.
 */
export class HandBack {
  /** By account, while it is under way. */
  readonly #underWay = new Map<string, Promise<void>>()

  constructor(
    private readonly router: Router,
    private readonly gate: Gate,
    private readonly log: Log
  ) {}

  /** Takes what a session has left; it is out of the registry. */
  take(left: readonly Held[], host: Host, { bare }: JID): void {
    if (left.length === 0) return
    const before = this.#underWay.get(bare)
    // At once if it may be: what comes after it must not be there before it
    const routed = this.gate.open
      ? this.#route(left, host)
      : this.#opened().then(() => this.#route(left, host))
    const done = Promise.all([before, routed]).then(() => {
      if (this.#underWay.get(bare) === done) this.#underWay.delete(bare)
    })
    this.#underWay.set(bare, done)
  }

  /**
   * Resolves when an account has everything that sessions before have left, so that a new session finds it in its
   * order; undefined where nothing is under way.
   */
  settled({ bare }: JID): Promise<void> | undefined {
    const done = this.#underWay.get(bare)
    if (!done) return undefined
    let timer: NodeJS.Timeout | undefined
    const enough = new Promise<void>(resolve => (timer = setTimeout(resolve, PATIENCE).unref()))
    return Promise.race([done, enough]).finally(() => clearTimeout(timer))
  }

  #opened(): Promise<void> {
    return new Promise(resolve => this.gate.whenOpen(resolve))
  }

  async #route(left: readonly Held[], host: Host): Promise<void> {
    const routed: unknown[] = []
    for (const { xml, at, copies } of left) {
      if (copies && !copies.lost()) continue
      const stanza = parseElement(xml)
      const { from, to, type } = stanza.attrs as Record<string, string | undefined>
      if (from === undefined || to === undefined || type === 'error') continue
      if (stanza.name === 'message') routed.push(this.#routeOne(delayed(stanza, host.name, at), host))
      // RFC 6121 §8.5.3.2.3; presence is dropped (§8.5.3.2.2)
      if (stanza.name !== 'iq' || type === 'result') continue
      const answer = errorReply(stanza, new StanzaError('service-unavailable'))
      if (answer) routed.push(this.#routeOne(answer, host))
    }
    await Promise.all(routed)
  }

  /** Does not fail. */
  #routeOne(stanza: Element, host: Host): unknown {
    const failed = (err: unknown): void =>
      this.log.error({ err, host: host.name }, 'a stanza that was not acknowledged could not be handed back')
    try {
      const done = this.router.route(stanza, { kind: 'local', name: host.name, returned: true })
      return isPromise(done) ? done.catch(failed) : undefined
    } catch (err) {
      return failed(err)
    }
  }
}
