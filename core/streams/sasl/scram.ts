import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { SaslExchange, SaslMechanism, SaslOffer, SaslStep, SaslStream } from '../mechanism'
import { findCandidate, mayActAs, preparedName, type Candidate, type SaslAccounts } from './accounts'
import { digest, HASH_LENGTH, hmac, type ScramHash } from './keys'
import { readClientFinal, readClientFirst, ScramSyntaxError, type ClientFirst } from './scram-messages'
import { failure, malformed, messageText, outcome } from './steps'

/** Before PLAIN; the stronger hash first. */
const STRENGTH: Record<ScramHash, number> = { 'SHA-256': 30, 'SHA-1': 20 }
/** Any with channel binding before all without. */
const PLUS = 100

export interface ScramOptions {
  /** With channel binding: SCRAM-SHA-256-PLUS. */
  plus?: boolean
  /** The server's part of it, random unless given. */
  nonce?: () => string
}

/** SCRAM-SHA-1 or SCRAM-SHA-256 (RFC 5802, RFC 7677), each with channel binding or without. */
export function scramMechanism(
  hash: ScramHash,
  accounts: SaslAccounts,
  { plus = false, nonce = newNonce }: ScramOptions = {}
): SaslMechanism {
  return {
    name: plus ? `SCRAM-${hash}-PLUS` : `SCRAM-${hash}`,
    strength: STRENGTH[hash] + (plus ? PLUS : 0),
    needsTls: plus,
    needsBinding: plus,
    start: stream => new ScramExchange({ hash, plus }, accounts, stream, nonce)
  }
}

function newNonce(): string {
  return randomBytes(24).toString('base64')
}

class ScramExchange implements SaslExchange {
  #state: 'first' | 'final' | 'over' = 'first'
  #candidate: Candidate | undefined
  /** What `c` has to be: the gs2 header, and behind it the data of the channel binding. */
  #bound: { header: Buffer; data: Buffer } | undefined
  #nonce = ''
  /** client-first-message-bare "," server-first-message */
  #signedSoFar = ''

  constructor(
    private readonly variant: { hash: ScramHash; plus: boolean },
    private readonly accounts: SaslAccounts,
    private readonly stream: SaslStream,
    private readonly serverNonce: () => string
  ) {}

  step(data: Buffer | undefined): SaslStep | Promise<SaslStep> {
    // RFC 4422 §5.1: a client-first mechanism asks for what was not sent with the first message
    if (data === undefined && this.#state === 'first') return { type: 'challenge', data: Buffer.alloc(0) }
    const state = this.#state
    this.#state = 'over'
    const text = data && messageText(data)
    if (text === undefined) return malformed('the message is not in UTF-8, or too long')
    try {
      if (state === 'first') return this.#first(readClientFirst(text))
      if (state === 'final') return this.#final(text)
    } catch (error) {
      if (error instanceof ScramSyntaxError) return malformed(error.message)
      throw error
    }
    return malformed('the exchange is over')
  }

  #first(message: ClientFirst): SaslStep | Promise<SaslStep> {
    const data = this.#binding(message)
    if (typeof data === 'string') return malformed(data)
    if (!mayActAs(message.authzid, message.username, this.stream.domain)) return failure('invalid-authzid')
    this.#bound = { header: Buffer.from(message.gs2Header), data }
    return this.#challenge(message)
  }

  /** The data that the login is to be bound to, empty for none; a text where it is refused (RFC 5802 §6). */
  #binding({ flag, bindingType }: ClientFirst): Buffer | string {
    if (flag === 'p') {
      if (!this.variant.plus) return 'channel-binding-not-supported: that is for the -PLUS mechanisms'
      return this.stream.channelBindings?.data(bindingType) ?? 'unsupported-channel-binding-type'
    }
    if (this.variant.plus) return 'a -PLUS mechanism needs a channel binding'
    // The client believes that no -PLUS is offered; where one is, somebody in between took it away.
    const offered = this.stream.offer?.mechanisms.some(name => name.endsWith('-PLUS'))
    if (flag === 'y' && offered) return 'server-does-support-channel-binding'
    return Buffer.alloc(0)
  }

  async #challenge(message: ClientFirst): Promise<SaslStep> {
    const { hash } = this.variant
    await this.stream.attempt?.named(preparedName(message.username) ?? message.username)
    this.#candidate = await findCandidate(this.accounts, message.username, this.stream.domain, [hash])
    const { salt, iterations } = this.#candidate.keys
    this.#nonce = message.nonce + this.serverNonce()
    const { offer, vouches = true } = this.stream
    const vouched = offer && vouches ? `,h=${offerHash(hash, offer)}` : ''
    const challenge = `r=${this.#nonce},s=${salt.toString('base64')},i=${iterations}${vouched}`
    this.#signedSoFar = `${message.bare},${challenge}`
    this.#state = 'final'
    return { type: 'challenge', data: Buffer.from(challenge) }
  }

  #final(text: string): SaslStep {
    const candidate = this.#candidate
    if (!candidate || !this.#bound) return malformed('the exchange is over')
    const { hash } = this.variant
    const { bound, nonce, withoutProof, proof } = readClientFinal(text)
    // RFC 5802 §5.1: "c" repeats the header of the first message, "r" both nonces
    const { header, data } = this.#bound
    if (!bound.subarray(0, header.length).equals(header))
      return malformed('c is not the gs2 header that was sent')
    if (data.length === 0 && bound.length > header.length)
      return malformed('c is not the gs2 header that was sent')
    if (!bound.subarray(header.length).equals(data))
      return failure('not-authorized', 'channel-bindings-dont-match', candidate.user)
    if (nonce !== this.#nonce) return malformed('r is not the nonce of this exchange')
    if (proof.length !== HASH_LENGTH[hash]) return malformed('the proof has a wrong length')

    // RFC 5802 §3
    const { storedKey, serverKey } = candidate.keys
    const signed = `${this.#signedSoFar},${withoutProof}`
    const signature = hmac(hash, storedKey, signed)
    const clientKey = Buffer.from(proof.map((byte, at) => byte ^ (signature[at] ?? 0)))
    const proved = timingSafeEqual(digest(hash, clientKey), storedKey)
    const answer = `v=${hmac(hash, serverKey, signed).toString('base64')}`
    return outcome(candidate, proved, Buffer.from(answer))
  }
}

/** XEP-0474 §6.1: what was offered, hashed, so that it is signed with the rest. */
function offerHash(hash: ScramHash, { mechanisms, bindings }: SaslOffer): string {
  // "i;octet" is what JavaScript does with ASCII.
  const lists = [mechanisms, ...(bindings.length > 0 ? [bindings] : [])]
  const text = lists.map(list => [...list].sort().join('\x1e')).join('\x1f')
  return digest(hash, Buffer.from(text)).toString('base64')
}
