import pino from 'pino'
import { prettyFactory } from 'pino-pretty'

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'

/** `log.info('text')`, or with data first: `log.warn({ err, stanzaId }, 'text')`. An error belongs in `err`. */
export interface LogCall {
  (message: string): void
  (data: object, message?: string): void
}

/**
 * Where core and modules write what happens. What a level hides costs next to nothing. Data under the names in
 * `SECRET_NAMES` is blacked out; a message is written as it is, so no secret belongs in one.
 */
export interface Log {
  fatal: LogCall
  error: LogCall
  warn: LogCall
  info: LogCall
  debug: LogCall
  trace: LogCall
  /** A log whose lines carry these beside their own data, `{ module, host }`. It follows its parent's level. */
  child(bindings: object): Log
  isLevelEnabled(level: LogLevel): boolean
}

/** The log of a server, whose level can be changed while it runs. */
export interface RootLog extends Log {
  level: string
}

export interface LogOptions {
  /** The least that is written; `info` unless given. */
  level?: LogLevel
  /** `auto` is pretty on a terminal and json elsewhere. */
  format?: 'auto' | 'pretty' | 'json'
  /** Where lines go, standard output unless given. Written to at once, so nothing is lost at exit. */
  destination?: { write(line: string): unknown; isTTY?: boolean }
}

/** Names of data that is never written, to a depth of four. */
export const SECRET_NAMES = [
  'password',
  'newPassword',
  'oldPassword',
  'secret',
  'token',
  'authorization',
  'cookie',
  'storedKey',
  'serverKey',
  'saltedPassword',
  'privateKey'
] as const

const DEPTHS = ['', '*.', '*.*.', '*.*.*.']

export function createLogger(options: LogOptions = {}): RootLog {
  const out = options.destination ?? process.stdout
  const format = options.format ?? 'auto'
  const pretty = format === 'pretty' || (format === 'auto' && out.isTTY === true)
  const destination = pretty
    ? prettyInto(out)
    : (options.destination ?? pino.destination({ dest: 1, sync: true }))
  return pino(
    {
      level: options.level ?? 'info',
      base: null,
      // A number means nothing to a reader of the file
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      redact: { paths: DEPTHS.flatMap(depth => SECRET_NAMES.map(name => depth + name)), censor: '[hidden]' }
    },
    destination
  )
}

/** No worker thread and no stream between: a line is on the terminal when the call returns. */
function prettyInto(out: NonNullable<LogOptions['destination']>): { write(line: string): void } {
  const prettify = prettyFactory({
    colorize: out.isTTY === true && process.env.NO_COLOR === undefined,
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
    ignore: 'module,host',
    singleLine: true,
    messageFormat: (line, messageKey) => {
      const who = [line.host, line.module].filter(part => typeof part === 'string' && part !== '').join(' ')
      // Whoever gets a line break into a message must not be able to begin a line of the log with it
      const text = line[messageKey]
      const message = (typeof text === 'string' ? text : '').replaceAll('\n', '\n    ')
      return `${who === '' ? '' : `[${who}] `}${message}`
    }
  })
  return {
    write: line => {
      out.write(
        prettify(
          JSON.parse(line, (_, value: unknown) => (typeof value === 'string' ? harmless(value) : value))
        )
      )
    }
  }
}

/** Strangers' text must not steer the terminal: what JSON escapes, a terminal would obey. */
function harmless(text: string): string {
  return text.replace(
    /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    c => `\\u${c.codePointAt(0)?.toString(16).padStart(4, '0')}`
  )
}
