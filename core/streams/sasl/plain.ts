import type { SaslExchange, SaslMechanism, SaslStep, SaslStream } from '../mechanism'
import { findCandidate, mayActAs, preparedName, type SaslAccounts } from './accounts'
import { matches } from './keys'
import { failure, malformed, messageText, outcome } from './steps'

/** PLAIN (RFC 4616), inside TLS only. The password is checked by deriving the account's SCRAM keys from it. */
export function plainMechanism(accounts: SaslAccounts): SaslMechanism {
  return {
    name: 'PLAIN',
    strength: 10,
    needsTls: true,
    start: stream => new PlainExchange(accounts, stream)
  }
}

class PlainExchange implements SaslExchange {
  #over = false

  constructor(
    private readonly accounts: SaslAccounts,
    private readonly stream: SaslStream
  ) {}

  step(data: Buffer | undefined): SaslStep | Promise<SaslStep> {
    if (this.#over) return malformed('the exchange is over')
    // RFC 6120 §6.5.4
    if (!this.stream.secure) return this.#end(failure('encryption-required'))
    if (data === undefined) return { type: 'challenge', data: Buffer.alloc(0) }
    this.#over = true
    // RFC 4616 §2: [authzid] NUL authcid NUL passwd
    const [authzid, name, password, ...more] = messageText(data)?.split('\0') ?? []
    if (!name || !password || more.length > 0) return malformed('this is no PLAIN message')
    if (!mayActAs(authzid, name, this.stream.domain)) return failure('invalid-authzid')
    return this.#check(name, password)
  }

  async #check(name: string, password: string): Promise<SaslStep> {
    const { attempt, domain } = this.stream
    await attempt?.named(preparedName(name) ?? name)
    const candidate = await findCandidate(this.accounts, name, domain)
    const check = (): Promise<boolean> => matches(candidate.hash, candidate.keys, password)
    return outcome(candidate, await (attempt ? attempt.derive(check) : check()))
  }

  #end(step: SaslStep): SaslStep {
    this.#over = true
    return step
  }
}
