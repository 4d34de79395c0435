import assert from 'node:assert/strict'
import fs from 'node:fs'
import test from 'node:test'
import type { CodedError } from '../../core/errors'
import { childOf, childrenOf, type Element } from '../../core/xml/element'
import { IM_HOST, testConfig } from '../lib/config'
import type { TestServerOptions } from '../lib/config'
import { startTestServer, TestServer } from '../lib/server'
import { scenario, type Player } from '../lib/wire'

/** XEP-0157: whom to ask, in disco#info of the host. */

const INFO = 'http://jabber.org/protocol/disco#info'

function serverInfo(options: Record<string, unknown>): TestServerOptions {
  return {
    hosts: {
      localhost: { modules: { ...(IM_HOST.modules as object), server_info: options } },
      'channels.localhost': { type: 'component', modules: {} }
    }
  }
}

async function formsOf(player: Player, to: string): Promise<Element[]> {
  const answer = await player.request(`<iq type='get' to='${to}'><query xmlns='${INFO}'/></iq>`)
  return childrenOf(childOf(answer, 'query') as Element, 'x', 'jabber:x:data')
}

test('§3, example 2: a field for each kind of address that is named, its values as they are written', async t => {
  const server = await startTestServer(
    t,
    serverInfo({
      abuse: ['mailto:abuse@shakespeare.lit', 'xmpp:abuse@shakespeare.lit'],
      feedback: ['http://shakespeare.lit/feedback.php'],
      status: ['https://status.shakespeare.lit']
    })
  )
  await scenario(server, { juliet: 'juliet@localhost/chamber' }, async ({ juliet }) => {
    await juliet.sends(`<iq type='get' id='disco1' to='localhost'><query xmlns='${INFO}'/></iq>`)
    await juliet.receives(
      `<iq from='localhost' id='disco1' type='result'><query xmlns='${INFO}'>
        <identity category='server' type='im'/>
        <x xmlns='jabber:x:data' type='result'>
          <field var='FORM_TYPE' type='hidden'><value>http://jabber.org/network/serverinfo</value></field>
          <field var='abuse-addresses'>
            <value>mailto:abuse@shakespeare.lit</value><value>xmpp:abuse@shakespeare.lit</value>
          </field>
          <field var='feedback-addresses'><value>http://shakespeare.lit/feedback.php</value></field>
          <field var='status-addresses'><value>https://status.shakespeare.lit</value></field>
        </x>
      </query></iq>`
    )
    assert.deepEqual(await formsOf(juliet, 'channels.localhost'), [])
  })
})

test('without an address there is no form; a changed config takes effect at once, an unload too', async t => {
  const options = serverInfo({})
  const server = await startTestServer(t, options)
  await scenario(server, { juliet: 'juliet@localhost/chamber' }, async ({ juliet }) => {
    assert.deepEqual(await formsOf(juliet, 'localhost'), [])
    const changed = serverInfo({ admin: ['xmpp:romeo@localhost'] })
    server.writeConfig(await testConfig(changed, `${server.folder}/data`))
    assert.equal((await server.server.api.config.reload()).ok, true)
    assert.match(String(await formsOf(juliet, 'localhost')), /<value>xmpp:romeo@localhost<\/value>/)
    assert.equal((await server.server.api.modules.unload('server_info')).ok, true)
    assert.deepEqual(await formsOf(juliet, 'localhost'), [])
  })
})

test('§3: what is no URI is a fault of the config, with the line and what to write', async t => {
  const wrong: [string, RegExp][] = [
    ['abuse@example.org', /expected a URI like mailto:abuse@example\.org/],
    ['mailto:nobody', /expected an address like mailto:admin@example\.org/],
    ['xmpp:@example.org', /expected an address like xmpp:admin@example\.org/],
    ['https:example.org', /expected an address like https:\/\/example\.org\//],
    ['mailto:a b@example.org', /expected a URI/],
    ['', /expected a URI/]
  ]
  for (const [address, told] of wrong) {
    const server = new TestServer(serverInfo({ support: [address] }))
    t.after(() => fs.rmSync(server.folder, { recursive: true, force: true }))
    await assert.rejects(server.start(), (error: CodedError) => {
      assert.equal(error.code, 'ERR_CONFIG')
      assert.match(error.message, told, address)
      assert.match(error.message, /server_info\.support\[0\]/)
      return true
    })
  }
})
