import assert from 'node:assert/strict'
import test from 'node:test'
import { IM_HOST, type Options } from '../../lib/config'
import { forEachDatabase } from '../../lib/databases'
import { conditionOf } from '../../lib/client'
import { startTestServer, type TestServer } from '../../lib/server'
import { scenario } from '../../lib/wire'
import type { TestContext } from 'node:test'

const ROSTER = 'jabber:iq:roster'

function start(t: TestContext, roster: Options, database?: 'SQLite' | 'MariaDB'): Promise<TestServer> {
  const modules = { ...(IM_HOST.modules as Options), roster }
  return startTestServer(t, { hosts: { localhost: { modules } }, ...(database ? { database } : {}) })
}

test('RFC 6121 §3.1: subscriptions make no more items than a roster may have', async t => {
  const server = await start(t, { maxItems: 5 })
  await scenario(server, { mallory: 'mallory@localhost' }, async ({ mallory }) => {
    for (let i = 0; i < 20; i++) {
      mallory.send(
        `<presence id='p${i}' to='friend${i}@localhost' type='${i % 2 ? 'subscribe' : 'subscribed'}'/>`
      )
    }
    await mallory.forgets()
    const answer = await mallory.request(`<iq type='get'><query xmlns='${ROSTER}'/></iq>`)
    assert.equal(answer.getChild('query')?.getChildren('item').length, 5)
  })
})

test('RFC 6121 §2.5: items that were removed count no more', async t => {
  const server = await start(t, { maxItems: 2 })
  await scenario(server, { juliet: 'juliet@localhost' }, async ({ juliet }) => {
    for (let i = 0; i < 6; i++) {
      const added = await juliet.request(
        `<iq type='set'><query xmlns='${ROSTER}'><item jid='f${i}@localhost'/></query></iq>`
      )
      assert.equal(added.attrs.type, 'result', String(i))
      await juliet.request(
        `<iq type='set'><query xmlns='${ROSTER}'><item jid='f${i}@localhost' subscription='remove'/></query></iq>`
      )
    }
  })
})

test('RFC 6121 §2.3.3: an item whose name and groups are long together is refused', async t => {
  const server = await start(t, {})
  const item = (n: number): string =>
    Array.from({ length: n }, (_, i) => `<group>${i}${'g'.repeat(1000)}</group>`).join('')
  await scenario(server, { juliet: 'juliet@localhost' }, async ({ juliet }) => {
    const set = (groups: string) =>
      juliet.request(
        `<iq type='set'><query xmlns='${ROSTER}'><item jid='f@localhost'>${groups}</item></query></iq>`
      )
    assert.equal((await set(item(4))).attrs.type, 'result')
    assert.equal(conditionOf(await set(item(5))), 'not-acceptable')
  })
})

forEachDatabase(database => {
  test(`RFC 6121 §2.6: removals are remembered up to a bound, then versions begin anew (${database})`, async t => {
    const server = await start(t, {}, database)
    await scenario(server, { juliet: 'juliet@localhost' }, async ({ juliet }) => {
      const get = async (ver: string) =>
        (await juliet.request(`<iq type='get'><query xmlns='${ROSTER}' ver='${ver}'/></iq>`)).getChild(
          'query'
        )
      await juliet.request(
        `<iq type='set'><query xmlns='${ROSTER}'><item jid='kept@localhost'/></query></iq>`
      )
      const first = (await get(''))?.attrs.ver as string
      assert.equal(await get(first), undefined, 'nothing new')
      for (let i = 0; i < 502; i++) {
        juliet.send(
          `<iq id='a${i}' type='set'><query xmlns='${ROSTER}'><item jid='f${i}@localhost'/></query></iq>`
        )
        juliet.send(
          `<iq id='r${i}' type='set'><query xmlns='${ROSTER}'><item jid='f${i}@localhost' subscription='remove'/></query></iq>`
        )
        if (i % 50 === 0) await juliet.fence()
      }
      await juliet.forgets()
      const whole = await get(first)
      assert.notEqual((whole?.attrs.ver as string).split(':')[0], first.split(':')[0])
      assert.deepEqual(
        whole?.getChildren('item').map(item => item.attrs.jid as string),
        ['kept@localhost']
      )
      assert.equal(await get(whole?.attrs.ver as string), undefined, 'nothing new')
    })
  })
})
