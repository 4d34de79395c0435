import { createHash, timingSafeEqual } from 'node:crypto'

/** What shows that a component knows the secret: XEP-0114 §3, over the id of the stream as the server gave it. */
export function handshakeOf(streamId: string, secret: string): string {
  return createHash('sha1')
    .update(streamId + secret)
    .digest('hex')
}

/** Takes the same time whatever is wrong. XEP-0114 §3: lower case is what the algorithm says. */
export function handshakeMatches(given: string, streamId: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(handshakeOf(streamId, secret)))
}
