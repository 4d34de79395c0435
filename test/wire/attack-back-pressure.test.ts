import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { HANDLED } from '../../core/events/hooks'
import type { StanzaEvent } from '../../core/routing/event'
import { connected } from '../lib/component'
import { IM_HOST } from '../lib/config'
import { parseStanza } from '../lib/reader'
import { startTestServer } from '../lib/server'

/* Two servers that wait for each other to read would wait for ever. */

const ECHO = 'echo.localhost'
const SECRET = 'moves to the music'
const many = 270
const body = 'x'.repeat(50_000)
const owner = { module: 'test', host: '', begin: () => undefined, end: () => undefined }

test(
  'a component that answers everything, and a server that is slow to take the answers',
  { timeout: 40_000 },
  async t => {
    const home = await startTestServer(t, {
      hosts: {
        localhost: IM_HOST,
        [ECHO]: {
          type: 'component',
          modules: { component: { secret: SECRET, listen: [{ address: '127.0.0.1', port: 0 }] } }
        }
      }
    })
    const port = home.server.components.listeners.ports()[0]?.port
    const service = await startTestServer(t, {
      hosts: { [ECHO]: { type: 'component', modules: { upstream: { port, secret: SECRET } } } },
      modules: { c2s: false, websocket: false },
      config: { http: { listen: [] } }
    })
    await connected(service, 1)
    const echo = service.server.domains.get(ECHO)
    const local = home.server.domains.get('localhost')
    assert.ok(echo && local)
    let echoed = 0
    echo.hooks.add(
      'message/host',
      ({ stanza }: StanzaEvent) => {
        echoed++
        const { id } = stanza.attrs
        service.server.router.send(
          parseStanza(`<message from='${ECHO}' to='localhost' id='${id}'><body>${body}</body></message>`),
          echo
        )
        return HANDLED
      },
      owner
    )
    let taken = 0
    let allTaken = (): void => undefined
    const all = new Promise<void>(resolve => (allTaken = resolve))
    let release = (): void => undefined
    const released = new Promise<void>(resolve => (release = resolve))
    local.hooks.add(
      'message/host',
      async (): Promise<typeof HANDLED> => {
        await released
        if (++taken === many) allTaken()
        return HANDLED
      },
      owner
    )
    for (let n = 0; n < many; n++) {
      home.server.router.send(
        parseStanza(`<message from='localhost' to='${ECHO}' id='${n}'><body>${body}</body></message>`),
        local
      )
      await turn()
    }
    for (let n = 0, before = -1; before !== echoed || n < 50; n++) {
      before = echoed
      await turn()
    }
    t.diagnostic(`${echoed} of ${many} had come when the server began to take the answers`)
    release()
    // All of them, though each side had to wait for the other
    await all
  }
)
