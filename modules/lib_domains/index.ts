import { JID, z } from '#core'

/** A domain, or all domains below one: `*.example.org`. What comes out is prepared (RFC 7622 §3.2). */
export function domainsOption() {
  return z.array(
    z
      .string()
      .meta({ expected: 'a domain' })
      .transform((text, context) => {
        const pattern = preparedPattern(text)
        if (pattern !== undefined) return pattern
        context.addIssue({ code: 'custom', message: wrongPattern(text), input: text })
        return z.NEVER
      })
  )
}

/** Undefined where it is none. */
export function preparedPattern(text: string): string | undefined {
  const below = text.startsWith('*.')
  const jid = JID.tryParse(below ? text.slice(2) : text)
  if (jid?.kind !== 'host' || jid.domain.includes('*')) return undefined
  return below ? `*.${jid.domain}` : jid.domain
}

/** What a person is told of a text that is no pattern. */
export function wrongPattern(text: string): string {
  return `expected a domain like example.org, or *.example.org for all below it, got ${JSON.stringify(text.slice(0, 80))}`
}

/** Some domains; as many as one likes, each look-up costs the labels of the domain asked for. */
export class Domains {
  readonly #patterns: ReadonlySet<string>

  /** @param patterns prepared */
  constructor(patterns: readonly string[]) {
    this.#patterns = new Set(patterns)
  }

  get any(): boolean {
    return this.#patterns.size > 0
  }

  /** A domain is not below itself: `*.example.org` leaves example.org out. */
  has(domain: string): boolean {
    if (this.#patterns.size === 0) return false
    if (this.#patterns.has(domain)) return true
    for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1))
      if (this.#patterns.has(`*${domain.slice(dot)}`)) return true
    return false
  }
}
