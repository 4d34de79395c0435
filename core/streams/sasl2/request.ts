import { childOf, childText, type Element } from '../../xml/element'
import { NS } from '../../xml/namespaces'
import { SM } from '../smacks/names'

/** What a client tells of itself (XEP-0388 §2.3). Not for other users' eyes. */
export interface UserAgent {
  /** The same at every login of this installation: a UUID. */
  id?: string
  software?: string
  device?: string
}

/** What a client wants beside being authenticated. */
export interface InlineRequest {
  userAgent?: UserAgent | undefined
  /** XEP-0198 §9.2: `<resume/>`. */
  resume?: Element | undefined
  /** XEP-0386 §3.2: `<bind/>`. */
  bind?: Element | undefined
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Characters of a description, at most: it is to be read by people. */
const MAX_DESCRIPTION = 128

/** Reads `<authenticate/>`, as far as it is not SASL. */
export function readInlineRequest(authenticate: Element): InlineRequest {
  return {
    userAgent: readUserAgent(childOf(authenticate, 'user-agent', NS.SASL2)),
    resume: childOf(authenticate, 'resume', SM),
    bind: childOf(authenticate, 'bind', NS.BIND2)
  }
}

/** What is no UUID identifies nothing and is left out. */
function readUserAgent(element: Element | undefined): UserAgent | undefined {
  if (!element) return undefined
  const id = element.attrs.id
  const software = describe(childText(element, 'software'))
  const device = describe(childText(element, 'device'))
  return {
    ...(id !== undefined && UUID.test(id) && { id: id.toLowerCase() }),
    ...(software && { software }),
    ...(device && { device })
  }
}

function describe(text: string | undefined): string | undefined {
  return text?.trim().slice(0, MAX_DESCRIPTION)
}
