import { defineModule, el, z } from '#core'

const TIME = 'urn:xmpp:time'

/** XEP-0202 §3. */
export default defineModule({
  name: 'time',
  description: 'Entity time (XEP-0202)',
  on: ['virtual', 'component'],
  config: z.object({}),
  setup(ctx) {
    ctx.add('disco-feature', TIME)
    ctx.iq('get', 'host', TIME, 'time', () => {
      const now = new Date()
      return el('time', TIME, el('tzo', null, offset(now)), el('utc', null, now.toISOString()))
    })
  }
})

/** The local offset from UTC, as XEP-0082 §3.3 writes it. */
function offset(date: Date): string {
  const minutes = -date.getTimezoneOffset()
  const two = (n: number): string => String(Math.trunc(n)).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`
}
