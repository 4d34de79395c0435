import fs from 'node:fs'
import net, { type Server, type Socket } from 'node:net'
import { CodedError } from '../errors'
import type { Log } from '../log'
import {
  BUSY,
  FAREWELL_TIME,
  MAX_CONNECTIONS,
  MAX_REQUEST,
  MAX_TURNED_AWAY,
  REQUEST_TIME,
  type Answer,
  type ControlOperations,
  type Line
} from './control-protocol'
import { perform } from './perform'

/** The longest path of a Unix socket; what is longer, the system cuts off in silence. */
const MAX_PATH = process.platform === 'darwin' ? 103 : 107

/** Takes what the command line asks for. Whoever opens it holds the lock of the data folder. */
export class ControlServer {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Of them, those that are told to come back. */
  #turnedAway = 0

  private constructor(
    private readonly path: string,
    private readonly operations: ControlOperations,
    private readonly log: Log
  ) {
    this.#server = net.createServer({ allowHalfOpen: true }, socket => this.#accept(socket))
    this.#server.maxConnections = MAX_CONNECTIONS + MAX_TURNED_AWAY
  }

  /** Throws `ERR_CONTROL_SOCKET`. A socket that a killed server left behind is replaced. */
  static async open(path: string, operations: ControlOperations, log: Log): Promise<ControlServer> {
    if (Buffer.byteLength(path) > MAX_PATH) {
      throw new CodedError(
        'ERR_CONTROL_SOCKET',
        `the path of the control socket is longer than ${MAX_PATH} bytes: ${path}`
      )
    }
    const control = new ControlServer(path, operations, log)
    fs.rmSync(path, { force: true })
    await control.#listen()
    return control
  }

  #listen(): Promise<void> {
    const server = this.#server
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void =>
        reject(
          new CodedError('ERR_CONTROL_SOCKET', `no control socket at ${this.path}: ${error.message}`, {
            cause: error
          })
        )
      server.once('error', failed)
      // Nobody else may open it, not even for the moment until its mode could be changed
      const umask = process.umask(0o177)
      try {
        server.listen(this.path, () => {
          server.off('error', failed)
          server.on('error', err => this.log.error({ err }, 'the control socket failed'))
          resolve()
        })
      } finally {
        process.umask(umask)
      }
    })
  }

  /** Takes nothing more. Answers under way are given `wait` milliseconds. */
  async close(wait = 1000): Promise<void> {
    const closed = new Promise<void>(resolve => void this.#server.close(() => resolve()))
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, wait)
    await closed
    clearTimeout(timer)
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    if (this.#sockets.size - this.#turnedAway > MAX_CONNECTIONS) return this.#turnAway(socket)
    const timer = setTimeout(() => socket.destroy(), REQUEST_TIME)
    socket.on('close', () => clearTimeout(timer))
    let text = ''
    const read = (chunk: string): void => {
      text += chunk
      const end = text.indexOf('\n')
      if (end < 0 && text.length <= MAX_REQUEST) return
      socket.off('data', read)
      socket.resume()
      clearTimeout(timer)
      void this.#answer(socket, end < 0 ? undefined : text.slice(0, end))
    }
    socket.setEncoding('utf8').on('data', read)
    socket.on('end', () => {
      if (!text.includes('\n')) socket.destroy()
    })
  }

  #turnAway(socket: Socket): void {
    this.#turnedAway++
    const timer = setTimeout(() => socket.destroy(), FAREWELL_TIME)
    socket.on('close', () => {
      this.#turnedAway--
      clearTimeout(timer)
    })
    // What is asked is read: where it is left unread, the answer is lost with the connection
    socket.resume()
    void send(socket, { ok: false, error: { code: 'ERR_CONTROL_BUSY', message: BUSY } })
    socket.end()
  }

  async #answer(socket: Socket, line: string | undefined): Promise<void> {
    const request = line === undefined || line.length > MAX_REQUEST ? undefined : parse(line)
    const emit = (one: string): Promise<void> | undefined => send(socket, { line: one })
    await send(socket, await perform(this.operations, request, emit, this.log))
    socket.end()
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Writes a line; a promise where the other end has to catch up first. */
function send(socket: Socket, message: Answer | Line): Promise<void> | undefined {
  if (!socket.writable || socket.write(`${JSON.stringify(message)}\n`)) return undefined
  return new Promise(resolve => {
    const done = (): void => {
      socket.off('drain', done)
      socket.off('close', done)
      resolve()
    }
    socket.on('drain', done)
    socket.on('close', done)
  })
}
