import assert from 'node:assert/strict'
import test from 'node:test'
import { conditionOf } from '../../lib/client'
import { scenario, type Player } from '../../lib/wire'
import { COMMANDS, startWithCommands } from './commands'

const DISCO = 'http://jabber.org/protocol/disco'

function info(player: Player, to: string, node = '') {
  return player.request(
    `<iq type='get' id='info' to='${to}'><query xmlns='${DISCO}#info' ${node && `node='${node}'`}/></iq>`
  )
}

function items(player: Player, to: string, node: string) {
  return player.request(
    `<iq type='get' id='items' to='${to}'><query xmlns='${DISCO}#items' node='${node}'/></iq>`
  )
}

test('XEP-0050 §2.1: the feature is there, for the host and the account, as long as the module is', async t => {
  const server = await startWithCommands(t)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    const has = async (to: string): Promise<boolean> =>
      (await info(juliet, to)).toString().includes(`var="${COMMANDS}"`)
    for (const to of ['localhost', 'juliet@localhost']) assert.equal(await has(to), true)
    await server.server.manager.unload('adhoc')
    for (const to of ['localhost', 'juliet@localhost']) assert.equal(await has(to), false)
  })
})

test('XEP-0050 §2.2: commands are listed and described to whoever may run them', async t => {
  const server = await startWithCommands(t)
  await scenario(
    server,
    { juliet: 'juliet@localhost/balcony', mallory: 'mallory@localhost/x' },
    async ({ juliet, mallory }) => {
      // §5: with the own address only; not the one for operators
      juliet.unread.push(await items(juliet, 'localhost', COMMANDS))
      await juliet.receives(
        `<iq type='result' from='localhost'><query xmlns='${DISCO}#items' node='${COMMANDS}' t:exact='yes' xmlns:t='t'>
           <item jid='localhost' node='config' name='Configure Service'/>
           <item jid='localhost' node='list' name='List Services'/>
           <item jid='localhost' node='fails' name='Fail'/>
         </query></iq>`
      )
      juliet.unread.push(await items(juliet, 'juliet@localhost', COMMANDS))
      await juliet.receives(
        `<iq type='result'><query xmlns='${DISCO}#items' node='${COMMANDS}' t:exact='yes' xmlns:t='t'>
           <item jid='juliet@localhost' node='list' name='List Services'/>
         </query></iq>`
      )
      juliet.unread.push(await info(juliet, 'localhost', COMMANDS))
      await juliet.receives(
        `<iq type='result'><query xmlns='${DISCO}#info' node='${COMMANDS}'><identity category='automation' type='command-list'/></query></iq>`
      )
      juliet.unread.push(await info(juliet, 'localhost', 'config'))
      await juliet.receives(
        `<iq type='result'><query xmlns='${DISCO}#info' node='config'>
           <identity category='automation' type='command-node' name='Configure Service'/>
           <feature var='${COMMANDS}'/>
           <feature var='jabber:x:data'/>
         </query></iq>`
      )
      // a command is a node with nothing below it
      juliet.unread.push(await items(juliet, 'localhost', 'config'))
      await juliet.receives(
        `<iq type='result'><query xmlns='${DISCO}#items' node='config' t:exact='yes' xmlns:t='t'/></iq>`
      )
      assert.equal(conditionOf(await info(juliet, 'localhost', 'restart')), 'forbidden')
      assert.equal(conditionOf(await items(juliet, 'localhost', 'restart')), 'forbidden')
      assert.equal(conditionOf(await info(juliet, 'localhost', 'unknown')), 'item-not-found')
      assert.equal(conditionOf(await items(juliet, 'localhost', 'unknown')), 'item-not-found')
      // at an account its owner finds them, nobody else
      assert.equal(conditionOf(await info(juliet, 'juliet@localhost', 'config')), 'item-not-found')
      for (const to of ['juliet@localhost', 'nobody@localhost']) {
        assert.doesNotMatch((await items(mallory, to, COMMANDS)).toString(), /<item/)
        assert.equal(conditionOf(await info(mallory, to, 'list')), 'item-not-found')
      }
    }
  )
})
