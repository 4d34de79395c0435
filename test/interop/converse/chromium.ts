import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser } from 'playwright-core'

/** What keeps Chromium from being run, or false. */
export function chromiumIsMissing(): string | false {
  const found = (process.env.PATH ?? '')
    .split(':')
    .some(folder => fs.existsSync(path.join(folder, 'chromium')))
  return found ? false : "not installed: chromium (Debian's package of that name)"
}

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // This machine alone
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  '--remote-debugging-port=0'
]
/** Milliseconds that it may take to start, and to end. */
const START_LIMIT = 60_000
const END_LIMIT = 10_000

/** A Chromium without a window, in a process and on a folder of its own. */
export class Chromium {
  readonly #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-chromium-'))
  #child: ChildProcess | undefined

  async start(): Promise<Browser> {
    const child = spawn('chromium', [...FLAGS, `--user-data-dir=${this.#folder}/data`, 'about:blank'], {
      env: { ...process.env, HOME: this.#folder, LANG: 'C.UTF-8' },
      stdio: ['ignore', 'ignore', 'pipe']
    })
    this.#child = child
    return chromium.connectOverCDP(await toldAddress(child))
  }

  /** Ends it, by its handle, and removes its folder. */
  async close(): Promise<void> {
    const child = this.#child
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), END_LIMIT)
      await ended
      clearTimeout(late)
    }
    fs.rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 })
  }
}

/** Where it takes orders: it says so on standard error. */
function toldAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const fail = (why: string): void => reject(new Error(`Chromium ${why}:\n${said}`))
    const late = setTimeout(() => fail(`was not ready after ${START_LIMIT} ms`), START_LIMIT)
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const address = /DevTools listening on (ws:\S+)/.exec(said)?.[1]
      if (address === undefined) return
      clearTimeout(late)
      resolve(address)
    })
    child.once('error', error => fail(error.message))
    child.once('exit', code => fail(`ended with ${code}`))
  })
}
