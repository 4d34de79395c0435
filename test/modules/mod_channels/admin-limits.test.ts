import assert from 'node:assert/strict'
import test from 'node:test'
import { rowsOf } from '../mod_adhoc_admin/helpers'
import { governed, isDone, isFaulty, orders, startGoverned } from './admin-lib'
import {
  count,
  create,
  does,
  entry,
  isRefused,
  node,
  onEachDatabase,
  publish,
  ROMEO,
  SERVICE,
  subscribe,
  TOPICS,
  affiliate
} from './lib'

const topic = (name: string): string => create(node(`${name}@${TOPICS}`, 'posts'))

onEachDatabase('limits of users', database => {
  test('RFC 6120 §8.3.3.12 more items a minute than allowed: wait, for that user alone, from any resource', async t => {
    const server = await startGoverned(t, database, { itemsPerMinute: 5 })
    await governed(server, async ({ boss, juliet, romeo }) => {
      await does(romeo, subscribe(ROMEO))
      await does(juliet, affiliate(ROMEO, 'publisher'))
      for (let i = 0; i < 4; i++) await does(juliet, publish(entry(`${i}`), { id: `p${i}` }))
      // what is refused counts, and so does an edit
      await isRefused(juliet, publish('<nothing xmlns="urn:x"/>'), 'modify bad-request')
      await isRefused(juliet, publish(entry('5')), 'wait policy-violation')
      await isRefused(juliet, publish(entry('0'), { id: 'p0' }), 'wait policy-violation')
      await isRefused(
        juliet,
        publish(entry('x'), { to: node('nobody@localhost', 'posts') }),
        'wait policy-violation'
      )
      await does(romeo, publish(entry('mine')))
      assert.equal(await count(server, 'channel_items'), 5)

      // others for an account or a domain; the narrowest counts
      isDone(
        await orders(boss, 'channel-limit-set', { who: 'JULIET@localhost', itemsperminute: '0' }),
        'info: juliet@localhost may have any number items a minute.'
      )
      for (let i = 0; i < 10; i++) await does(juliet, publish(entry(`${i}`), { id: `q${i}` }))
      isDone(
        await orders(boss, 'channel-limit-set', { who: 'localhost', itemsperminute: '1', channels: '0' }),
        /./
      )
      await does(juliet, publish(entry('still')))
      await does(romeo, publish(entry('the one')))
      await isRefused(romeo, publish(entry('no more')), 'wait policy-violation')
    })
    assert.deepEqual(server.errors(), [])
  })

  test('channels that an account may create; shown, kept over a reload, and taken back', async t => {
    const server = await startGoverned(t, database, { channelsPerUser: 1 })
    await governed(server, async ({ boss, romeo, tybalt }) => {
      await does(romeo, topic('one'))
      await isRefused(romeo, topic('two'), 'cancel not-allowed max-nodes-exceeded')
      isDone(
        await orders(boss, 'channel-limit-set', { who: ROMEO, channels: '2' }),
        `info: ${ROMEO} may have 2 channels.`
      )
      isDone(
        await orders(boss, 'channel-limit-set', { who: '*.far.example', channels: '9', itemsperminute: '7' }),
        /./
      )
      assert.ok((await server.server.api.modules.reload('channels')).ok)
      await does(romeo, topic('two'))
      await isRefused(romeo, topic('three'), 'cancel not-allowed max-nodes-exceeded')
      await does(tybalt, topic('his'))
      await isRefused(tybalt, topic('his-too'), 'cancel not-allowed max-nodes-exceeded')

      const rows = rowsOf(await orders(boss, 'channel-limits', {}))
      assert.deepEqual(
        rows.map(({ who, channels, itemsperminute, by }) => [who, channels, itemsperminute, by]),
        [
          ['everybody', '1', '300', 'the config file'],
          ['*.far.example', '9', '7', 'boss@localhost'],
          [ROMEO, '2', '', 'boss@localhost']
        ]
      )
      const after = rowsOf(await orders(boss, 'channel-limits', { after: '*.far.example' }))
      assert.deepEqual(
        after.map(row => row.who),
        ['everybody', ROMEO]
      )
      isDone(
        await orders(boss, 'channel-limit-set', { who: ROMEO, channels: '', itemsperminute: '' }),
        `info: For ${ROMEO} the config decides again.`
      )
      isFaulty(await orders(boss, 'channel-limit-set', { who: ROMEO }), /nothing is set for romeo@localhost/)
      for (const [fields, fault] of [
        [{ who: ROMEO, channels: '-1' }, /channels/],
        [{ who: ROMEO, itemsperminute: '100001' }, /itemsperminute/],
        [{ who: 'no name', channels: '1' }, /expected an account, a domain/]
      ] as const) {
        isFaulty(await orders(boss, 'channel-limit-set', fields), fault)
      }
      // an account that goes takes what was said of it along
      isDone(await orders(boss, 'channel-limit-set', { who: 'tybalt@localhost', channels: '5' }), /./)
      assert.ok(await server.server.accounts.remove('tybalt', 'localhost'))
      const left = rowsOf(await orders(boss, 'channel-limits', {}))
      assert.deepEqual(
        left.map(row => row.who),
        ['everybody', '*.far.example']
      )
      assert.ok(server.server.api.host(SERVICE))
    })
    assert.deepEqual(server.errors(), [])
  })
})
