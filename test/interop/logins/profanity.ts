import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Eavesdropper } from './eavesdropper'
import { Terminal } from '../../lib/terminal'
import type { LoginSettings } from './ways'
import type { Told } from '../child'
import { STORY_PASSWORDS } from '../story-server'
import { TestClient } from '../../lib/client'

/** What keeps profanity from being run, or false. */
export function profanityIsMissing(): string | false {
  const missing = ['profanity', 'tmux', 'openssl'].filter(name => !onPath(name))
  return missing.length === 0
    ? false
    : `not installed: ${missing.join(', ')} (Debian's packages of that name)`
}

function onPath(name: string): boolean {
  return (process.env.PATH ?? '').split(':').some(folder => fs.existsSync(path.join(folder, name)))
}

/** A home of its own, with a CA that is trusted and one version of TLS that is spoken. */
function makeHome({ ca, tls }: LoginSettings): { home: string; command: string } {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-profanity-'))
  fs.mkdirSync(path.join(home, 'ca'))
  fs.copyFileSync(ca, path.join(home, 'ca/ca.crt'))
  execFileSync('openssl', ['rehash', path.join(home, 'ca')])
  const version = `TLSv${tls}`
  const conf = `openssl_conf = main
[main]
ssl_conf = ssl
[ssl]
system_default = all
[all]
MinProtocol = ${version}
MaxProtocol = ${version}
`
  fs.writeFileSync(path.join(home, 'openssl.cnf'), conf)
  const env = {
    HOME: home,
    XDG_CONFIG_HOME: `${home}/config`,
    XDG_DATA_HOME: `${home}/data`,
    OPENSSL_CONF: `${home}/openssl.cnf`,
    TERM: 'screen',
    LANG: 'C.UTF-8'
  }
  const assignments = Object.entries(env).map(([name, value]) => `${name}='${value}'`)
  return { home, command: `env ${assignments.join(' ')} profanity` }
}

/** profanity, as a person uses it: logs in, speaks with romeo, leaves. It does not show the TLS that it speaks. */
export async function profanityLogsIn(settings: LoginSettings): Promise<Told> {
  const { home, command } = makeHome(settings)
  const wire = await Eavesdropper.before(settings.port)
  const terminal = new Terminal()
  const told: Told = { code: null, stdout: '', all: '' }
  const says = (line: string): void => {
    told.stdout += `ok ${line}\n`
  }
  try {
    await terminal.start(command)
    await terminal.shows(/Type '\/help'/)
    await terminal.types(`/tls certpath set ${home}/ca`)
    const [bare = ''] = settings.jid.split('/')
    const policy = settings.transport === 'direct' ? 'legacy' : 'force'
    await terminal.types(`/connect ${bare} server ${settings.host} port ${wire.port} tls ${policy}`)
    await terminal.shows(/Enter password:/)
    await terminal.types(settings.password)
    const outcome = await terminal.shows(
      /logged in successfully|TLS certificate verification failed|Login failed/
    )
    if (!outcome.includes('logged in successfully')) {
      await terminal.types('/tls deny')
      await terminal.shows(/Login failed/)
    } else {
      says(`logged in over ${wire.tlsVersion}`)
      await speaks(terminal, settings)
      says('heard')
      await terminal.types('/disconnect')
      await terminal.shows(/logged out successfully/)
    }
    await terminal.types('/quit')
    const status = await terminal.ends()
    if (told.stdout !== '') {
      says('left')
      told.code = status
    }
  } catch (error) {
    told.all = String(error)
  } finally {
    told.all += told.stdout + (await terminal.screen().catch(() => ''))
    await terminal.close()
    wire.close()
    fs.rmSync(home, { recursive: true, force: true })
  }
  return told
}

async function speaks(terminal: Terminal, { plainPort, jid }: LoginSettings): Promise<void> {
  const romeo = await TestClient.connect({ port: plainPort, domain: 'localhost' })
  try {
    await romeo.login({ user: 'romeo', password: STORY_PASSWORDS['romeo@localhost'] ?? '' })
    await romeo.sends('<presence/>')
    await terminal.types('/msg romeo@localhost Is there anybody there? said the Traveller')
    const [bare = ''] = jid.split('/')
    await romeo.finds(`<message><body>Is there anybody there? said the Traveller</body></message>`)
    await romeo.sends(
      `<message to='${bare}' type='chat'><body>Tell them I came, and no one answered</body></message>`
    )
    await terminal.shows(/Tell them I came, and no one answered/)
    await terminal.types('/win 1')
  } finally {
    romeo.destroy()
  }
}
