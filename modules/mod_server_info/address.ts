import { JID, z } from '#core'

/** RFC 3986 §2, §3: a scheme, and nothing that a URI cannot hold. */
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/

/** Addresses of one kind, each a URI (XEP-0157 §3). */
export function addresses(what: string) {
  return z.array(address()).default([]).describe(`${what} URIs: mailto:, xmpp:, https: and the like.`)
}

function address() {
  return z
    .string()
    .meta({ expected: 'a URI' })
    .superRefine((text, context) => {
      const wrong = problemOf(text)
      if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong, input: text })
    })
}

/** What keeps a text from being an address; undefined where it is one. */
function problemOf(text: string): string | undefined {
  const shown = JSON.stringify(text.slice(0, 80))
  if (!URI.test(text)) {
    const example = text.includes('@') ? `mailto:${text}` : 'mailto:admin@example.org'
    return `expected a URI like ${example}, got ${shown}`
  }
  const [, scheme = '', rest = ''] = /^([^:]+):(.*)$/s.exec(text) ?? []
  switch (scheme.toLowerCase()) {
    case 'xmpp': // RFC 5122 §2.2
      return JID.tryParse(decoded(rest.replace(/^\/\/[^/]*\//, '').replace(/[?#].*$/s, '')))
        ? undefined
        : `expected an address like xmpp:admin@example.org, got ${shown}`
    case 'mailto': // RFC 6068 §2
      return /^[^@?]+@[^@?]+(?:\?.*)?$/s.test(rest)
        ? undefined
        : `expected an address like mailto:admin@example.org, got ${shown}`
    case 'http':
    case 'https':
      return URL.canParse(text) && rest.startsWith('//')
        ? undefined
        : `expected an address like https://example.org/, got ${shown}`
    default:
      return undefined
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
