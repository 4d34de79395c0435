import assert from 'node:assert/strict'
import { HANDLED } from '../../core/events/hooks'
import type { StanzaEvent } from '../../core/routing/event'
import type { Element } from '../../core/xml/element'
import { mismatch } from './pattern'
import { inline } from './print'
import { parseStanza } from './reader'
import type { TestServer } from './server'

/** The config of a host that `Far` speaks for. */
export const FAR_HOST = { type: 'component' } as const

/** The users of another domain, as a host's server meets them: says what it is told, and keeps what it hears. */
export class Far {
  readonly heard: Element[] = []

  /** @param domain a component of the config (FAR_HOST) */
  constructor(
    readonly server: TestServer,
    readonly domain = 'far.example'
  ) {
    const host = server.server.domains.get(domain)
    assert.ok(host, `${domain} is no host of the config`)
    const owner = { module: 'far', host: domain, begin: () => undefined, end: () => undefined }
    const hear = ({ stanza }: StanzaEvent): typeof HANDLED => {
      this.heard.push(stanza)
      return HANDLED
    }
    for (const kind of ['message', 'presence'])
      for (const to of ['host', 'bare', 'full']) host.hooks.add(`${kind}/${to}`, hear, owner)
  }

  /** Sends a stanza; resolves when all handlers are done with it. */
  async says(xml: string): Promise<void> {
    await this.server.server.router.route(parseStanza(xml), { kind: 'local', name: this.domain })
  }

  /** What it heard since it was asked last must match, in this order, and be all. */
  hears(...patterns: string[]): void {
    const heard = this.heard.splice(0)
    const said = heard.map(inline).join('\n')
    assert.equal(heard.length, patterns.length, `heard:\n${said}`)
    for (const [at, pattern] of patterns.entries())
      assert.equal(mismatch(parseStanza(pattern), heard[at] as Element, new Map()), undefined, said)
  }
}
