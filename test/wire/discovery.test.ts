import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf, childrenOf, type Element } from '../../core/xml/element'
import { conditionOf, TestClient } from '../lib/client'
import { IM_HOST } from '../lib/config'
import { startTestServer } from '../lib/server'
import { PASSWORD, scenario, type Player } from '../lib/wire'

/** XEP-0030, and what it tells of the small modules: a feature is listed exactly as long as its module runs. */

const DISCO = 'http://jabber.org/protocol/disco'

function asks(player: Player, what: 'info' | 'items', to: string, node?: string): Promise<Element> {
  const attrs = node === undefined ? '' : `node='${node}'`
  return player.request(`<iq type='get' to='${to}'><query xmlns='${DISCO}#${what}' ${attrs}/></iq>`)
}

async function featuresOf(player: Player, to: string): Promise<string[]> {
  const query = childOf(await asks(player, 'info', to), 'query') as Element
  return childrenOf(query, 'feature').map(({ attrs }) => attrs.var as string)
}

interface Small {
  module: string
  feature: string
  /** The request that the feature announces, at the host. */
  request?: string
  /** Its answer, all of it. */
  answer?: string
  /** At the own account too. */
  onAccount?: boolean
  /** Others need it, so that it cannot be taken away here. */
  stays?: boolean
}

const SMALL: readonly Small[] = [
  {
    module: 'ping',
    feature: 'urn:xmpp:ping',
    request: `<ping xmlns='urn:xmpp:ping'/>`,
    answer: '', // XEP-0199 §4.2: an empty result
    onAccount: true
  },
  {
    module: 'version',
    feature: 'jabber:iq:version',
    request: `<query xmlns='jabber:iq:version'/>`,
    // XEP-0092 §3: name and version; the operating system only where the operator says so (§6)
    answer: `<query xmlns='jabber:iq:version'><name>Balcony</name><version>*</version></query>`
  },
  {
    module: 'time',
    feature: 'urn:xmpp:time',
    request: `<time xmlns='urn:xmpp:time'/>`,
    answer: `<time xmlns='urn:xmpp:time'><tzo>*:*</tzo><utc>*-*-*T*:*:*Z</utc></time>`
  },
  {
    module: 'uptime',
    feature: 'jabber:iq:last',
    request: `<query xmlns='jabber:iq:last'/>`,
    answer: `<query xmlns='jabber:iq:last' seconds='*'/>`
  },
  { module: 'adhoc', feature: 'http://jabber.org/protocol/commands', onAccount: true, stays: true },
  { module: 'offline', feature: 'msgoffline' },
  { module: 'register', feature: 'jabber:iq:register' },
  { module: 'server_buddy', feature: 'urn:xmpp:server-presence' }
]

const HOSTS = {
  localhost: { modules: { ...(IM_HOST.modules as object), register: {}, server_buddy: {} } },
  'rooms.localhost': { type: 'component' },
  'far.example': { type: 'component' }
}

test('XEP-0030 §3.1: a feature is there exactly as long as its module', async t => {
  const server = await startTestServer(t, { hosts: HOSTS })
  const { manager } = server.server
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    const own = [`${DISCO}#info`, `${DISCO}#items`]
    const host = [...SMALL.map(({ feature }) => feature), ...own].sort()
    const account = [...SMALL.filter(one => one.onAccount).map(({ feature }) => feature), ...own].sort()
    assert.deepEqual((await featuresOf(juliet, 'localhost')).sort(), host)
    assert.deepEqual((await featuresOf(juliet, 'juliet@localhost')).sort(), account)

    for (const { module, feature, request, answer, onAccount, stays } of SMALL) {
      await t.test(module, async () => {
        const sends = (to: string): Promise<Element> => juliet.request(`<iq type='get' ${to}>${request}</iq>`)
        if (request !== undefined) {
          juliet.unread.push(await sends(`to='localhost'`))
          await juliet.receives(
            `<iq xmlns:t='t' t:exact='yes' type='result' id='*' from='localhost' to='${juliet.jid}'>${answer}</iq>`
          )
          for (const to of [`to='juliet@localhost'`, ''])
            assert.equal((await sends(to)).attrs.type, onAccount ? 'result' : 'error')
          // RFC 6121 §8.5.1: of other accounts nothing is told, not even whether they are there
          for (const to of ['romeo@localhost', 'nobody@localhost'])
            assert.equal(conditionOf(await sends(`to='${to}'`)), 'service-unavailable')
          const set = await juliet.request(`<iq type='set' to='localhost'>${request}</iq>`)
          assert.equal(conditionOf(set), 'service-unavailable')
        }
        if (stays) return
        assert.equal((await manager.unload(module)).ok, true)
        assert.ok(!(await featuresOf(juliet, 'localhost')).includes(feature))
        assert.ok(!(await featuresOf(juliet, 'juliet@localhost')).includes(feature))
        if (request !== undefined)
          assert.equal(conditionOf(await sends(`to='localhost'`)), 'service-unavailable')
        assert.equal((await manager.load(module)).ok, true)
        assert.ok((await featuresOf(juliet, 'localhost')).includes(feature))
      })
    }
  })
})

test('XEP-0030: identities, items and nodes', async t => {
  const server = await startTestServer(t, { hosts: HOSTS })
  await server.addUser('romeo@localhost', 'a password for tests')
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    const identity = async (to: string): Promise<Record<string, string | undefined>> => {
      const query = childOf(await asks(juliet, 'info', to), 'query') as Element
      const { category, type } = (childrenOf(query, 'identity')[0] as Element).attrs
      return { category, type }
    }
    assert.deepEqual(await identity('localhost'), { category: 'server', type: 'im' })
    assert.deepEqual(await identity('rooms.localhost'), { category: 'component', type: 'generic' })
    assert.deepEqual(await identity('juliet@localhost'), { category: 'account', type: 'registered' })

    // §4.1: the services below the host, and no others
    juliet.unread.push(await asks(juliet, 'items', 'localhost'))
    await juliet.receives(
      `<iq type='result'><query xmlns='${DISCO}#items' xmlns:t='t' t:exact='yes'><item jid='rooms.localhost'/></query></iq>`
    )
    // an account has nothing below it that others might see
    juliet.unread.push(await asks(juliet, 'items', 'juliet@localhost'))
    await juliet.receives(`<iq type='result'><query xmlns='${DISCO}#items' xmlns:t='t' t:exact='yes'/></iq>`)

    for (const what of ['info', 'items'] as const) {
      for (const to of ['localhost', 'rooms.localhost', 'juliet@localhost'])
        assert.equal(conditionOf(await asks(juliet, what, to, 'no such node')), 'item-not-found') // §3.2, §7
      for (const to of ['romeo@localhost', 'nobody@localhost'])
        assert.equal(conditionOf(await asks(juliet, what, to)), 'service-unavailable')
    }
  })
})

test('XEP-0202 §3, XEP-0082 §3.2, XEP-0012 §5: the time, and since when', async t => {
  const server = await startTestServer(t)
  await scenario(server, { juliet: 'juliet@localhost/balcony' }, async ({ juliet }) => {
    const before = Date.now()
    const time = (
      await juliet.request(`<iq type='get' to='localhost'><time xmlns='urn:xmpp:time'/></iq>`)
    ).toString()
    const [, tzo = '', utc = ''] = /<tzo>(.*)<\/tzo><utc>(.*)<\/utc>/.exec(time) ?? []
    assert.match(tzo, /^[+-]\d\d:\d\d$/)
    assert.match(utc, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
    assert.ok(Date.parse(utc) >= before && Date.parse(utc) <= Date.now())
    const last = await juliet.request(`<iq type='get' to='localhost'><query xmlns='jabber:iq:last'/></iq>`)
    const seconds = childOf(last, 'query')?.attrs.seconds ?? ''
    assert.match(seconds, /^\d+$/)
    assert.ok(Number(seconds) * 1000 <= Date.now() - server.server.startedAt)
  })
})

test('RFC 6121 §2.6.1, §3.4.1; XEP-0077 §8: stream features are there exactly as long as their modules', async t => {
  const server = await startTestServer(t, { hosts: HOSTS })
  const OFFERED = [
    { module: 'register', stage: 'tls', feature: 'http://jabber.org/features/iq-register' },
    { module: 'presence', stage: 'bind', feature: 'urn:xmpp:features:pre-approval' },
    { module: 'roster', stage: 'bind', feature: 'urn:xmpp:features:rosterver' }
  ]
  await server.addUser('juliet@localhost', PASSWORD)
  const offered = async (): Promise<Record<string, string>> => {
    const client = await TestClient.connect({ port: server.ports.tcp ?? 0, domain: 'localhost' })
    await client.open()
    const tls = String(await client.startTls())
    const bind = String(await client.authenticate({ user: 'juliet', password: PASSWORD }))
    client.destroy()
    return { tls, bind }
  }
  const before = await offered()
  for (const { stage, feature } of OFFERED) assert.ok(before[stage]?.includes(feature), feature)
  for (const { module, stage, feature } of OFFERED) {
    assert.equal((await server.server.manager.unload(module)).ok, true)
    assert.ok(!(await offered())[stage]?.includes(feature), feature)
  }
})
