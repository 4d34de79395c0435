import { enforceDomain, enforceLocal, enforceResource, MAX_PART_BYTES, PrecisError } from './precis'

export { escapeLocal, MAX_PART_BYTES, unescapeLocal } from './precis'

/** Which part of an address was wrong; `jid` means the whole. */
export type JidPart = 'jid' | 'local' | 'domain' | 'resource'

/** `host`: a domain alone. `bare`: local@domain. `full`: anything with a resource, `domain/resource` too. */
export type JidKind = 'host' | 'bare' | 'full'

/**
 * Above this nothing is looked at: mappings may shorten a string (decomposed letters, A-labels), so what is
 * longer than 3071 octets can still be a JID, but not without end.
 */
const MAX_RAW_LENGTH = 4 * (3 * MAX_PART_BYTES + 2)

const CACHED_LENGTH = 256
const CACHED_ENTRIES = 4096

/** A string is no JID. `part` and `reason` say where and why; a stanza error for it is `jid-malformed`. */
export class InvalidJid extends Error {
  override readonly name = 'InvalidJid'
  readonly code = 'ERR_INVALID_JID'

  constructor(
    readonly part: JidPart,
    readonly reason: string,
    input: string
  ) {
    super(`${quote(input)} is not a JID: ${part === 'jid' ? 'it' : `its ${part} part`} ${reason}`)
  }
}

/**
 * An XMPP address by RFC 7622, immutable, always in its canonical form: local part by UsernameCaseMapped,
 * domain as U-labels in lower case, resource by OpaqueString. Two JIDs are the same address exactly when
 * their `full` strings are equal.
 */
export class JID {
  #bareJid: JID | undefined

  private constructor(
    /** '' when there is none. */
    readonly local: string,
    readonly domain: string,
    /** '' when there is none. */
    readonly resource: string,
    /** local@domain, or the domain alone. */
    readonly bare: string
  ) {
    this.full = resource === '' ? bare : `${bare}/${resource}`
    this.kind = resource !== '' ? 'full' : local === '' ? 'host' : 'bare'
  }

  readonly full: string
  readonly kind: JidKind

  /** Throws InvalidJid. Strings seen lately are found in a bounded cache. */
  static parse(input: string): JID {
    const known = cache.get(input)
    if (known) return known
    if (input.length > CACHED_LENGTH) return JID.#read(input)
    const key = ownCopy(input)
    const jid = JID.#read(key)
    cache.remember(key, jid)
    return jid
  }

  /** Like `parse`, undefined where that would throw or where there is nothing to parse. */
  static tryParse(input: string | null | undefined): JID | undefined {
    if (typeof input !== 'string') return undefined
    try {
      return JID.parse(input)
    } catch (error) {
      if (error instanceof InvalidJid) return undefined
      throw error
    }
  }

  /** From parts, '' for those that are absent; each is mapped and checked. Throws InvalidJid. */
  static of(local: string, domain: string, resource = ''): JID {
    return JID.#make(local, domain, resource, () => join(local, domain, resource))
  }

  static #read(input: string): JID {
    if (input.length > MAX_RAW_LENGTH) throw new InvalidJid('jid', 'is longer than 3071 octets', input)
    // RFC 7622 §3.1, §3.2: separators are matched before any mapping, '/' before '@'
    const slash = input.indexOf('/')
    const bare = slash < 0 ? input : input.slice(0, slash)
    const at = bare.indexOf('@')
    if (at === 0) throw new InvalidJid('local', 'is empty', input)
    if (slash >= 0 && slash === input.length - 1) throw new InvalidJid('resource', 'is empty', input)
    const local = at < 0 ? '' : bare.slice(0, at)
    const resource = slash < 0 ? '' : input.slice(slash + 1)
    return JID.#make(local, bare.slice(at + 1), resource, () => input)
  }

  static #make(local: string, domain: string, resource: string, input: () => string): JID {
    let part: JidPart = 'domain'
    try {
      const d = enforceDomain(domain)
      part = 'local'
      const l = local === '' ? '' : enforceLocal(local)
      part = 'resource'
      const r = resource === '' ? '' : enforceResource(resource)
      return new JID(l, d, r, l === '' ? d : `${l}@${d}`)
    } catch (error) {
      if (error instanceof PrecisError) throw new InvalidJid(part, error.message, input())
      throw error
    }
  }

  /** The same account or host at another resource; '' gives the bare JID. Throws InvalidJid. */
  withResource(resource: string): JID {
    if (resource === this.resource) return this
    if (resource === '') return this.toBare()
    try {
      return new JID(this.local, this.domain, enforceResource(resource), this.bare)
    } catch (error) {
      if (error instanceof PrecisError) {
        throw new InvalidJid('resource', error.message, `${this.bare}/${resource}`)
      }
      throw error
    }
  }

  toBare(): JID {
    if (this.resource === '') return this
    return (this.#bareJid ??= new JID(this.local, this.domain, '', this.bare))
  }

  equals(other: JID | undefined): boolean {
    return other === this || other?.full === this.full
  }

  toString(): string {
    return this.full
  }

  toJSON(): string {
    return this.full
  }
}

/**
 * The addresses parsed lately. Two generations: when the young one is full it becomes the old one, and what is
 * asked for again moves back, so a flood of names that come once costs a bounded memory and a scan of nothing.
 */
class JidCache {
  #young = new Map<string, JID>()
  #old = new Map<string, JID>()

  get(key: string): JID | undefined {
    const young = this.#young.get(key)
    if (young) return young
    const old = this.#old.get(key)
    if (old) this.#keep(key, old)
    return old
  }

  remember(key: string, jid: JID): void {
    this.#keep(key, jid)
  }

  #keep(key: string, jid: JID): void {
    if (this.#young.size >= CACHED_ENTRIES) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, jid)
  }
}

const cache = new JidCache()

/** A substring keeps what it was cut from in memory: the cache would hold the chunks that addresses came in. */
function ownCopy(text: string): string {
  const encoding = /^\p{ASCII}*$/u.test(text) ? 'latin1' : 'utf16le'
  return Buffer.from(text, encoding).toString(encoding)
}

function join(local: string, domain: string, resource: string): string {
  return `${local === '' ? '' : `${local}@`}${domain}${resource === '' ? '' : `/${resource}`}`
}

function quote(input: string): string {
  return JSON.stringify(input.length > 80 ? `${input.slice(0, 80)}…` : input)
}
