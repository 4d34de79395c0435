// time limit: 240 s
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { forEachDatabase } from '../lib/databases'
import { Terminal } from '../lib/terminal'
import { PASSWORD, scenario } from '../lib/wire'
import {
  affiliate,
  configure,
  count,
  create,
  does,
  entry,
  event,
  iq,
  JULIET,
  node,
  OWNER,
  POSTS,
  publish,
  rating,
  register,
  replyTo,
  retract,
  ROMEO,
  startChannels,
  subscribe,
  tag,
  TOPICS
} from '../modules/mod_channels/lib'
import { profanityIsMissing } from './logins/profanity'

/** A client that knows nothing of channels, of somebody who follows some, beside one that does. */

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
  await terminal.types(`/connect ${ROMEO} server 127.0.0.1 port ${port} tls disable`)
  await terminal.shows(/Enter password:/)
  await terminal.types(PASSWORD)
  await terminal.shows(/logged in successfully/)
  return terminal
}

/** What profanity says of stanzas that it does not like, on a screen; that there are no carbons is another matter. */
function complaints(screen: string): string[] {
  return screen
    .split('\n')
    .filter(line => /error|fail|invalid|unable|unknown/i.test(line) && !line.includes('message carbons'))
}

const TOPIC = node(`verona@${TOPICS}`, 'posts')

forEachDatabase(database => {
  test('profanity: channels do not disturb a follower', { skip: profanityIsMissing() }, async t => {
    const server = await startChannels(t, database)
    const cast = {
      juliet: { jid: `${JULIET}/balcony`, presence: true },
      romeo: { jid: `${ROMEO}/orchard`, presence: true },
      tybalt: { jid: 'tybalt@localhost/square', presence: true }
    }
    await scenario(server, cast, async ({ juliet, romeo, tybalt }) => {
      const terminal = await profanity(t, server.ports.tcp as number)
      await does(juliet, register())
      await does(romeo, register())
      await does(romeo, subscribe(ROMEO))
      await does(tybalt, subscribe('tybalt@localhost'))
      await does(juliet, affiliate(ROMEO, 'publisher'))
      // all kinds of notifications
      await does(juliet, publish(entry('O Romeo, Romeo!'), { id: 'one' }))
      await romeo.finds(event(`<items node='${POSTS}'><item id='${tag('one')}'/></items>`))
      await does(romeo, publish(entry('Shall I hear more?', replyTo(tag('one'))), { id: 'two' }))
      await does(romeo, publish(rating('5', tag('one'))))
      await does(juliet, configure({ 'pubsub#title': 'The balcony' }))
      await does(juliet, affiliate('tybalt@localhost', 'outcast'))
      await does(juliet, retract('one'))
      // and an invitation, which is no headline
      await does(juliet, create(TOPIC))
      await does(
        juliet,
        iq(
          'set',
          `<subscriptions node='${TOPIC}'><subscription jid='${ROMEO}' subscription='invited'/></subscriptions>`,
          OWNER
        )
      )
      await does(juliet, iq('set', `<delete node='${TOPIC}'/>`, OWNER))
      await does(juliet, register('<remove/>'))
      await romeo.finds(event(`<delete node='${POSTS}'/>`))
      // it still chats
      await juliet.sends(
        `<message to='${ROMEO}' type='chat'><body>Wherefore art thou Romeo?</body></message>`
      )
      await terminal.shows(/Chat message from: (?:juliet@localhost|.*balcony)|<< chat message/)
      assert.deepEqual(complaints(await terminal.screen()), [])
      await terminal.types(`/msg ${JULIET} Call me but love`)
      await terminal.shows(/Wherefore art thou Romeo[^]*Call me but love/)
      await juliet.finds(`<message type='chat'><body>Call me but love</body></message>`)
      await terminal.types('/win 1')
      assert.deepEqual(complaints(await terminal.shows(/chat message/i)), [])
      await terminal.types('/quit')
      assert.equal(await terminal.ends(), 0)
      // and it sent no errors back
      assert.equal(await count(server, 'channel_bounces'), 0)
    })
    assert.deepEqual(server.errors(), [])
  })
})
