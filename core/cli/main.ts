import { CommanderError } from 'commander'
import { CodedError } from '../errors'
import { EXIT, Failure } from './exit'
import { harmless, printError } from './output'
import type { PlaceOptions } from './place'
import { program, type Actions } from './program'

// The code of the server takes longer to load than most commands take to run.
const actions: Actions = {
  users: () => require('./users') as typeof import('./users'),
  inspect: () => require('./inspect') as typeof import('./inspect'),
  hosts: () => require('./hosts') as typeof import('./hosts'),
  admin: () => require('./admin') as typeof import('./admin'),
  checkConfig: () => require('./check-config') as typeof import('./check-config'),
  start: options => (options.supervise ? supervised(options) : served(options))
}

function supervised({ config, data }: PlaceOptions): Promise<number> {
  const { supervise } = require('./supervise') as typeof import('./supervise')
  return supervise([
    ...(config === undefined ? [] : ['--config', config]),
    ...(data === undefined ? [] : ['--data', data])
  ])
}

function served(options: PlaceOptions): Promise<number> {
  const { serve } = require('./serve') as typeof import('./serve')
  return serve(options)
}

/** Runs one command and ends the process. */
export function main(args: readonly string[]): void {
  // A server goes on when nobody reads any more what it writes
  const onError = args[0] === 'start' ? () => undefined : endQuietly
  process.stdout.on('error', onError)
  process.stderr.on('error', onError)
  run(args).then(
    code => process.exit(code),
    (error: unknown) => {
      console.error(error)
      process.exit(EXIT.fault)
    }
  )
}

/** Runs one command; resolves with the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  let code: number = EXIT.ok
  try {
    const balcony = program(actions, given => (code = given))
    for (const command of [balcony, ...allBelow(balcony)]) command.exitOverride()
    await balcony.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    if (error instanceof Failure) {
      printError(error.message)
      return error.exitCode
    }
    // What is wrong with the machine or the config speaks for itself; only a fault of ours has a stack to show
    if (error instanceof CodedError || isSystemError(error)) {
      printError(error.message)
      return EXIT.failed
    }
    printError(harmless(error instanceof Error ? (error.stack ?? error.message) : String(error)))
    return EXIT.fault
  }
}

function allBelow(command: ReturnType<typeof program>): ReturnType<typeof program>[] {
  return command.commands.flatMap(one => [one, ...allBelow(one)])
}

/** `EACCES: permission denied, mkdir '/srv/data'` and the like. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'
}

/** Whoever read the output has had enough. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(EXIT.ok)
}
