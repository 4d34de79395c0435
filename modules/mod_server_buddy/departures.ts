import type { Context } from '#core'
import type { Buddies } from './buddies'
import { isTo } from './buddy'

/** What became of a request within some seconds, and why where there is something to say. */
export interface Departure {
  result: 'approved' | 'sent' | 'waiting' | 'refused' | 'bounced'
  reason?: string | undefined
}

/** Milliseconds that a command waits for it; whoever sits before it is told within ten seconds. */
const PATIENCE = 8_000
const INTERVAL = 50
/** A stream is there, and nothing has come back since: acknowledgements may take their time. */
const CONNECTED_FOR = 500

/** Watches a request until it has left, was answered or has come back. */
export async function departure(ctx: Context, buddies: Buddies, domain: string): Promise<Departure> {
  const start = Date.now()
  let connectedAt: number | undefined
  for (;;) {
    await pause(ctx)
    const now = Date.now()
    const over = now - start >= PATIENCE || ctx.signal.aborted
    if (buddies.isAtWork(domain) && !over) continue
    const buddy = await buddies.get(domain)
    if (isTo(buddy)) return { result: 'approved' }
    if (buddy?.problem !== undefined)
      return { result: buddy.ask ? 'bounced' : 'refused', reason: buddy.problem }
    const queue = ctx.server.federation
      .queues()
      .find(({ local, remote }) => local === ctx.host.name && remote === domain)
    // Nothing waits: it is on its way, or whoever is on this server has it
    if (!queue || queue.stanzas === 0) return { result: 'sent' }
    connectedAt = queue.connected ? (connectedAt ?? now) : undefined
    if (connectedAt !== undefined && now - connectedAt >= CONNECTED_FOR) return { result: 'sent' }
    if (over) return { result: 'waiting', reason: queue.problem }
  }
}

function pause(ctx: Context): Promise<void> {
  return new Promise(resolve => {
    const ended = (): void => {
      cancel()
      ctx.signal.removeEventListener('abort', ended)
      resolve()
    }
    const cancel = ctx.signal.aborted ? () => undefined : ctx.after(INTERVAL, ended)
    ctx.signal.addEventListener('abort', ended)
    if (ctx.signal.aborted) ended()
  })
}
