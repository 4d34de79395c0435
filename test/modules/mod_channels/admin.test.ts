import assert from 'node:assert/strict'
import fs from 'node:fs'
import test from 'node:test'
import { execute, listed, OWN, resultOf, rowsOf, statusOf, submit } from '../mod_adhoc_admin/helpers'
import {
  type Fields,
  governed,
  instructionsOf,
  isDone,
  isFaulty,
  outcomeOf,
  orders,
  ordersTwice,
  startGoverned
} from './admin-lib'
import {
  affiliate,
  asks,
  configure,
  count,
  create,
  does,
  entry,
  event,
  iq,
  isRefused,
  items,
  JULIET,
  node,
  onEachDatabase,
  POSTS,
  publish,
  PUBSUB,
  register,
  ROMEO,
  SERVICE,
  subscribe,
  TOPICS
} from './lib'

const COMMANDS = [
  'channels-list',
  'channel-show',
  'channel-delete',
  'channel-transfer',
  'channel-ban',
  'channel-unban',
  'channel-bans',
  'channel-limits',
  'channel-limit-set',
  'channel-retention'
].map(name => `${OWN}#${name}`)

const SQUARE = `square@${TOPICS}`
const SQUARE_POSTS = node(SQUARE, 'posts')

onEachDatabase('administration of the channel host', database => {
  test('lists: by kind, owner and text, in pages', async t => {
    const server = await startGoverned(t, database)
    await governed(server, async ({ boss, romeo }) => {
      for (let i = 0; i < 30; i++) {
        await does(romeo, create(node(`t${i}@${TOPICS}`, 'posts'), { 'pubsub#title': `Topic ${i} 100%_` }))
      }
      const secret = '3c5a2c08-e6b4-4d2a-8a0c-8f0f5d1b5b11@localhost'
      await does(romeo, create(node(secret, 'posts'), { 'buddycloud#ephemeral': '1' }))
      await does(romeo, register())
      const names = async (fields: Record<string, string>): Promise<string[]> =>
        rowsOf(await orders(boss, 'channels-list', fields)).map(row => row.channel ?? '')

      const all = await names({ max_items: '50' })
      assert.equal(all.length, 33)
      assert.equal(all[0], JULIET)
      const first = await orders(boss, 'channels-list', { max_items: '25' })
      const page = rowsOf(first).map(row => row.channel ?? '')
      isDone(
        first,
        `warn: There is more; 33 channels are on this host. The next page is what comes after ${page.at(-1)}.`
      )
      assert.deepEqual([...page, ...(await names({ max_items: '25', after: page.at(-1) ?? '' }))], all)

      assert.deepEqual(await names({ kind: 'personal' }), [JULIET, ROMEO])
      assert.deepEqual(await names({ kind: 'ephemeral' }), [secret])
      assert.deepEqual(await names({ owner: JULIET }), [JULIET])
      const his = await names({ owner: ROMEO, max_items: '25' })
      assert.equal(his.length, 25)
      assert.equal((await names({ owner: ROMEO, max_items: '25', after: his.at(-1) ?? '' })).length, 7)
      assert.deepEqual(await names({ owner: ROMEO, kind: 'personal' }), [ROMEO])
      assert.deepEqual(await names({ text: 'T7@' }), [`t7@${TOPICS}`])
      // nothing in a text means anything but itself
      assert.equal((await names({ text: '00%_' })).length, 30)
      assert.deepEqual(await names({ text: "' OR 1=1 --" }), [])
      isDone(
        await orders(boss, 'channels-list', { owner: 'x@y.example' }),
        'info: There is no channel that fits.'
      )
      isFaulty(
        await orders(boss, 'channels-list', { after: 'x@y.example' }),
        /there is no channel x@y.example any more/
      )
      isFaulty(await orders(boss, 'channels-list', { owner: 'localhost' }), /an account is expected/)
      const [row] = rowsOf(await orders(boss, 'channels-list', { text: 't7@' }))
      assert.deepEqual(
        [row?.kind, row?.title, row?.owners, row?.items, row?.last],
        ['topic', 'Topic 7 100%_', ROMEO, '0', '']
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('one channel: its people, numbers and bytes', async t => {
    const server = await startGoverned(t, database)
    await governed(server, async ({ boss, juliet, romeo, tybalt }) => {
      await does(
        juliet,
        create(SQUARE_POSTS, { 'pubsub#title': 'Square', 'pubsub#description': 'All of Verona' })
      )
      await does(romeo, subscribe(ROMEO, SQUARE_POSTS))
      await does(juliet, affiliate(ROMEO, 'moderator', SQUARE_POSTS))
      await does(juliet, affiliate('nurse@localhost', 'outcast', SQUARE_POSTS))
      await does(juliet, configure({ 'pubsub#access_model': 'authorize' }, SQUARE_POSTS))
      await does(tybalt, subscribe('tybalt@localhost', SQUARE_POSTS))
      await does(juliet, publish(entry('what is written is nobody’s business'), { to: SQUARE_POSTS }))
      const shown = await orders(boss, 'channel-show', { channel: `Square@${TOPICS}` })
      assert.equal(statusOf(shown), 'completed')
      const value = (name: string): string => resultOf(shown, name).join(' ')
      for (const [name, expected] of [
        ['channel', SQUARE],
        ['kind', 'topic'],
        ['ephemeral', '0'],
        ['title', 'Square'],
        ['description', 'All of Verona'],
        ['default', 'member'],
        ['creator', JULIET],
        ['owners', JULIET],
        ['moderators', ROMEO],
        ['followers', '2'],
        ['pending', '1'],
        ['invited', '0'],
        ['banned', '1'],
        ['hostbanned', ''],
        ['items', '1'],
        ['nodes', 'posts: 1, 0']
      ] as const) {
        assert.equal(value(name).replace('false', '0'), expected, name)
      }
      assert.match(value('access'), /^authorize: /)
      assert.match(value('last'), /^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC$/)
      assert.ok(Number(value('bytes')) > 200)
      assert.doesNotMatch(shown.toString(), /business/)
      isDone(await orders(boss, 'channel-ban', { who: JULIET }), /is banned/)
      assert.deepEqual(resultOf(await orders(boss, 'channel-show', { channel: SQUARE }), 'hostbanned'), [
        JULIET
      ])
      isFaulty(
        await orders(boss, 'channel-show', { channel: 'no@localhost' }),
        /there is no channel no@localhost/
      )
    })
    assert.deepEqual(server.errors(), [])
  })

  test('deletion: shown first, told to followers, everything gone; a personal channel can be made again', async t => {
    const server = await startGoverned(t, database)
    await governed(server, async ({ boss, juliet, romeo, tybalt }) => {
      await does(romeo, subscribe(ROMEO))
      await does(juliet, affiliate('tybalt@localhost', 'outcast'))
      await does(juliet, publish(entry('gone'), { id: 'gone' }))
      for (const one of [juliet, romeo, tybalt]) await one.forgets()
      const left = await ordersTwice(boss, 'channel-delete', { channels: [JULIET] }, { delete: '0' })
      assert.match(
        instructionsOf(left.shown),
        /juliet@localhost: personal channel of juliet@localhost, 2 followers, 1 items/
      )
      // who sends both forms at once has not seen the second one
      isDone(left.answer, `info: Nothing was deleted. These would go: ${instructionsOf(left.shown)}`)
      await does(romeo, items())

      const { answer } = await ordersTwice(boss, 'channel-delete', { channels: [JULIET] }, { delete: '1' })
      isDone(answer, `info: ${JULIET} was deleted; 2 were told`)
      for (const one of [juliet, romeo]) {
        await one.receives(event(`<delete node='${POSTS}'/>`))
        await one.receives(event(`<delete node='${node(JULIET, 'status')}'/>`))
        await one.forgets()
      }
      await tybalt.receivesNothing()
      for (const table of [
        'channels',
        'channel_nodes',
        'channel_members',
        'channel_items',
        'channel_tombstones'
      ]) {
        assert.equal(await count(server, table), 0, table)
      }
      await isRefused(romeo, items(), 'cancel item-not-found')
      await asks(
        romeo,
        iq('get', '<subscriptions/>'),
        `<iq type='result'><pubsub xmlns='${PUBSUB}'><subscriptions t:exact='yes'/></pubsub></iq>`
      )
      isFaulty(
        await orders(boss, 'channel-delete', { channels: [JULIET] }),
        /there is no channel juliet@localhost/
      )

      // it may be made again, by that account alone, unless it is banned
      await isRefused(romeo, create(POSTS), 'auth forbidden')
      isDone(await orders(boss, 'channel-ban', { who: JULIET }), /is banned/)
      await isRefused(juliet, register(), 'auth forbidden')
      isDone(await orders(boss, 'channel-unban', { who: [JULIET] }), /is banned no more/)
      await does(juliet, register())
      await does(romeo, items())
    })
    assert.deepEqual(server.errors(), [])
  })

  test('several at once: what is gone meanwhile is told beside the others', async t => {
    const server = await startGoverned(t, database)
    await governed(server, async ({ boss, juliet, romeo }) => {
      await does(romeo, create(SQUARE_POSTS))
      const shown = await orders(boss, 'channel-delete', { channels: [JULIET, SQUARE, SQUARE.toUpperCase()] })
      await does(juliet, register('<remove/>'))
      const answer = await submit(boss, shown, { delete: '1' })
      isDone(
        answer,
        `warn: ${JULIET}: there is no channel ${JULIET} any more\n${SQUARE} was deleted; 1 were told`
      )
      const many = Array.from({ length: 51 }, (_, i) => `c${i}@${TOPICS}`)
      isFaulty(await orders(boss, 'channel-delete', { channels: many }), /channels/)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('another owner for a topic channel', async t => {
    const server = await startGoverned(t, database)
    await governed(server, async ({ boss, juliet, romeo, tybalt }) => {
      await does(romeo, create(SQUARE_POSTS, { 'pubsub#access_model': 'authorize' }))
      await does(tybalt, subscribe('tybalt@localhost', SQUARE_POSTS))
      for (const one of [romeo, tybalt]) await one.forgets()
      const give = (fields: Record<string, string>) =>
        orders(boss, 'channel-transfer', { channel: SQUARE, ...fields })
      for (const [fields, fault] of [
        [{ owner: 'nobody@localhost' }, /there is no account nobody@localhost/],
        [{ owner: `nobody@${SERVICE}` }, /there is no account/],
        [{ owner: 'localhost' }, /an account is expected/],
        [{ owner: JULIET, channel: JULIET }, /a personal channel stays/],
        [{ owner: JULIET, channel: 'x@localhost' }, /there is no channel/],
        [{ owner: JULIET, before: 'outcast' }, /before/]
      ] as const) {
        isFaulty(await give(fields), fault)
      }
      isDone(await orders(boss, 'channel-ban', { who: 'tybalt@localhost' }), /./)
      isFaulty(await give({ owner: 'tybalt@localhost' }), /is banned from this host/)
      isDone(await orders(boss, 'channel-unban', { who: ['tybalt@localhost'] }), /./)

      isDone(
        await give({ owner: 'TYBALT@localhost/x', before: 'member' }),
        `info: ${SQUARE} is owned by tybalt@localhost from now on; ${ROMEO} became member.`
      )
      await romeo.receives(
        event(
          `<affiliations node='${SQUARE_POSTS}'><affiliation jid='tybalt@localhost' affiliation='owner'/></affiliations>`
        )
      )
      await romeo.forgets()
      await tybalt.forgets()
      await isRefused(romeo, configure({ 'pubsub#title': 'mine' }, SQUARE_POSTS), 'auth forbidden')
      await does(tybalt, configure({ 'pubsub#title': 'His' }, SQUARE_POSTS))
      // who had asked to follow does
      await tybalt.forgets()
      await does(tybalt, publish(entry('hear'), { id: 'hear', to: SQUARE_POSTS }))
      await tybalt.receives(event(`<items node='${SQUARE_POSTS}'><item id='*'/></items>`))
      const abroad = await give({ owner: 'mercutio@far.example', before: 'none' })
      isDone(abroad, /^warn: .*Whether there is an account mercutio@far.example is not known here\.$/)
      assert.deepEqual(resultOf(await orders(boss, 'channel-show', { channel: SQUARE }), 'owners'), [
        'mercutio@far.example'
      ])
      await isRefused(tybalt, items('', '', SQUARE_POSTS), 'auth forbidden closed-node')
      await juliet.receivesNothing()
    })
    assert.deepEqual(server.errors(), [])
  })

  test('what changes something is in the audit, with who did it and on what', async t => {
    const server = await startGoverned(t, database)
    await governed(server, async ({ boss, romeo }) => {
      await does(romeo, create(SQUARE_POSTS))
      isDone(await orders(boss, 'channel-transfer', { channel: SQUARE, owner: JULIET }), /./)
      isDone((await ordersTwice(boss, 'channel-delete', { channels: [SQUARE] }, { delete: '1' })).answer, /./)
      isDone(await orders(boss, 'channel-ban', { who: 'far.example', reason: 'spam' }), /./)
      const rows = rowsOf(await orders(boss, 'audit', {}))
      const lines = rows.map(({ actor, command, target, result }) =>
        [actor, command, target, result].join(' ')
      )
      for (const line of [
        `boss@localhost/desk channel-transfer ${SQUARE} done`,
        `boss@localhost/desk channel-delete ${SQUARE} done`,
        'boss@localhost/desk channel-ban far.example done'
      ]) {
        assert.ok(lines.includes(line), lines.join('\n'))
      }
    })
    assert.deepEqual(server.errors(), [])
  })

  test('who is no administrator of this host sees and may nothing, nor who is no more in the middle', async t => {
    const server = await startGoverned(t, database)
    await governed(server, async ({ boss, clerk, juliet, romeo }) => {
      await does(romeo, create(SQUARE_POSTS))
      const offered = await listed(boss, SERVICE)
      for (const command of COMMANDS) assert.ok(offered.includes(command), command)
      for (const stranger of [clerk, juliet, romeo]) {
        assert.deepEqual(
          (await listed(stranger, SERVICE)).filter(command => COMMANDS.includes(command)),
          []
        )
        for (const command of COMMANDS)
          assert.equal(outcomeOf(await execute(stranger, command, SERVICE)), 'forbidden')
        // nor at another host, or at their own address
        for (const to of ['localhost', stranger.jid.split('/')[0] ?? '']) {
          for (const command of COMMANDS)
            assert.equal(outcomeOf(await execute(stranger, command, to)), 'item-not-found')
        }
      }
      // a dialogue of somebody else is nobody's
      const shown = await orders(boss, 'channel-delete', { channels: [SQUARE] })
      assert.equal(outcomeOf(await submit(clerk, shown, { delete: '1' })), 'forbidden')

      const begun = [
        await orders(boss, 'channel-delete', { channels: [SQUARE] }),
        await execute(boss, `${OWN}#channel-ban`, SERVICE),
        await execute(boss, `${OWN}#channel-transfer`, SERVICE),
        await orders(boss, 'channel-retention', { days: '1' })
      ]
      const { configFile } = server
      const text = fs.readFileSync(configFile, 'utf8')
      fs.writeFileSync(configFile, text.replace(/^ *- boss@localhost\n/m, ''))
      assert.ok((await server.server.api.config.reload()).ok)
      const said: Fields[] = [
        { delete: '1' },
        { who: ROMEO },
        { channel: SQUARE, owner: JULIET },
        { decision: 'always' }
      ]
      for (const [at, one] of begun.entries()) {
        assert.equal(outcomeOf(await submit(boss, one, said[at] ?? {})), 'forbidden')
      }
      await does(romeo, items('', '', SQUARE_POSTS))
      assert.equal(await count(server, 'channels'), 2)
    })
  })
})
