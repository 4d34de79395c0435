import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { xml } from '@xmpp/client'

const COMMANDS = 'http://jabber.org/protocol/commands'
const ADMIN = 'http://jabber.org/protocol/admin'
const OWN = 'urn:balcony:admin'
const CHANNELS = 'channels.localhost'
const LIMIT = 30_000
const PROGRAM = fileURLToPath(new URL('../bin/balcony.js', import.meta.url))

/** Server buddies, from an administrator's own client. */
export async function trustEachOther({ admin }, { scene, tells }) {
  scene('Act I, scene 4. In the town hall')
  await runs(admin, 'localhost', `${ADMIN}#server-buddy`, { peerjid: CHANNELS })
  await admin.finds('the prompt', stanza => stanza.is('message') && stanza.attrs.from === CHANNELS)
  tells('the administrator lets localhost ask channels.localhost for its trust; who runs that is asked.')
  await runs(admin, CHANNELS, `${OWN}#server-buddy-pending`, { peers: 'localhost', decision: 'approve' })
  await agree(admin)
  tells('he says yes: each of the two is now in the other’s server roster, both ways.')
}

/** A module is swapped while people write. */
export async function swapUnderTheirFeet({ juliet, romeo }, { tells }, { config }) {
  const words = Array.from({ length: 40 }, (_, at) => `word ${at}`)
  const heard = (async () => {
    for (const word of words)
      await romeo.finds(word, stanza => stanza.is('message') && stanza.getChildText('body') === word)
  })()
  const swapped = balcony('module', 'reload', 'message', '--config', config)
  for (const word of words)
    await juliet.sends(xml('message', { to: romeo.jid, type: 'chat' }, xml('body', {}, word)))
  assert.equal(await swapped, 0)
  await heard
  tells('the code that delivers messages is swapped while forty of them fly. All arrive, in order, once.')
}

async function balcony(...args) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: 'ignore', timeout: LIMIT })
  const [code] = await once(child, 'close')
  return code
}

/** Runs an ad-hoc command, with one form at most. */
async function runs(person, host, node, said) {
  const first = await person.asks('set', host, xml('command', { xmlns: COMMANDS, node, action: 'execute' }))
  if (!said) return first
  const asked = first.getChild('command')
  const type = asked.getChild('x', 'jabber:x:data').getChildByAttr('var', 'FORM_TYPE').getChildText('value')
  const fields = Object.entries({ FORM_TYPE: type, ...said }).map(([name, value]) =>
    xml('field', { var: name }, xml('value', {}, value))
  )
  const form = xml('x', { xmlns: 'jabber:x:data', type: 'submit' }, ...fields)
  const { sessionid } = asked.attrs
  return person.asks('set', host, xml('command', { xmlns: COMMANDS, node, sessionid }, form))
}

async function agree(admin) {
  const until = Date.now() + LIMIT
  for (const host of ['localhost', CHANNELS]) {
    let list = ''
    do list = String(await runs(admin, host, `${OWN}#server-buddy-list`))
    while (!list.includes('<value>both</value>') && Date.now() < until)
    assert.ok(list.includes('<value>both</value>'), `${host} does not trust the other: ${list}`)
  }
}
