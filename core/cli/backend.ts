import { CodedError } from '../errors'
import type { Log } from '../log'
import { caller } from './caller'
import { askServer } from './control-client'
import type { ControlOperations } from './control-protocol'
import { Failure } from './exit'
import { perform } from './perform'
import { configFile, controlSocket, dataFolder, unknownPlace, type PlaceOptions } from './place'

/** Who does what a command asks: the running server, or this process itself. Never both. */
export interface Backend {
  /** Rejects with a CodedError. */
  call(op: string, params?: unknown, emit?: (line: string) => void): Promise<unknown>
  close(): Promise<void>
}

/** A server that this process has opened for itself, holding the lock: nothing listens. */
export interface OwnServer {
  operations: ControlOperations
  log: Log
  close(): Promise<void>
}

/** Opens the server of a config, for the command named. Throws `ERR_LOCKED`. */
export type OpenOwn = (place: { config: string; data: string }, command: string) => Promise<OwnServer>

/** Milliseconds that a server which starts or stops, or another command, may take to get ready or out of the way. */
const PATIENCE = 15_000
const PAUSE = 150

/** The running server, if there is one. */
export async function liveServer(options: PlaceOptions): Promise<Backend | undefined> {
  const socket = controlSocket(dataFolder(options))
  return (await answers(socket)) ? remote(socket) : undefined
}

/** The running server alone. */
export async function runningServer(options: PlaceOptions): Promise<Backend> {
  const live = await liveServer(options)
  if (live) return live
  const why = unknownPlace(options)
  if (why !== undefined)
    throw new Failure(`${why}\nWhere its server has its data cannot be known; name the folder: --data FOLDER`)
  throw new Failure(
    `No server answers at ${controlSocket(dataFolder(options))}. Start it with: balcony start`
  )
}

/** The running server; where there is none, the database itself, under the lock that a server would take. */
export async function anyServer(options: PlaceOptions, command: string, open: OpenOwn): Promise<Backend> {
  const data = dataFolder(options)
  const socket = controlSocket(data)
  const until = Date.now() + PATIENCE
  for (;;) {
    if (await answers(socket)) return remote(socket)
    try {
      return local(await open({ config: configFile(options), data }, command))
    } catch (error) {
      if ((error as Partial<CodedError>).code !== 'ERR_LOCKED' || Date.now() > until) throw error
    }
    await pause(PAUSE)
  }
}

async function answers(socket: string): Promise<boolean> {
  return (await askServer(socket, 'status', {}, () => undefined)) !== undefined
}

function remote(socket: string): Backend {
  return {
    async call(op, params = {}, emit = () => undefined) {
      const answer = await askServer(socket, op, params, emit)
      if (!answer) throw new CodedError('ERR_CONTROL', 'the server has ended meanwhile')
      return answer.result
    },
    close: () => Promise.resolve()
  }
}

function local({ operations, log, close }: OwnServer): Backend {
  return {
    async call(op, params = {}, emit = () => undefined) {
      const answer = await perform(operations, { op, params, user: caller() }, emit, log)
      if (answer.ok) return answer.result
      throw new CodedError(answer.error.code, answer.error.message)
    },
    close
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
