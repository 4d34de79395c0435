import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf, type Element } from '../../core/xml/element'
import { Abroad } from '../lib/abroad'
import { IM_HOST, type TestServerOptions } from '../lib/config'
import { startTestServer } from '../lib/server'
import { scenario, type Player } from '../lib/wire'
import { agrees, NODES, runs } from '../modules/mod_server_buddy/hosts'

/** The command of XEP-0267, §2 and §6; what servers say to each other is in buddies.test.ts. */

const COMMANDS = 'http://jabber.org/protocol/commands'
const ADMIN = 'http://jabber.org/protocol/admin'

/** Two virtual hosts and a service, each with its own server roster. */
function hosts(): TestServerOptions {
  const admins = ['bard@shakespeare.lit']
  const modules = { ...(IM_HOST.modules as object), server_buddy: {} }
  return {
    hosts: {
      'shakespeare.lit': { admins, modules },
      'marlowe.lit': { admins, modules },
      'channels.shakespeare.lit': { type: 'component', admins, modules: { server_buddy: {} } }
    }
  }
}

const CAST = { bard: 'bard@shakespeare.lit/globe', groundling: 'groundling@shakespeare.lit/pit' }

async function submits(bard: Player, fields: string): Promise<string> {
  const to = 'shakespeare.lit'
  const form = await bard.request(
    `<iq type='set' to='${to}'><command xmlns='${COMMANDS}' node='${NODES.request}' action='execute'/></iq>`
  )
  const { sessionid } = (childOf(form, 'command') as Element).attrs
  const answer = await bard.request(
    `<iq type='set' to='${to}'><command xmlns='${COMMANDS}' node='${NODES.request}' sessionid='${sessionid}'>` +
      `<x xmlns='jabber:x:data' type='submit'>${fields}</x></command></iq>`
  )
  return String(answer)
}

test('XEP-0267 §2: the domain that asks is the one to which the iq was sent, a service too', async t => {
  const server = await startTestServer(t, hosts())
  await scenario(server, CAST, async ({ bard }) => {
    let abroad = new Abroad(server, 'marlowe.lit')
    for (const host of ['marlowe.lit', 'channels.shakespeare.lit', 'shakespeare.lit']) {
      if (host !== 'marlowe.lit') abroad = new Abroad(server, host)
      await runs(bard, host, NODES.request, { peerjid: 'Capulet.LIT' })
      // §1, example 1
      abroad.hears(`<presence from='${host}' to='capulet.lit' type='subscribe'/>`)
      await agrees(bard, host, { 'capulet.lit': 'none out' })
    }
    // At their own address it is the host of the account
    await runs(bard, 'bard@shakespeare.lit', NODES.request, { peerjid: 'bücher.lit' })
    abroad.hears(`<presence from='shakespeare.lit' to='bücher.lit' type='subscribe'/>`)
    await runs(bard, 'bard@shakespeare.lit', NODES.request, { peerjid: 'xn--bcher-kva.lit' })
    await agrees(bard, 'shakespeare.lit', { 'capulet.lit': 'none out', 'bücher.lit': 'none out' })
  })
  assert.deepEqual(server.errors(), [])
})

test('XEP-0267 §2 by XEP-0133 §6: at the host and at their own address, listed to administrators alone', async t => {
  const server = await startTestServer(t, hosts())
  await scenario(server, CAST, async ({ bard, groundling }) => {
    const listed = async (player: Player, to: string): Promise<string[]> => {
      const answer = await player.request(
        `<iq type='get' to='${to}'><query xmlns='http://jabber.org/protocol/disco#items' node='${COMMANDS}'/></iq>`
      )
      return [...String(answer).matchAll(/node="([^"]*server-buddy[^"]*)"/g)]
        .map(([, node = '']) => node)
        .sort()
    }
    const all = Object.values(NODES).sort()
    for (const to of ['shakespeare.lit', 'marlowe.lit', 'channels.shakespeare.lit', 'bard@shakespeare.lit'])
      assert.deepEqual(await listed(bard, to), all, to)
    for (const to of ['shakespeare.lit', 'groundling@shakespeare.lit'])
      assert.deepEqual(await listed(groundling, to), [], to)
    for (const node of all)
      assert.match(String(await runs(groundling, 'shakespeare.lit', node)), /<forbidden/)
  })
})

test('XEP-0267 §2, §6.2 by XEP-0133 §5: `peerjid` is one address; what is wrong is named', async t => {
  const server = await startTestServer(t, hosts())
  await scenario(server, CAST, async ({ bard }) => {
    const abroad = new Abroad(server, 'shakespeare.lit')
    const formType = `<field var='FORM_TYPE' type='hidden'><value>${ADMIN}</value></field>`
    const peer = (...values: string[]): string =>
      `<field var='peerjid'>${values.map(value => `<value>${value}</value>`).join('')}</field>`
    for (const [fields, wrong] of [
      [formType + peer('a.lit', 'b.lit', 'c.lit', 'd.lit', 'e.lit'), 'peerjid'],
      [formType + peer('a.lit') + peer('b.lit'), 'peerjid'],
      [formType + peer('bard@marlowe.lit'), 'peerjid'],
      [formType + peer('a.lit/x'), 'peerjid'],
      [formType + peer('shakespeare.lit'), 'peerjid'],
      [formType + peer('@'), 'peerjid'],
      [formType + peer('__proto__'), 'peerjid'],
      [formType + peer(), 'peerjid'],
      [formType, 'peerjid'],
      [`<field var='FORM_TYPE'><value>urn:example</value></field>` + peer('a.lit'), 'FORM_TYPE']
    ] as const) {
      const answer = await submits(bard, fields)
      assert.match(answer, new RegExp(`status="executing".*<note type="error">${wrong}`), fields)
    }
    abroad.hears()
    // Without FORM_TYPE, with fields that nobody knows, with a domain as the name of one
    await submits(bard, peer('capulet.lit') + `<field var='marlowe.lit'><value>x</value></field>`)
    abroad.hears(`<presence from='shakespeare.lit' to='capulet.lit' type='subscribe'/>`)
    await agrees(bard, 'shakespeare.lit', { 'capulet.lit': 'none out' })
  })
})
