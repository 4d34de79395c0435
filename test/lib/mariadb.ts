import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import os from 'node:os'
import path from 'node:path'

export interface MariaDB {
  /** Path of its socket. The user is `root`, without a password. */
  socket: string
  /** Process id of the server. */
  pid: number
  stop(): Promise<void>
}

const START_LIMIT = 30_000
// Small and quick to start; as durable as MariaDB is by default; with defaults that merge names, because what
// identifies must not depend on them.
const SETTINGS = [
  '--skip-networking',
  '--skip-log-bin',
  '--skip-name-resolve',
  '--performance-schema=OFF',
  '--innodb-buffer-pool-size=32M',
  '--innodb-log-file-size=16M',
  '--innodb-flush-log-at-trx-commit=1',
  '--max-allowed-packet=64M',
  '--max-connections=400',
  '--character-set-server=utf8mb4',
  '--collation-server=utf8mb4_general_ci'
]
// Ends the server when standard input ends: when whoever started it asks, or is gone, even by kill -9.
const GUARD = `
folder=$1; log=$2; shift 2
"$@" </dev/null >"$log" 2>&1 & pid=$!
echo $pid
read _
kill $pid 2>/dev/null
wait $pid
rm -rf "$folder"
`

/** Why there can be no MariaDB here, or undefined. */
export function mariadbMissing(): string | undefined {
  const missing = [['mariadbd', 'mysqld'], ['mariadb-install-db']].find(names => !find(names))
  return missing && `${missing[0] ?? ''} is not installed (Debian: apt-get install mariadb-server)`
}

/** Starts a private server on a temporary folder. It ends with `stop`, or with this process however that ends. */
export async function startMariadb(): Promise<MariaDB> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-mariadb-'))
  const data = path.join(folder, 'data')
  const socket = path.join(folder, 'socket')
  const log = path.join(folder, 'log')
  const user = os.userInfo().username
  const common = ['--no-defaults', `--user=${user}`, `--datadir=${data}`, `--tmpdir=${folder}`]
  install(common, folder)
  const server = [find(['mariadbd', 'mysqld']) as string, ...common, `--socket=${socket}`, ...SETTINGS]
  const child = spawn('/bin/sh', ['-c', GUARD, 'sh', folder, log, ...server], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    child.ref()
    child.stdin.end()
    await ended
  }
  try {
    await ready(socket, log)
  } catch (error) {
    await stop()
    throw error
  }
  // Whoever forgets to stop it must not be kept alive by it.
  child.unref()
  ;(child.stdin as Socket).unref()
  ;(child.stdout as Socket).unref()
  return { socket, pid: Number(line.toString()), stop }
}

function install(common: string[], folder: string): void {
  try {
    execFileSync(
      find(['mariadb-install-db']) as string,
      [...common, '--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve'],
      { stdio: 'pipe' }
    )
  } catch (error) {
    fs.rmSync(folder, { recursive: true, force: true })
    const { stdout, stderr } = error as { stdout?: Buffer; stderr?: Buffer }
    throw new Error(`mariadb-install-db failed: ${String(stderr)}${String(stdout)}`)
  }
}

async function ready(socket: string, log: string): Promise<void> {
  const until = Date.now() + START_LIMIT
  // The socket is there a moment before anybody listens on it.
  while (!(await answers(socket))) {
    if (Date.now() > until) throw new Error(`mariadbd does not start:\n${fs.readFileSync(log, 'utf8')}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const attempt = connect(socket)
    attempt.once('error', () => resolve(false))
    // The server speaks first; whoever leaves before is counted as one who failed.
    attempt.once('data', () => {
      attempt.destroy()
      resolve(true)
    })
  })
}

function find(names: string[]): string | undefined {
  // Debian has servers where the path of an ordinary user does not lead.
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  return folders
    .flatMap(folder => names.map(name => path.join(folder, name)))
    .find(file => fs.existsSync(file))
}
