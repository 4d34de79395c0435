import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { AnswerCache, type Timed } from './cache'
import { DnsFailure } from './errors'
import { hostsFileAddresses } from './hosts-file'
import { dnsName, type Address } from './place'
import type { SrvRecord } from './srv'

export interface DnsOptions {
  /** Addresses with ports (`127.0.0.53:53`, `[::1]:53`); none for the system's. */
  servers: readonly string[]
  /** Milliseconds that a question may take, all servers and repetitions included. */
  timeout: number
}

const DEFAULTS: DnsOptions = { servers: [], timeout: 8000 }

/** Milliseconds for one try at one server; there are two. */
const TRY = 2000
const TRIES = 2

/** Names whose answers are kept. */
const CACHED = 2000
/** Seconds that an answer is kept at most, whatever it says of itself: servers move. */
const MAX_TTL = 300
/** Seconds for what Node does not tell the time of (SRV, TXT), and for the answer that there is nothing. */
const STANDARD_TTL = 60
const NOTHING_TTL = 30

/** Of one name; more are left out. */
const MAX_ADDRESSES = 16
const MAX_RECORDS = 64

/** Milliseconds that the slower of A and AAAA is waited for when the other has come (RFC 8305 §3). */
const OTHER_FAMILY = 50

/** RFC 6761 §6.3: no DNS server is asked for these. */
const LOCALHOST = /^(?:.+\.)?localhost$/
const LOOPBACK: readonly Address[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 }
]

/** That there is nothing, as a DNS server says it; EBADNAME is a name that cannot be asked for. */
const NOTHING = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME'])

/**
 * DNS for the whole server. Names are absolute: no search domain of the system is ever appended, for
 * `example.org` must not become `example.org.office.example`. Where no servers are configured the system's hosts
 * file is looked at first.
 *
 * An empty answer means that there is nothing; where nobody answers, DnsFailure is thrown.
 */
export class Dns {
  #options: DnsOptions = DEFAULTS
  #resolver = new Resolver()
  #addresses = new AnswerCache<readonly Address[]>(CACHED, MAX_TTL)
  #services = new AnswerCache<readonly SrvRecord[]>(CACHED, MAX_TTL)
  #texts = new AnswerCache<readonly string[]>(CACHED, MAX_TTL)

  constructor(options: Partial<DnsOptions> = {}) {
    this.configure(options)
  }

  /** From now on; what is under way ends as it began, what was answered is forgotten. */
  configure(options: Partial<DnsOptions>): void {
    this.#options = { ...DEFAULTS, ...options }
    this.#resolver = new Resolver({ timeout: TRY, tries: TRIES })
    if (this.#options.servers.length > 0) this.#resolver.setServers(this.#options.servers)
    this.#addresses = new AnswerCache(CACHED, MAX_TTL)
    this.#services = new AnswerCache(CACHED, MAX_TTL)
    this.#texts = new AnswerCache(CACHED, MAX_TTL)
  }

  /** Gives up what is under way. */
  close(): void {
    this.#resolver.cancel()
  }

  /** A and AAAA, the families in turn, IPv6 first. An address is its own. */
  async addresses(name: string): Promise<readonly Address[]> {
    const family = isIP(name)
    if (family !== 0) return [{ address: name, family: family as 4 | 6 }]
    const asked = dnsName(name)
    if (asked === undefined) return []
    if (LOCALHOST.test(asked)) return LOOPBACK
    if (this.#options.servers.length === 0) {
      const known = await hostsFileAddresses(asked)
      if (known.length > 0) return known
    }
    return this.#bothFamilies(asked)
  }

  /** SRV, in the order they came (RFC 2782). The target '' is the root: the service is not offered. */
  async services(name: string): Promise<readonly SrvRecord[]> {
    const asked = dnsName(name)
    if (asked === undefined) return []
    return this.#services.get(asked, async () => {
      const records = await this.#ask(`SRV ${asked}`, resolver => resolver.resolveSrv(asked))
      const value = records.slice(0, MAX_RECORDS).map(record => ({
        host: record.name.replace(/\.$/, ''),
        port: record.port,
        priority: record.priority,
        weight: record.weight
      }))
      return timed(value)
    })
  }

  /** TXT, each record in one piece. */
  async texts(name: string): Promise<readonly string[]> {
    const asked = dnsName(name)
    if (asked === undefined) return []
    return this.#texts.get(asked, async () => {
      const records = await this.#ask(`TXT ${asked}`, resolver => resolver.resolveTxt(asked))
      return timed(records.slice(0, MAX_RECORDS).map(strings => strings.join('')))
    })
  }

  async #bothFamilies(name: string): Promise<readonly Address[]> {
    const four = this.#family(name, 4)
    const six = this.#family(name, 6)
    const late = Promise.race([found(four), found(six)])
      .then(() => after(OTHER_FAMILY))
      .then((): readonly Address[] => [])
    const [fours, sixes] = await Promise.all([settled(four, late), settled(six, late)])
    const failure = fours instanceof Error ? fours : sixes instanceof Error ? sixes : undefined
    const addresses = inTurn(listOf(sixes), listOf(fours))
    if (failure && addresses.length === 0) throw failure
    return addresses
  }

  #family(name: string, family: 4 | 6): Promise<readonly Address[]> {
    const type = family === 4 ? 'A' : 'AAAA'
    return this.#addresses.get(`${type} ${name}`, async () => {
      const records = await this.#ask(`${type} ${name}`, resolver =>
        family === 4 ? resolver.resolve4(name, { ttl: true }) : resolver.resolve6(name, { ttl: true })
      )
      const value = records.slice(0, MAX_ADDRESSES).map(({ address }): Address => ({ address, family }))
      if (value.length === 0) return timed(value)
      return { value, ttl: Math.min(...records.map(record => record.ttl)) }
    })
  }

  /** Nothing is an empty list. */
  async #ask<T>(question: string, ask: (resolver: Resolver) => Promise<T[]>): Promise<T[]> {
    const { timeout } = this.#options
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new DnsFailure(question, `no answer within ${timeout} ms`)), timeout)
    })
    try {
      return await Promise.race([ask(this.#resolver), late])
    } catch (error) {
      if (error instanceof DnsFailure) throw error
      const { code = '', message } = error as NodeJS.ErrnoException
      if (NOTHING.has(code)) return []
      throw new DnsFailure(question, REASONS[code] ?? message)
    } finally {
      clearTimeout(timer)
    }
  }
}

const REASONS: Record<string, string> = {
  ETIMEOUT: 'no DNS server has answered',
  ECONNREFUSED: 'no DNS server can be reached',
  ESERVFAIL: 'the DNS server has failed (SERVFAIL)',
  EREFUSED: 'the DNS server refuses to answer',
  ECANCELLED: 'given up',
  EBADRESP: 'the answer cannot be understood'
}

function timed<T>(value: readonly T[]): Timed<readonly T[]> {
  return { value, ttl: value.length === 0 ? NOTHING_TTL : STANDARD_TTL }
}

/** Never rejects; resolves only when there is something. */
function found(answer: Promise<readonly Address[]>): Promise<void> {
  return new Promise(resolve => {
    answer.then(
      addresses => addresses.length > 0 && resolve(),
      () => undefined
    )
  })
}

function settled(
  answer: Promise<readonly Address[]>,
  late: Promise<readonly Address[]>
): Promise<readonly Address[] | Error> {
  return Promise.race([answer.catch((error: unknown) => error as Error), late])
}

function listOf(answer: readonly Address[] | Error): readonly Address[] {
  return answer instanceof Error ? [] : answer
}

function after(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** RFC 8305 §4: the families take turns. */
function inTurn(first: readonly Address[], second: readonly Address[]): readonly Address[] {
  const merged: Address[] = []
  for (let i = 0; i < Math.max(first.length, second.length); i++)
    for (const list of [first, second]) {
      const address = list[i]
      if (address) merged.push(address)
    }
  return merged
}
