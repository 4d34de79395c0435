import { actorOf, isStanzaError, tellOf, type CommandRun, type Context, type StanzaEvent } from '#core'

/** One act of an administrator: who did what to whom, and how it ended. Never holds a password. */
export interface Act {
  ctx: Context
  run: CommandRun
  /** The command's name, without its namespace. */
  command: string
}

/**
 * A line of the log, and the event `admin/act`, of which the audit is kept: the answer of `run` waits for it.
 * `on`: a JID, a module, a file.
 */
export function done(act: Act, on: string, detail?: string): void {
  const { ctx, run, command } = act
  ctx.log.info(
    { by: run.actor, command, on, result: 'done', ...(detail === undefined ? {} : { detail }) },
    'administration'
  )
  keep(act, on, 'done', detail)
}

/** The same for what was not done. `why`: what was thrown, or a sentence. */
export function refused(act: Act, on: string, why: unknown): void {
  const { ctx, run, command } = act
  const line = { by: run.actor, command, on }
  if (typeof why === 'string') {
    ctx.log.warn({ ...line, result: 'failed', detail: why }, 'administration: not done')
    keep(act, on, 'failed', why)
  } else if (isStanzaError(why)) {
    ctx.log.warn({ ...line, result: why.condition, detail: why.text }, 'administration: not done')
    keep(act, on, why.condition, why.text)
  } else {
    ctx.log.error({ ...line, result: 'failed', err: why }, 'administration: not done')
    keep(act, on, 'failed', 'a fault of the server: its log says more')
  }
}

/**
 * Somebody asked for what their role does not allow. The line of the log is the caller's: strangers must not fill it.
 * Nor the audit: it has only those who have an account here.
 */
export function denied(ctx: Context, event: StanzaEvent, command: string, why: string): void {
  if (event.origin.kind !== 'c2s') return
  const act = { at: Date.now(), by: event.from.full, command, on: '', result: 'forbidden', detail: why }
  tellOf(ctx.host, ctx.log, { ...act, denied: true })
}

function keep({ ctx, run, command }: Act, on: string, result: string, detail: string | undefined): void {
  const { serverWide = false, reads = false } = run
  const what = { at: Date.now(), by: actorOf(run), command, on, result, serverWide, reads }
  tellOf(ctx.host, ctx.log, detail === undefined ? what : { ...what, detail }, run)
}
