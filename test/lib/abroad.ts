import assert from 'node:assert/strict'
import { HANDLED } from '../../core/events/hooks'
import type { Host } from '../../core/hosts/host'
import type { Origin } from '../../core/routing/origin'
import type { StanzaEvent } from '../../core/routing/event'
import { JID } from '../../core/jid'
import type { Element } from '../../core/xml/element'
import { mismatch } from './pattern'
import { inline } from './print'
import { parseStanza } from './reader'
import type { TestServer } from './server'

/** All other servers, as one host meets them behind what its modules let through: says, and keeps what it hears. */
export class Abroad {
  readonly heard: Element[] = []
  readonly host: Host
  readonly #waiting = new Set<() => void>()

  /** @param domain the host of the server under test */
  constructor(
    readonly server: TestServer,
    domain = 'localhost'
  ) {
    const host = server.server.domains.get(domain)
    assert.ok(host, `${domain} is no host of the config`)
    this.host = host
    const owner = { module: 'abroad', host: domain, begin: () => undefined, end: () => undefined }
    const hear = ({ stanza }: StanzaEvent): typeof HANDLED => {
      this.heard.push(stanza)
      for (const wake of [...this.#waiting]) wake()
      return HANDLED
    }
    // After the modules of the host, in place of what brings stanzas to other servers
    host.hooks.add('route/remote', hear, owner, { priority: -1000 })
  }

  /** A stanza of its sender's server; resolves when all handlers are done with it. */
  async says(xml: string, kind: Origin['kind'] = 's2s', name?: string): Promise<void> {
    const stanza = parseStanza(xml)
    const from = JID.parse(stanza.attrs.from as string)
    await this.server.server.router.route(stanza, { kind, name: name ?? from.domain })
  }

  /** Waits for a stanza that matches; what came before it stays. */
  async finds(pattern: string): Promise<Element> {
    const wanted = parseStanza(pattern)
    const place = (): number => this.heard.findIndex(one => mismatch(wanted, one, new Map()) === undefined)
    if (place() < 0)
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(
          () => reject(new Error(`abroad did not hear ${pattern}\n${this.#all()}`)),
          15_000
        )
        const wake = (): void => {
          if (place() < 0) return
          clearTimeout(late)
          this.#waiting.delete(wake)
          resolve()
        }
        this.#waiting.add(wake)
      })
    return this.heard.splice(place(), 1)[0] as Element
  }

  /** What it heard since it was asked last must match, in this order, and be all. */
  hears(...patterns: string[]): void {
    const said = this.#all()
    const heard = this.heard.splice(0)
    assert.equal(heard.length, patterns.length, `heard:\n${said}`)
    for (const [at, pattern] of patterns.entries())
      assert.equal(mismatch(parseStanza(pattern), heard[at] as Element, new Map()), undefined, said)
  }

  #all(): string {
    return this.heard.map(inline).join('\n')
  }
}
