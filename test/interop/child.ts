import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Debian's libraries belong to Debian's Python, whatever other is on the path. */
export const PYTHON = '/usr/bin/python3'

export interface Told {
  code: number | null
  stdout: string
  /** Both outputs, to say what happened. */
  all: string
}

/** Runs a client in a process of its own, its settings as JSON on standard input. */
export async function runs(
  command: readonly string[],
  settings: object,
  env: NodeJS.ProcessEnv = {}
): Promise<Told> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  const told: Told = { code: null, stdout: '', all: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    told.stdout += chunk.toString()
    told.all += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => (told.all += chunk.toString()))
  // A client that ends before it has read them closes the pipe.
  child.stdin.on('error', () => undefined)
  child.stdin.end(JSON.stringify(settings))
  const [code] = (await once(child, 'close')) as [number | null]
  told.code = code
  return told
}
