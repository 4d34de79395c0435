import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { childOf, childrenOf, childText } from '../../core/xml/element'
import type { Element } from '../../core/xml/element'
import { IM_HOST } from '../lib/config'
import { startTestServer } from '../lib/server'
import { PASSWORD, scenario } from '../lib/wire'
import type { Player } from '../lib/wire'
import { ADMIN, COMMANDS, execute, listed, run, statusOf, submit } from '../modules/mod_adhoc_admin/helpers'

/** What XEP-0133 asks of all its commands together; each has tests of its own, see docs/protocol.md. */

/** §4, without §4.6, which was retracted: the nodes of text and examples. */
const NODES: Readonly<Record<string, readonly string[]>> = {
  '4.1': ['add-user'],
  '4.2': ['delete-user'],
  '4.3': ['disable-user'],
  '4.4': ['reenable-user'],
  '4.5': ['end-user-session'],
  '4.7': ['change-user-password'],
  '4.8': ['get-user-roster'],
  '4.9': ['get-user-lastlogin'],
  '4.10': ['user-stats'],
  '4.11': ['edit-blacklist', 'add-to-blacklist-in', 'add-to-blacklist-out'],
  '4.12': ['edit-whitelist', 'add-to-whitelist', 'add-to-whitelist-in', 'add-to-whitelist-out'],
  '4.13': ['get-registered-users-num'],
  '4.14': ['get-disabled-users-num'],
  '4.15': ['get-online-users-num'],
  '4.16': ['get-active-users-num'],
  '4.17': ['get-idle-users-num'],
  '4.18': ['get-registered-users-list'],
  '4.19': ['get-disabled-users-list'],
  '4.20': ['get-online-users-list'],
  '4.21': ['get-active-users'],
  '4.22': ['get-idle-users'],
  '4.23': ['announce'],
  '4.24': ['set-motd'],
  '4.25': ['edit-motd'],
  '4.26': ['delete-motd'],
  '4.27': ['set-welcome'],
  '4.28': ['delete-welcome'],
  '4.29': ['edit-admin'],
  '4.30': ['restart'],
  '4.31': ['shutdown']
}
const ALL = Object.values(NODES)
  .flat()
  .map(name => `${ADMIN}#${name}`)

/** §8.2; XEP-0267 §6.2 adds `peerjid`. The examples of §4.30 and §4.31 have `delay` as list-single. */
const REGISTRY: Readonly<Record<string, string>> = {
  accountjid: 'jid-single',
  accountjids: 'jid-multi',
  activeuserjids: 'jid-multi',
  activeusersnum: 'text-single',
  adminjids: 'jid-multi',
  announcement: 'text-multi',
  blacklistjids: 'jid-multi',
  delay: 'list-single',
  disableduserjids: 'jid-multi',
  disabledusersnum: 'text-single',
  email: 'text-single',
  given_name: 'text-single',
  idleusersnum: 'text-single',
  ipaddresses: 'list-multi',
  lastlogin: 'text-single',
  loginsperminute: 'text-single',
  max_items: 'list-single',
  motd: 'text-multi',
  onlineresources: 'text-single',
  onlineuserjids: 'jid-multi',
  onlineusersnum: 'text-single',
  password: 'text-private',
  'password-verify': 'text-private',
  peerjid: 'jid-single',
  registereduserjids: 'jid-multi',
  registeredusersnum: 'text-single',
  rostersize: 'text-single',
  stanzaspersecond: 'text-single',
  surname: 'text-single',
  welcome: 'text-multi',
  whitelistjids: 'jid-multi'
}

async function begin(t: TestContext, script: (people: Record<'op' | 'juliet', Player>) => Promise<void>) {
  const administration = { adhoc_admin: {}, entity_lists: {}, server_buddy: {} }
  const modules = { ...(IM_HOST.modules as object), announce: {}, ...administration }
  const server = await startTestServer(t, {
    hosts: {
      localhost: { modules },
      'channels.localhost': { type: 'component', modules: administration }
    },
    config: { operators: ['op@localhost'] }
  })
  await server.server.accounts.setPassword('op', 'localhost', PASSWORD)
  const people = {
    op: { jid: 'op@localhost/balcony', presence: true },
    juliet: { jid: 'juliet@localhost/balcony', presence: true }
  } as const
  await scenario(server, people, script)
  assert.deepEqual(server.errors(), [])
}

function disco(player: Player, what: 'info' | 'items', to: string, node: string): Promise<Element> {
  const ns = `http://jabber.org/protocol/disco#${what}`
  return player.request(`<iq type='get' to='${to}'><query xmlns='${ns}' node='${node}'/></iq>`)
}

test('XEP-0133 §3, §4: all thirty live commands are advertised, by both names where there are two', async t => {
  assert.equal(Object.keys(NODES).length, 30)
  await begin(t, async ({ op }) => {
    for (const address of ['localhost', 'op@localhost']) {
      const there = await listed(op, address)
      assert.deepEqual(
        ALL.filter(node => !there.includes(node)),
        []
      )
      assert.deepEqual(
        there.filter(node => node.startsWith(`${ADMIN}#`) && !ALL.includes(node)),
        [`${ADMIN}#server-buddy`]
      )
      for (const node of ALL) {
        const query = childOf(await disco(op, 'info', address, node), 'query') as Element
        const { category, type } = (childOf(query, 'identity') as Element).attrs
        assert.deepEqual([category, type], ['automation', 'command-node'], node)
        const features = childrenOf(query, 'feature').map(({ attrs }) => attrs.var)
        assert.deepEqual(features, [COMMANDS, 'jabber:x:data'], node)
      }
    }
    // §4.6 was retracted
    assert.equal(statusOf(await execute(op, `${ADMIN}#get-user-password`)), 'item-not-found')
  })
})

test('XEP-0133 §3: a component answers for itself, with what it has', async t => {
  await begin(t, async ({ op }) => {
    const there = (await listed(op, 'channels.localhost')).filter(node => node.startsWith(`${ADMIN}#`))
    const lists = [...(NODES['4.11'] ?? []), ...(NODES['4.12'] ?? [])].map(name => `${ADMIN}#${name}`)
    assert.deepEqual(there.sort(), [...lists, `${ADMIN}#server-buddy`].sort())
    // What is said to one is not said to the other
    const edited = { blacklistjids: 'paris@verona.example' }
    assert.equal(
      statusOf(await run(op, `${ADMIN}#edit-blacklist`, edited, 'channels.localhost')),
      'completed'
    )
    const shown = (host: string): Promise<string> => execute(op, `${ADMIN}#edit-blacklist`, host).then(String)
    assert.match(await shown('channels.localhost'), /paris@verona\.example/)
    assert.doesNotMatch(await shown('localhost'), /paris@verona\.example/)
  })
})

test('XEP-0133 §5: conflict, forbidden, and what is not there', async t => {
  await begin(t, async ({ op, juliet }) => {
    const add = { accountjid: 'juliet@localhost', password: PASSWORD, 'password-verify': PASSWORD }
    assert.equal(statusOf(await run(op, `${ADMIN}#add-user`, add)), 'conflict')
    assert.equal(statusOf(await execute(juliet, `${ADMIN}#add-user`)), 'forbidden')
    // XEP-0050 §4.4 has item-not-found where this one has feature-not-implemented
    assert.equal(statusOf(await execute(op, `${ADMIN}#no-such-command`)), 'item-not-found')
    const nobody = { accountjids: 'nobody@localhost' }
    assert.equal(statusOf(await run(op, `${ADMIN}#get-user-roster`, nobody)), 'item-not-found')
  })
})

test('XEP-0133 §5: service-unavailable where the protocol of commands is not supported', async t => {
  const server = await startTestServer(t, { modules: { adhoc: false } })
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    assert.equal(statusOf(await execute(juliet, `${ADMIN}#add-user`)), 'service-unavailable')
  })
})

test('XEP-0133 §6: none of them is shown to or run by who administers nothing', async t => {
  await begin(t, async ({ juliet }) => {
    for (const address of ['localhost', 'channels.localhost', 'juliet@localhost'])
      assert.deepEqual(await listed(juliet, address), [], address)
    for (const node of ALL) {
      for (const address of ['localhost', 'juliet@localhost']) {
        assert.equal(statusOf(await execute(juliet, node, address)), 'forbidden', node)
        assert.equal(statusOf(await disco(juliet, 'info', address, node)), 'forbidden', node)
      }
      // At the operator's account there is nothing for anybody else
      assert.match(
        statusOf(await execute(juliet, node, 'op@localhost')),
        /item-not-found|service-unavailable/
      )
    }
  })
})

/** The fields of a form that say what type they are. */
function fieldsOf(answer: Element): { formType: string | undefined; types: Map<string, string> } {
  const form = childOf(childOf(answer, 'command') as Element, 'x')
  const fields = form ? childrenOf(form, 'field') : []
  const formType = fields.find(({ attrs }) => attrs.var === 'FORM_TYPE')
  if (formType) assert.equal(formType.attrs.type, 'hidden')
  const others = fields.filter(one => one !== formType)
  return {
    formType: formType && childText(formType, 'value'),
    types: new Map(others.map(({ attrs }) => [String(attrs.var), attrs.type ?? 'text-single']))
  }
}

test('XEP-0133 §4, §8.2: FORM_TYPE and fields are those of the registry, in forms and in results', async t => {
  await begin(t, async ({ op }) => {
    const seen = new Set<string>()
    const look = (answer: Element): void => {
      const { formType, types } = fieldsOf(answer)
      if (types.size > 0) assert.equal(formType, ADMIN)
      for (const [name, type] of types) {
        seen.add(name)
        // XEP-0068 §3.4
        if (!name.startsWith('{urn:balcony:admin}')) assert.equal(type, REGISTRY[name], `${name}: ${type}`)
      }
    }
    const juliet = 'juliet@localhost'
    const said: Record<string, Record<string, string>> = {
      'get-user-roster': { accountjids: juliet },
      'get-user-lastlogin': { accountjids: juliet },
      'user-stats': { accountjid: juliet }
    }
    for (const node of [...ALL, `${ADMIN}#server-buddy`]) {
      const name = node.slice(ADMIN.length + 1)
      // Two have nothing to show; nothing would start this server again, whose form is that of shutdown
      if (['delete-motd', 'delete-welcome', 'restart'].includes(name)) continue
      const first = await execute(op, node)
      assert.match(statusOf(first), /^(?:executing|completed)$/, node)
      look(first)
      if (name.startsWith('get-') || said[name]) {
        if (statusOf(first) === 'completed') continue
        const result = await submit(op, first, said[name] ?? { max_items: '25' })
        assert.equal(statusOf(result), 'completed', node)
        look(result)
      }
    }
    assert.deepEqual(
      Object.keys(REGISTRY).filter(name => !seen.has(name)),
      []
    )
  })
})

test('XEP-0050 §4.2: a form tells what may be done, where there is but one, too', async t => {
  await begin(t, async ({ op }) => {
    const command = childOf(await execute(op, `${ADMIN}#add-user`), 'command') as Element
    const actions = childOf(command, 'actions') as Element
    assert.equal(actions.attrs.execute, 'complete')
    assert.deepEqual(
      childrenOf(actions).map(({ name }) => name),
      ['complete']
    )
  })
})
