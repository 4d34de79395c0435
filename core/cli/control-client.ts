import net from 'node:net'
import { CodedError } from '../errors'
import { caller } from './caller'
import { BUSY, MAX_ANSWER, type Answer, type Line } from './control-protocol'

/** Milliseconds until a server that says nothing is given up: a reload may wait for handlers. */
const PATIENCE = 120_000

/** There is no server: no socket, or one that a killed server left behind. */
const NOBODY = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR'])

/**
 * Asks the server at that socket. Resolves with `undefined` when there is none; rejects with the CodedError that
 * the server answers, or with `ERR_CONTROL`.
 */
export function askServer(
  path: string,
  op: string,
  params: unknown,
  emit: (line: string) => void
): Promise<{ result: unknown } | undefined> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path })
    let text = ''
    const fail = (message: string): void => {
      socket.destroy()
      reject(new CodedError('ERR_CONTROL', message))
    }
    const settle = (answer: Answer): void => {
      if (answer.ok) resolve({ result: answer.result })
      else reject(new CodedError(answer.error.code, answer.error.message))
    }
    socket.setTimeout(PATIENCE, () => fail('the server does not answer'))
    socket.on('connect', () => socket.write(`${JSON.stringify({ op, params, user: caller() })}\n`))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      socket.destroy()
      if (NOBODY.has(error.code ?? '')) resolve(undefined)
      // It was not taken: there was no room even for being told so
      else if (error.code === 'EPIPE') reject(new CodedError('ERR_CONTROL_BUSY', BUSY))
      else if (error.code === 'EACCES') fail(`the server at ${path} belongs to another user of this machine`)
      else fail(`the server at ${path} cannot be asked: ${error.message}`)
    })
    socket.on('close', () => fail('the server has ended before it answered'))
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.length > MAX_ANSWER) return fail('the answer is too long')
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        const message = parse(line)
        if (!message) return fail('the answer cannot be read')
        if ('line' in message) emit(message.line)
        else {
          socket.end()
          settle(message)
        }
      }
    })
  })
}

function parse(line: string): Answer | Line | undefined {
  try {
    return JSON.parse(line) as Answer | Line
  } catch {
    return undefined
  }
}
