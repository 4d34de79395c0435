import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'

// Ends the program when standard input ends: when whoever started it asks, or is gone, even by kill -9.
const GUARD = `
log=$1; shift
"$@" </dev/null >>"$log" 2>&1 & pid=$!
echo $pid
exec 2>/dev/null
read _
kill -9 $pid 2>/dev/null
wait $pid
`

/** A program of others that a test has started. */
export class Guarded {
  private constructor(
    /** Of the program itself. */
    readonly pid: number,
    private readonly shell: ChildProcess,
    readonly log: string
  ) {}

  /** @param log a file that gets everything that it writes */
  static async start(
    command: readonly string[],
    { log, env }: { log: string; env?: NodeJS.ProcessEnv }
  ): Promise<Guarded> {
    const shell = spawn('/bin/sh', ['-c', GUARD, 'sh', log, ...command], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env }
    })
    // It may have ended by itself when it is told to end.
    shell.stdin.on('error', () => undefined)
    const [line] = (await once(shell.stdout, 'data')) as [Buffer]
    return new Guarded(Number(line.toString()), shell, log)
  }

  /** Whether it still runs. */
  get running(): boolean {
    try {
      process.kill(this.pid, 0)
      return true
    } catch {
      return false
    }
  }

  /** Ends it by `kill -9`, and resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.shell.exitCode !== null) return
    const ended = once(this.shell, 'exit')
    this.shell.stdin?.end()
    await ended
  }

  /** Resolves when `ready` does; throws with the log when the program ends, or in vain after a while. */
  async until(ready: () => Promise<boolean>, limit = 60_000): Promise<void> {
    const end = Date.now() + limit
    while (!(await ready())) {
      if (!this.running) throw new Error(`it ended at its start:\n${this.said()}`)
      if (Date.now() > end) throw new Error(`it is not ready after ${limit} ms:\n${this.said()}`)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }

  said(): string {
    return fs.readFileSync(this.log, 'utf8')
  }
}

/** Where a program is; Debian has servers where the path of an ordinary user does not lead. */
export function find(name: string): string | undefined {
  return [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
    .map(folder => path.join(folder, name))
    .find(file => fs.existsSync(file))
}
