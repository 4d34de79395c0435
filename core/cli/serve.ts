import { setTimeout as delay } from 'node:timers/promises'
import type { CodedError } from '../errors'
import { Server } from '../server'
import { ControlServer } from './control-server'
import { EXIT } from './exit'
import { listening } from './listening'
import { operationsOf } from './operations'
import { printError } from './output'
import { configFile, controlSocket, type PlaceOptions } from './place'
import { welcome } from './welcome'

/** What the parent is told by the process that it watches. */
export interface Started {
  started: true
  /** Seconds that an orderly end takes at most. */
  stopSeconds: number
}

/** Milliseconds that a process which ends, or a command, may take to give the lock back. */
const LOCK_PATIENCE = 3000
const LOCK_PAUSE = 200
/** Milliseconds for telling the clients of a fault. */
const CRASH_TIME = 5000

/** One server in this process, from its start to its end: resolves with the exit code. */
export async function serve(options: PlaceOptions): Promise<number> {
  // What this process makes (database, keys, socket) is its owner's alone
  process.umask(0o077)
  const life = new Life()
  life.watch()
  const server = await startPatiently(options)
  const control = await openControl(server)
  greet(server)
  process.send?.({ started: true, stopSeconds: server.config.server.limits.stopSeconds } satisfies Started)
  // While the lock is held: behind it another server may have its socket at the same path already
  server.bus.on('server/stopping', () => void control?.close())
  return life.of(server)
}

async function startPatiently({ config, data }: PlaceOptions): Promise<Server> {
  const until = Date.now() + LOCK_PATIENCE
  for (;;) {
    try {
      return await Server.start({ config: configFile({ config }), ...(data === undefined ? {} : { data }) })
    } catch (error) {
      if ((error as Partial<CodedError>).code !== 'ERR_LOCKED' || Date.now() > until) throw error
    }
    await delay(LOCK_PAUSE)
  }
}

/** Without it the server runs, but the command line cannot reach it. */
async function openControl(server: Server): Promise<ControlServer | undefined> {
  try {
    return await ControlServer.open(controlSocket(server.dataFolder), operationsOf(server), server.log)
  } catch (error) {
    server.log.error(`the command line cannot reach this server: ${(error as Error).message}`)
    return undefined
  }
}

function greet(server: Server): void {
  const host = server.domains.list().find(({ type }) => type === 'virtual')?.name
  const lines = listening(server)
  for (const line of lines) server.log.info(`listening for ${line}`)
  const attached = server.components.list().filter(({ direction }) => direction === 'upstream')
  const text = welcome({
    version: server.api.version,
    listening: lines,
    attached: attached.map(({ domain, peer }) => `${domain} at ${peer}`),
    ...server.first,
    ...(host ? { host } : {})
  })
  // Standard output may be a log of JSON
  if (text !== undefined) printError(text)
}

/** Signals and faults, and what comes of them. */
class Life {
  #server: Server | undefined
  #stopping = false
  /** From outside: whatever it was doing, it is not to come back. */
  #signalled = false
  #failing = false
  #end: (code: number) => void = code => process.exit(code)

  watch(): void {
    process.on('SIGTERM', () => this.#signal('SIGTERM'))
    process.on('SIGINT', () => this.#signal('SIGINT'))
    process.on('SIGHUP', () => this.#reload())
    // Whoever watched over this process is gone
    process.on('disconnect', () => this.#signal('its parent has ended'))
    process.on('uncaughtException', (error, origin) => this.#fault(error, origin))
  }

  /** Resolves with the exit code when that server has ended. */
  of(server: Server): Promise<number> {
    this.#server = server
    return new Promise(resolve => {
      this.#end = resolve
      // Also when a module or the command line has ended it; `stop` is running when this is told
      server.bus.on('server/stopping', () => void setImmediate(() => this.#stop('')))
    })
  }

  #signal(reason: string): void {
    this.#signalled = true
    this.#stop(reason)
  }

  #stop(reason: string): void {
    const server = this.#server
    if (!server) return this.#end(EXIT.ok) // it has not started yet
    if (this.#stopping || this.#failing) return
    this.#stopping = true
    const { stopSeconds } = server.config.server.limits
    void within(server.stop(reason), stopSeconds * 1000).then(ended => {
      if (!ended) server.log.error(`not everything has ended within ${stopSeconds} s: ending now`)
      if (server.restarting && !this.#signalled) this.#end(EXIT.restart)
      else this.#end(ended ? EXIT.ok : EXIT.failed)
    })
  }

  #reload(): void {
    const server = this.#server
    if (!server || this.#stopping) return
    server.reloadConfig().catch((err: unknown) => server.log.error({ err }, 'config reload failed'))
  }

  /** Nobody caught it, so the state of this process is in doubt (design §2). */
  #fault(error: unknown, origin: string): void {
    const server = this.#server
    const first = !this.#failing
    this.#failing = true
    if (server) server.log.fatal({ err: error, origin }, 'a fault of the server')
    else printError(`A fault of the server: ${error instanceof Error ? error.stack : String(error)}`)
    if (!first) return
    const told = server && !this.#stopping ? within(server.crash(), CRASH_TIME) : Promise.resolve(true)
    void told.then(() => process.exit(EXIT.fault))
  }
}

/** Whether the promise was fulfilled in time. */
async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController()
  const late = delay(ms, false, { signal: timer.signal }).catch(() => false)
  const ended = promise.then(
    () => true,
    () => false
  )
  const inTime = await Promise.race([ended, late])
  timer.abort()
  return inTime
}
