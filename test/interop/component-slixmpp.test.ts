import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import test from 'node:test'
import { IM_HOST } from '../lib/config'
import { startTestServer } from '../lib/server'
import { scenario } from '../lib/wire'
import { PYTHON, runs } from './child'

const skip =
  spawnSync(PYTHON, ['-c', 'import slixmpp']).status === 0
    ? (false as const)
    : "slixmpp is not installed (Debian's python3-slixmpp)"

const ECHO = 'echo.localhost'
const SECRET = 'moves to the music'
const COUNT = 200

test('a component made with slixmpp, attached to Balcony', { skip }, async t => {
  const component = { secret: SECRET, listen: [{ address: '127.0.0.1', port: 0 }] }
  const server = await startTestServer(t, {
    hosts: { localhost: IM_HOST, [ECHO]: { type: 'component', modules: { component } } }
  })
  const port = server.server.components.listeners.ports()[0]?.port
  await scenario(
    server,
    { juliet: { jid: 'juliet@localhost/balcony', presence: true } },
    async ({ juliet }) => {
      const settings = {
        host: '127.0.0.1',
        port,
        domain: ECHO,
        secret: SECRET,
        peer: juliet.jid,
        count: COUNT
      }
      const running = runs([PYTHON, path.join(__dirname, 'component.py')], settings)
      for (let i = 0; i < COUNT; i++)
        await juliet.receives(
          `<message from='n${i % 7}@${ECHO}/r' type='chat'><body>number ${i}</body></message>`
        )

      const info = await juliet.request(
        `<iq type='get' to='${ECHO}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
      )
      assert.match(String(info), /An echo/)
      const ping = await juliet.request(`<iq type='get' to='${ECHO}'><ping xmlns='urn:xmpp:ping'/></iq>`)
      assert.equal(ping.attrs.type, 'result')
      for (let i = 0; i < COUNT; i++)
        juliet.send(`<message to='any@${ECHO}' type='chat' id='${i}'><body>echo ${i}</body></message>`)
      for (let i = 0; i < COUNT; i++)
        await juliet.receives(`<message from='any@${ECHO}' type='chat'><body>echo ${i}</body></message>`)

      await juliet.request(`<iq type='get'><query xmlns='jabber:iq:roster'/></iq>`)
      await juliet.sends(`<presence to='friend@${ECHO}' type='subscribe'/>`)
      await juliet.finds(`<presence from='friend@${ECHO}' type='subscribed'/>`)
      await juliet.finds(`<presence from='friend@${ECHO}' type='!'/>`)

      await juliet.sends(`<message to='any@${ECHO}' type='chat'><body>farewell</body></message>`)
      const { code, stdout, all } = await running
      assert.equal(code, 0, all)
      assert.match(stdout, /ok a name that is not its own ends the stream/)
      await juliet.forgets()
      const away = await juliet.request(`<iq type='get' to='${ECHO}'><ping xmlns='urn:xmpp:ping'/></iq>`)
      assert.equal(away.attrs.type, 'error')
    }
  )
  assert.deepEqual(server.errors(), [])
})
