// time limit: 180 s
import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { PASSWORD, scenario } from '../lib/wire'
import { agrees, rosterOf } from '../modules/mod_server_buddy/hosts'
import { adminServer } from './admin-server'
import { Chromium, chromiumIsMissing } from './converse/chromium'
import { Converse } from './converse/converse'
import { ConverseSite } from './converse/site'

/** converse.js in Chromium over Balcony's WebSocket: an administrator at its window of ad-hoc commands. */

const HERE = 'localhost'
const THERE = 'peer.localhost'
const ADMIN = `admin@${HERE}`
const skip = chromiumIsMissing()

async function begin(t: TestContext) {
  const server = await adminServer(t)
  const site = new ConverseSite(server.ports.ws as number)
  t.after(() => site.close())
  const url = await site.start()
  const chromium = new Chromium()
  t.after(() => chromium.close())
  const browser = await chromium.start()
  const opens = async (jid: string): Promise<Converse> => {
    const converse = await Converse.opens(browser, url)
    await converse.logsIn(jid, PASSWORD)
    return converse
  }
  return { server, opens }
}

test('converse.js: an administrator runs commands from its own window', { skip }, async t => {
  const { server, opens } = await begin(t)
  const converse = await opens(ADMIN)
  const commands = await converse.opensCommands()

  await t.test('at the host, and at the own account', async () => {
    for (const address of [ADMIN, HERE]) {
      await commands.asks(address)
      const names = await commands.names(address)
      assert.ok(names.includes('Subscribe to a Peer Server') && names.includes('Add User'), names.join('\n'))
    }
  })

  await t.test('what is wrong is told, and what was typed is kept', async () => {
    const form = await commands.opens('Subscribe to a Peer Server')
    await commands.shows('Fill out this form to subscribe your server to a peer server.')
    await form.getByLabel('The domain name of the peer server').fill(`user@${THERE}`)
    await commands.presses('Complete')
    await commands.shows(/the domain of a server is expected/)
    assert.equal(await form.locator('input[name=peerjid]').inputValue(), `user@${THERE}`)
  })

  await scenario(server, { admin: `${ADMIN}/y` }, async ({ admin }) => {
    await t.test('XEP-0267 §2: subscribe to a peer server', async () => {
      assert.deepEqual(await rosterOf(admin, HERE), {})
      await commands.form.locator('input[name=peerjid]').fill(THERE)
      await commands.presses('Complete')
      await commands.shows(`The request has left; ${THERE} has not answered yet.`)
      await agrees(admin, HERE, { [THERE]: 'none out' })
    })

    await t.test('the request is a message that a person can read', async () => {
      await converse.closesSettings()
      await converse.page.getByText(THERE, { exact: true }).first().click()
      await converse.page.getByText(`The server ${HERE} asks to be a buddy of ${THERE}.`).waitFor()
    })

    await t.test('a pending request is approved in the window', async () => {
      const commands = await converse.opensCommands()
      await commands.asks(THERE)
      await commands.names(THERE)
      const form = await commands.opens('Pending buddy requests')
      await form.locator('select[name=peers]').selectOption(HERE)
      await form.locator('select[name=decision]').selectOption({ label: 'Approve' })
      await commands.presses('Complete')
      await commands.shows(`${HERE} was approved`)
      await agrees(admin, HERE, { [THERE]: 'both' })
      await agrees(admin, THERE, { [HERE]: 'both' })
    })
  })

  await t.test('an account is added; a form that is canceled is gone', async () => {
    await commands.asks(HERE)
    await commands.names(HERE)
    const canceled = await commands.opens('Delete User')
    await commands.presses('Cancel')
    await canceled.waitFor({ state: 'detached' })
    const form = await commands.opens('Add User')
    await form.getByLabel('The Jabber ID for the account to be added').fill(`nurse@${HERE}`)
    await form.locator('input[name=password]').fill('a long secret')
    await form.locator('input[name=password-verify]').fill('another secret')
    await commands.presses('Complete')
    await commands.shows(/is not the same as the password/)
    await form.locator('input[name=password]').fill('a long secret')
    await form.locator('input[name=password-verify]').fill('a long secret')
    await commands.presses('Complete')
    await commands.shows(`nurse@${HERE} was added`)
    assert.equal(await server.server.accounts.exists('nurse', HERE), true)
  })

  await t.test('who administers nothing is shown nothing', async () => {
    const romeo = await opens(`romeo@${HERE}`)
    const his = await romeo.opensCommands()
    await his.asks(HERE)
    await his.shows(/No commands found/)
    assert.deepEqual(romeo.complaints, [])
  })

  assert.deepEqual(converse.complaints, [])
  assert.deepEqual(server.errors(), [])
})
