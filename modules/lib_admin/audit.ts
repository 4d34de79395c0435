import { isStanzaError, type CommandRun, type Context } from '#core'

/** One act of an administrator, for the log: who did what to whom, and how it ended. Never holds a password. */
export interface Act {
  ctx: Context
  run: CommandRun
  /** The command's name, without its namespace. */
  command: string
}

/** What was acted on: a JID, a module, a file. */
export function done({ ctx, run, command }: Act, on: string, detail?: string): void {
  ctx.log.info(
    { by: run.actor, command, on, result: 'done', ...(detail === undefined ? {} : { detail }) },
    'administration'
  )
}

/** `why`: what was thrown, or a sentence. */
export function refused({ ctx, run, command }: Act, on: string, why: unknown): void {
  const line = { by: run.actor, command, on }
  if (typeof why === 'string')
    ctx.log.warn({ ...line, result: 'failed', detail: why }, 'administration: not done')
  else if (isStanzaError(why)) {
    ctx.log.warn({ ...line, result: why.condition, detail: why.text }, 'administration: not done')
  } else ctx.log.error({ ...line, result: 'failed', err: why }, 'administration: not done')
}
