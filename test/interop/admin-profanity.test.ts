// time limit: 240 s
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { Terminal } from '../lib/terminal'
import { PASSWORD, scenario } from '../lib/wire'
import { agrees } from '../modules/mod_server_buddy/hosts'
import { adminServer } from './admin-server'
import { profanityIsMissing } from './logins/profanity'

/** An administrator with profanity: `/cmd list`, `/cmd exec`, and its forms. */

const ADMIN = 'http://jabber.org/protocol/admin'
const OWN = 'urn:balcony:admin'
const skip = profanityIsMissing()

async function profanity(t: TestContext, port: number): Promise<Terminal> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-profanity-'))
  const terminal = new Terminal()
  t.after(async () => {
    await terminal.close()
    fs.rmSync(home, { recursive: true, force: true })
  })
  const env = `HOME=${home} XDG_CONFIG_HOME=${home}/config XDG_DATA_HOME=${home}/data TERM=screen LANG=C.UTF-8`
  await terminal.start(`env ${env} profanity`)
  await terminal.shows(/Type '\/help'/)
  await terminal.types(`/connect admin@localhost server 127.0.0.1 port ${port} tls disable`)
  await terminal.shows(/Enter password:/)
  await terminal.types(PASSWORD)
  await terminal.shows(/logged in successfully/)
  return terminal
}

test('profanity: an administrator runs commands', { skip }, async t => {
  const server = await adminServer(t)
  const terminal = await profanity(t, server.ports.tcp as number)
  /** Clears the window, types, and waits for what comes of it. */
  const types = async (line: string, shown: RegExp): Promise<string> => {
    await terminal.types('/clear')
    await terminal.types(line)
    return terminal.shows(shown)
  }
  /** In the window with what the server says of commands. */
  const console = async (shown: RegExp): Promise<string> => {
    await terminal.types('/win 1')
    return terminal.shows(shown)
  }

  await t.test('the commands are listed, at the host and at the own account', async () => {
    for (const address of ['localhost', 'admin@localhost']) {
      const screen = await types(`/cmd list ${address}`, /urn:balcony:admin#server-buddy-remove/)
      assert.match(screen, /admin#add-user[^]*admin#server-buddy\n/)
    }
  })

  await t.test('wrong input is shown again with the reason; a user is added', async () => {
    await types(`/cmd exec ${ADMIN}#add-user localhost`, /\[field6\] Family name/)
    await terminal.types('/field1 nurse@localhost')
    await terminal.types('/field2 a long secret')
    await terminal.types('/field3 another secret')
    await types('/form submit', /password-verify: is not the same as the password/)
    await terminal.shows(/\[field1\] .*: nurse@localhost/)
    await terminal.types('/field2 a long secret')
    await terminal.types('/field3 a long secret')
    await terminal.types('/form submit')
    await console(/nurse@localhost was added/)
    assert.equal(await server.server.accounts.exists('nurse', 'localhost'), true)
  })

  await t.test('a count comes without a form; a form is canceled', async () => {
    await types(`/cmd exec ${ADMIN}#get-registered-users-num localhost`, /The number of registered users: 3/)
    await terminal.types('/form cancel')
    await console(/get-registered-users-num completed/)
    await types(`/cmd exec ${ADMIN}#delete-user localhost`, /\[field1\] The Jabber ID\(s\) to delete/)
    await terminal.types('/field1 add nurse@localhost')
    await terminal.types('/form cancel')
    await console(/delete-user executing/)
    assert.equal(await server.server.accounts.exists('nurse', 'localhost'), true)
  })

  await t.test('XEP-0267 §2: a peer server is asked, and approved by the form of the message', async () => {
    await types(`/cmd exec ${ADMIN}#server-buddy localhost`, /\[field1\] The domain name of the peer server/)
    await terminal.types('/field1 peer.localhost')
    await terminal.types('/form submit')
    await terminal.shows(/What became of the request: sent/)
    await terminal.types('/form cancel')
    await console(/The request has left; peer\.localhost has not answered yet/)
    await terminal.types('/win 2')
    await terminal.shows(/The server localhost asks to be a buddy of peer\.localhost/)
    await terminal.types('/field1 approve')
    await terminal.types('/form submit')
    await terminal.types('/win 2')
    await terminal.shows(/peer\.localhost: localhost was approved\./)
    await scenario(server, { admin: 'admin@localhost/y' }, ({ admin }) =>
      agrees(admin, 'localhost', { 'peer.localhost': 'both' })
    )
  })

  await t.test('a policy is chosen by its name', async () => {
    await types(`/cmd exec ${OWN}#server-buddy-policy localhost`, /\[always\] Approve all/)
    await terminal.types('/field1 never')
    await terminal.types('/form submit')
    await console(/The policy is: never/)
  })

  await terminal.types('/quit')
  await terminal.ends()
  assert.deepEqual(server.errors(), [])
})
