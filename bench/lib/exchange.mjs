// Pairs of clients that send each other numbered messages, a window of them under way all the time.
import { attr, flushAll } from './client.mjs'

const RING = 4096
const now = () => performance.now()

/**
 * Starts the exchange, which goes on as long as the meter runs.
 *   pairs     [[client, client], ...]
 *   window    messages under way in each pair, half in each direction
 *   address   client => the JID that its messages are sent to
 * Answers { outstanding(): messages under way, others(): messages that came beside them }.
 */
export function exchange(pairs, { window, body, meter, noteError, address = client => client.bare }) {
  let inflight = 0
  let others = 0

  const sendOne = c => {
    const s = c.seq++
    c.ring[s % RING] = now()
    inflight++
    c.send(c.pre + s + c.post)
  }

  const listen = (c, peer) => {
    c.seq = 0
    c.ring = new Float64Array(RING)
    c.expect = 0
    c.pre = `<message type='chat' to='${address(peer)}' id='c`
    c.post = `'><body>${body}</body></message>`
    c.onMessage = (b, s, e) => {
      const head = b.latin1Slice(s, Math.min(e, s + 300))
      const id = attr(head, 'id')
      if (attr(head, 'type') === 'error') {
        noteError(`message bounced: ${b.latin1Slice(s, Math.min(e, s + 600))}`)
        inflight--
        return
      }
      if (id === null || id.charCodeAt(0) !== 0x63) {
        others++
        return
      }
      const seq = +id.slice(1)
      if (seq !== peer.expect) noteError(`out of order or duplicate: got ${seq}, expected ${peer.expect}`)
      peer.expect = seq + 1
      inflight--
      meter.op(peer.ring[seq % RING])
      if (meter.running) sendOne(peer)
    }
  }

  for (const [one, other] of pairs) {
    listen(one, other)
    listen(other, one)
  }
  for (const [one, other] of pairs) {
    for (let k = 0; k < Math.ceil(window / 2); k++) sendOne(one)
    for (let k = Math.ceil(window / 2); k < window; k++) sendOne(other)
  }
  flushAll()
  return { outstanding: () => inflight, others: () => others }
}
