import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { SaslExchange, SaslMechanism, SaslStep, SaslStream } from '../mechanism'
import { findCandidate, mayActAs, type Candidate, type SaslAccounts } from './accounts'
import { digest, HASH_LENGTH, hmac, type ScramHash } from './keys'
import { readClientFinal, readClientFirst, ScramSyntaxError, type ClientFirst } from './scram-messages'
import { failure, malformed, messageText, outcome } from './steps'

/** Before PLAIN; the stronger hash first. */
const STRENGTH: Record<ScramHash, number> = { 'SHA-256': 30, 'SHA-1': 20 }

/** SCRAM-SHA-1 or SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding. */
export function scramMechanism(hash: ScramHash, accounts: SaslAccounts, nonce = newNonce): SaslMechanism {
  return {
    name: `SCRAM-${hash}`,
    strength: STRENGTH[hash],
    needsTls: false,
    start: stream => new ScramExchange(hash, accounts, stream, nonce)
  }
}

function newNonce(): string {
  return randomBytes(24).toString('base64')
}

class ScramExchange implements SaslExchange {
  #state: 'first' | 'final' | 'over' = 'first'
  #candidate: Candidate | undefined
  #gs2Header = ''
  #nonce = ''
  /** client-first-message-bare "," server-first-message */
  #signedSoFar = ''

  constructor(
    private readonly hash: ScramHash,
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
    // RFC 5802 §6. "y" is true as long as no -PLUS is offered: where one is, it has to be refused as a downgrade
    if (message.binding !== 'n' && message.binding !== 'y') return malformed('channel binding is not offered')
    if (!mayActAs(message.authzid, message.username, this.stream.domain)) return failure('invalid-authzid')
    return this.#challenge(message)
  }

  async #challenge(message: ClientFirst): Promise<SaslStep> {
    this.#candidate = await findCandidate(this.accounts, message.username, this.stream.domain, [this.hash])
    const { salt, iterations } = this.#candidate.keys
    this.#gs2Header = message.gs2Header
    this.#nonce = message.nonce + this.serverNonce()
    const challenge = `r=${this.#nonce},s=${salt.toString('base64')},i=${iterations}`
    this.#signedSoFar = `${message.bare},${challenge}`
    this.#state = 'final'
    return { type: 'challenge', data: Buffer.from(challenge) }
  }

  #final(text: string): SaslStep {
    const candidate = this.#candidate
    if (!candidate) return malformed('the exchange is over')
    const { bound, nonce, withoutProof, proof } = readClientFinal(text)
    // RFC 5802 §5.1: "c" repeats the header of the first message, "r" both nonces
    if (!bound.equals(Buffer.from(this.#gs2Header))) return malformed('c is not the gs2 header that was sent')
    if (nonce !== this.#nonce) return malformed('r is not the nonce of this exchange')
    if (proof.length !== HASH_LENGTH[this.hash]) return malformed('the proof has a wrong length')

    // RFC 5802 §3
    const { storedKey, serverKey } = candidate.keys
    const signed = `${this.#signedSoFar},${withoutProof}`
    const signature = hmac(this.hash, storedKey, signed)
    const clientKey = Buffer.from(proof.map((byte, at) => byte ^ (signature[at] ?? 0)))
    const proved = timingSafeEqual(digest(this.hash, clientKey), storedKey)
    const answer = `v=${hmac(this.hash, serverKey, signed).toString('base64')}`
    return outcome(candidate, proved, Buffer.from(answer))
  }
}
