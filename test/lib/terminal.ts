import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** Milliseconds that a person would wait for the screen to change. */
const LIMIT = 30_000

/** A terminal (tmux) with a program in it: what a person types, and what they see. */
export class Terminal {
  readonly #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-terminal-'))

  #tmux(...args: string[]): Promise<{ stdout: string }> {
    // A tmux of our own: no other's sessions, and not its user's config.
    return run('tmux', ['-S', path.join(this.#folder, 'socket'), '-f', '/dev/null', ...args])
  }

  /** Starts a program, given as a shell takes it. */
  async start(command: string): Promise<void> {
    // The shell waits for our `close`, so that its last words can be read.
    const shell = `${command}; echo "[ended: $?]"; read -r _`
    await this.#tmux('new-session', '-d', '-x', '150', '-y', '50', shell)
  }

  async types(line: string): Promise<void> {
    await this.#tmux('send-keys', '-l', line)
    await this.#tmux('send-keys', 'Enter')
  }

  /** One key, by tmux's name for it: `C-c`, `Up`. */
  async presses(key: string): Promise<void> {
    await this.#tmux('send-keys', key)
  }

  async screen(): Promise<string> {
    return (await this.#tmux('capture-pane', '-p')).stdout
  }

  /** Resolves with the screen as soon as it matches. */
  async shows(pattern: RegExp): Promise<string> {
    const until = Date.now() + LIMIT
    for (;;) {
      const screen = await this.screen()
      if (pattern.test(screen)) return screen
      if (Date.now() > until) throw new Error(`the screen does not show ${String(pattern)}:\n${screen}`)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }

  /** Resolves with the exit status of the program when it has ended. */
  async ends(): Promise<number> {
    return Number(/\[ended: (\d+)\]/.exec(await this.shows(/\[ended: \d+\]/))?.[1])
  }

  /** Ends the terminal and whatever runs in it. */
  async close(): Promise<void> {
    await this.#tmux('kill-server').catch(() => undefined)
    fs.rmSync(this.#folder, { recursive: true, force: true })
  }
}
