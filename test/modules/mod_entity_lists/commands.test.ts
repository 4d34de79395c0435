import assert from 'node:assert/strict'
import fs from 'node:fs'
import test from 'node:test'
import { parse } from 'yaml'
import { forEachDatabase } from '../../lib/databases'
import { PASSWORD, scenario } from '../../lib/wire'
import {
  ADMIN,
  COMMANDS,
  execute,
  fieldValues,
  listed,
  notesOf,
  rowsOf,
  run,
  statusOf,
  submit
} from '../mod_adhoc_admin/helpers'
import { ALSO_WHITELIST, BLACK, fieldOf, NODES, REMOVE, SHOW, startListed, WHITE, type List } from './hosts'
import type { Player } from '../../lib/wire'
import type { TestServer } from '../../lib/server'
import { childOf, type Element } from '../../../core/xml/element'

const CAST = { admin: 'admin@localhost/globe', boss: 'boss@localhost/office' }
const LISTS = Object.keys(NODES) as List[]

/** What the form of a list shows. */
async function shown(player: Player, node: string, to = 'localhost'): Promise<string[]> {
  const begun = childOf(await execute(player, node, to), 'command') as Element
  return [...fieldValues(begun, BLACK), ...fieldValues(begun, WHITE)]
}

forEachDatabase(database => {
  test('XEP-0133 §4.11, §4.12: six lists, by seven commands, kept over a reload and a restart', async t => {
    const server = await startListed(t, {}, { database })
    await scenario(server, CAST, async ({ admin }) => {
      for (const [at, list] of LISTS.entries()) {
        const jids = [
          `a${at}.lit`,
          `b@a${at}.lit`,
          `a${at}.lit/r`,
          `b@a${at}.lit/r`,
          'localhost',
          'op@localhost'
        ]
        const wanted = list.startsWith('white') ? jids : jids.slice(0, 4)
        const answer = await run(admin, NODES[list], { [fieldOf(list)]: wanted })
        assert.equal(statusOf(answer), 'completed', notesOf(answer).join())
        assert.deepEqual((await shown(admin, NODES[list])).sort(), wanted.sort(), list)
      }
      assert.deepEqual(await shown(admin, ALSO_WHITELIST), await shown(admin, NODES.whitelist))
      assert.equal((await server.server.manager.reload('entity_lists')).ok, true)
      assert.equal((await shown(admin, NODES['blacklist-in'])).length, 4)
    })
    await server.restart()
    await scenario(server, CAST, async ({ admin }) => {
      for (const [at, list] of LISTS.entries())
        assert.ok((await shown(admin, NODES[list])).includes(`b@a${at}.lit/r`), list)
      // Another host's are others
      assert.deepEqual(await shown(admin, NODES.blacklist, 'channels.localhost'), [])
      assert.equal(statusOf(await run(admin, NODES.whitelist, { [WHITE]: [] })), 'completed')
      assert.deepEqual(await shown(admin, ALSO_WHITELIST), [])
    })
    await server.restart()
    await scenario(server, CAST, async ({ admin }) => {
      assert.deepEqual(await shown(admin, NODES.whitelist), [])
      assert.equal((await shown(admin, NODES.blacklist)).length, 4)
    })
    assert.deepEqual(server.errors(), [])
  })

  test('XEP-0133 §4.11: two administrators at once do not undo what the other does', async t => {
    const server = await startListed(t, {}, { database })
    await scenario(server, CAST, async ({ admin, boss }) => {
      await run(admin, NODES.blacklist, { [BLACK]: ['a.lit', 'b.lit'] })
      const first = await execute(admin, NODES.blacklist)
      const second = await execute(boss, NODES.blacklist)
      // One takes a.lit away and adds c.lit, the other adds d.lit and has not seen c.lit
      assert.equal(statusOf(await submit(admin, first, { [BLACK]: ['b.lit', 'c.lit'] })), 'completed')
      const answer = await submit(boss, second, { [BLACK]: ['a.lit', 'b.lit', 'd.lit'] })
      assert.deepEqual(notesOf(answer), ['info: Added to the blacklist: d.lit.'])
      assert.deepEqual(await shown(admin, NODES.blacklist), ['b.lit', 'c.lit', 'd.lit'])

      // At the same moment
      const both = [await execute(admin, NODES.blacklist), await execute(boss, NODES.blacklist)] as const
      const base = ['b.lit', 'c.lit', 'd.lit']
      await Promise.all([
        submit(admin, both[0], { [BLACK]: [...base.slice(1), 'e.lit'] }),
        submit(boss, both[1], { [BLACK]: [...base.slice(0, 2), 'f.lit'] })
      ])
      assert.deepEqual((await shown(admin, NODES.blacklist)).sort(), ['c.lit', 'e.lit', 'f.lit'])

      // One administrator with two dialogues
      const twice = [await execute(admin, NODES['blacklist-in']), await execute(admin, NODES['blacklist-in'])]
      for (const [at, dialogue] of twice.entries())
        assert.equal(statusOf(await submit(admin, dialogue, { [BLACK]: `in${at}.lit` })), 'completed')
      assert.deepEqual(await shown(admin, NODES['blacklist-in']), ['in0.lit', 'in1.lit'])

      // What was shown outlives a reload of the module; begun again meanwhile, the first dialogue goes on
      const third = await execute(boss, NODES.blacklist)
      await run(admin, NODES.blacklist, { [BLACK]: ['c.lit', 'e.lit', 'f.lit', 'g.lit'] })
      assert.equal((await server.server.manager.reload('entity_lists')).ok, true)
      await submit(boss, third, { [BLACK]: ['c.lit'] })
      assert.deepEqual(await shown(admin, NODES.blacklist), ['c.lit', 'g.lit'])
    })
    assert.deepEqual(server.errors(), [])
  })

  test('the entries of an account go with it', async t => {
    const server = await startListed(t, {}, { database })
    await server.addUser('tybalt@localhost', PASSWORD)
    await scenario(server, CAST, async ({ admin }) => {
      const jids = ['tybalt@localhost', 'tybalt@localhost/street', 'tybalt@capulet.lit', 'tyb@localhost']
      await run(admin, NODES.blacklist, { [BLACK]: jids })
      await run(admin, NODES['blacklist-in'], { [BLACK]: ['tybalt@localhost'] }, 'channels.localhost')
      await server.server.accounts.remove('tybalt', 'localhost')
      assert.deepEqual(await shown(admin, NODES.blacklist), ['tybalt@capulet.lit', 'tyb@localhost'])
      assert.deepEqual(await shown(admin, NODES['blacklist-in'], 'channels.localhost'), [])
      assert.equal((await server.server.manager.reload('entity_lists')).ok, true)
      assert.deepEqual(await shown(admin, NODES.blacklist), ['tybalt@capulet.lit', 'tyb@localhost'])
    })
  })
})

test('XEP-0133 §4.11, §4.12: the forms, as in examples 38 and 42; the answer, as in 40 and 44', async t => {
  const server = await startListed(t)
  const forms = [
    [NODES.blacklist, 'Blacklist', 'disallowed', 'The blacklist', BLACK],
    [NODES.whitelist, 'Whitelist', 'allowed', 'The whitelist', WHITE],
    [ALSO_WHITELIST, 'Whitelist', 'allowed', 'The whitelist', WHITE]
  ] as const
  await scenario(server, { admin: CAST.admin }, async ({ admin }) => {
    await run(admin, NODES.blacklist, { [BLACK]: 'marlowe.lit' })
    await run(admin, NODES.whitelist, { [WHITE]: 'marlowe.lit' })
    for (const [node, title, what, label, field] of forms) {
      const begun = await execute(admin, node)
      admin.unread.push(begun)
      await admin.receives(
        `<iq type='result' from='localhost'><command xmlns='${COMMANDS}' node='${node}' sessionid='*' status='executing'>
          <x xmlns='jabber:x:data' type='form' t:exact='yes'>
            <title>Editing the ${title}</title>
            <instructions>Fill out this form to edit the list of entities with whom communications are ${what}.</instructions>
            <field type='hidden' var='FORM_TYPE'><value>${ADMIN}</value></field>
            <field label='${label}' type='jid-multi' var='${field}'><value>marlowe.lit</value></field>
          </x></command></iq>`
      )
      // Nothing changed, nothing to be told; a field that is left out keeps its value (XEP-0004 §3.5)
      const again = await execute(admin, node)
      for (const [dialogue, said] of [
        [begun, { [field]: 'MARLOWE.lit' }],
        [again, {}]
      ] as const) {
        admin.unread.push(await submit(admin, dialogue, said))
        await admin.receives(
          `<iq type='result' from='localhost'><command t:exact='yes' xmlns='${COMMANDS}' node='${node}' sessionid='*' status='completed' xml:lang='en'/></iq>`
        )
      }
      assert.deepEqual(await shown(admin, node), ['marlowe.lit'])
    }
  })
})

test('XEP-0133 §3, §6: at the host, a component and the own account; listed to administrators alone', async t => {
  const server = await startListed(t)
  const nodes = [...Object.values(NODES), ALSO_WHITELIST, SHOW, REMOVE]
  await scenario(server, { ...CAST, mallory: 'mallory@localhost' }, async ({ admin, mallory }) => {
    for (const to of ['localhost', 'channels.localhost', 'admin@localhost']) {
      const found = await listed(admin, to)
      for (const node of nodes) assert.ok(found.includes(node), `${node} at ${to}`)
    }
    for (const node of nodes) {
      assert.ok(!(await listed(mallory, 'localhost')).includes(node))
      assert.equal(statusOf(await execute(mallory, node)), 'forbidden')
      // Of one host, not of another
      assert.equal(statusOf(await execute(admin, node, 'other')), 'forbidden')
    }
    await run(admin, NODES.blacklist, { [BLACK]: 'a.lit' }, 'admin@localhost')
    assert.deepEqual(await shown(admin, NODES.blacklist), ['a.lit'])
  })
})

test('nobody is shut out by one form who could take it back: a note names the field', async t => {
  const server = await startListed(t, { maxEntries: 3 })
  for (const jid of ['juliet@localhost']) await server.addUser(jid, PASSWORD)
  await scenario(server, { ...CAST, op: 'op@localhost/x' }, async ({ admin, op }) => {
    const cases = [
      [NODES.blacklist, BLACK, ['LOCALHOST'], 'is this host itself'],
      [NODES['blacklist-in'], BLACK, ['localhost/console'], 'is this host itself'],
      [NODES['blacklist-out'], BLACK, ['admin@localhost'], 'admin@localhost administers this host'],
      [NODES.blacklist, BLACK, ['boss@localhost/anywhere'], 'boss@localhost administers this host'],
      [NODES.blacklist, BLACK, ['op@localhost'], 'op@localhost administers this host'],
      [NODES.blacklist, BLACK, ['a b'], 'is not a JID'],
      [NODES.blacklist, BLACK, ['a.lit', 'b.lit', 'c.lit', 'd.lit'], '4 entries are more than 3'],
      [NODES.whitelist, WHITE, ['@capulet.com'], 'is not a JID']
    ] as const
    for (const [node, field, jids, why] of cases) {
      const begun = await execute(admin, node)
      const answer = await submit(admin, begun, { [field]: jids })
      assert.equal(statusOf(answer), 'executing', why)
      assert.match(notesOf(answer)[0] ?? '', new RegExp(`^error: ${field}: .*${why}`))
      assert.deepEqual(fieldValues(childOf(answer, 'command') as Element, field), [...jids], 'what was typed')
    }
    // Those who sit elsewhere: by their domain, and by being left out
    for (const [node, field, jids, remedy] of [
      [NODES.blacklist, BLACK, ['localhost'], ''],
      [NODES['blacklist-in'], BLACK, ['localhost'], ''],
      [NODES.whitelist, WHITE, ['capulet.com'], ': put op@localhost or localhost on the list'],
      [
        NODES['whitelist-out'],
        WHITE,
        ['capulet.com', 'juliet@localhost'],
        ': put op@localhost or localhost on the list'
      ]
    ] as const) {
      const begun = await execute(op, node, 'other')
      const answer = await submit(op, begun, { [field]: jids })
      assert.deepEqual(notesOf(answer), [`error: ${field}: with this, you would be shut out${remedy}`])
    }
    assert.equal(
      statusOf(await run(op, NODES.whitelist, { [WHITE]: ['capulet.com', 'op@localhost'] }, 'other')),
      'completed'
    )
    const removal = await run(op, REMOVE, { jids: 'op@localhost' }, 'other')
    assert.match(notesOf(removal)[0] ?? '', /^error: jids: with this, you would be shut out/)
    // All of it at once shuts out nobody
    const all = await run(op, REMOVE, { jids: ['op@localhost', 'capulet.com'] }, 'other')
    assert.equal(statusOf(all), 'completed')
    // The host's own people are not what a whitelist is about
    const answer = await run(admin, NODES.whitelist, { [WHITE]: 'capulet.com' })
    assert.equal(statusOf(answer), 'completed')
    assert.deepEqual(notesOf(answer), [
      'info: Added to the whitelist: capulet.com.',
      'warn: Whoever is elsewhere and on no whitelist is refused from now on, until the list is empty again.'
    ])
    await admin.fence()
    assert.equal(statusOf(await run(admin, NODES.whitelist, { [WHITE]: [] })), 'completed')
  })
})

test('XEP-0133 §6: who lost the role in the middle of the dialogue changes nothing', async t => {
  const server = await startListed(t)
  await scenario(server, CAST, async ({ admin, boss }) => {
    const begun = await execute(admin, NODES.blacklist)
    const admins = server.server.config.hosts.get('localhost')?.admins as string[]
    admins.splice(admins.indexOf('admin@localhost'), 1)
    assert.equal(statusOf(await submit(admin, begun, { [BLACK]: 'a.lit' })), 'forbidden')
    assert.deepEqual(await shown(boss, NODES.blacklist), [])
  })
})

test('what is on the lists is shown, looked up and taken off; names are compared as they are prepared', async t => {
  const server = await startListed(t)
  await scenario(server, { admin: CAST.admin }, async ({ admin }) => {
    await run(admin, NODES.blacklist, { [BLACK]: ['bücher.lit', 'TYBALT@Capulet.LIT/Street', 'a.lit'] })
    await run(admin, NODES['blacklist-in'], { [BLACK]: ['a.lit', 'xn--bcher-kva.lit'] })
    const rows = async (said: Record<string, string>): Promise<string[]> =>
      rowsOf(await run(admin, SHOW, said)).map(({ list, jid }) => `${list} ${jid}`)
    assert.deepEqual(await rows({}), [
      'blacklist bücher.lit',
      'blacklist tybalt@capulet.lit/Street',
      'blacklist a.lit',
      'blacklist-in a.lit',
      'blacklist-in bücher.lit'
    ])
    assert.deepEqual(await rows({ list: 'blacklist-in' }), ['blacklist-in a.lit', 'blacklist-in bücher.lit'])
    assert.deepEqual(await rows({ list: 'whitelist' }), [])
    const looked = await run(admin, SHOW, { jid: 'kate@A.lit/x' })
    assert.deepEqual(notesOf(looked), ['info: From kate@a.lit/x: refused. To kate@a.lit/x: refused.'])
    assert.equal(rowsOf(looked).length, 2)

    const removed = await run(admin, REMOVE, { jids: ['A.LIT', 'nobody.lit'] })
    assert.equal(statusOf(removed), 'completed')
    assert.deepEqual(notesOf(removed), [
      'warn: a.lit was removed from the blacklist and the blacklist for inbound stanzas\nnobody.lit: is not on the list'
    ])
    const none = await run(admin, REMOVE, { jids: 'nobody.lit' })
    assert.equal(statusOf(none), 'item-not-found')
    assert.equal(childOf(none, 'error')?.getChildText('text'), 'nobody.lit: is not on the list')
    assert.deepEqual(notesOf(await run(admin, REMOVE, { jids: 'bücher.lit', list: 'blacklist-in' })), [
      'info: bücher.lit was removed from the blacklist for inbound stanzas'
    ])
    assert.deepEqual(await rows({}), ['blacklist bücher.lit', 'blacklist tybalt@capulet.lit/Street'])
  })
  const acts = server.log.filter(({ command }) => command === 'edit-blacklist')
  assert.deepEqual(
    acts.map(({ on, result, detail }) => [on, result, detail]),
    ['bücher.lit', 'tybalt@capulet.lit/Street', 'a.lit'].map(jid => [jid, 'done', 'is on the blacklist'])
  )
})

test('a list that has become too long, by another config or by what others added, can still be made shorter', async t => {
  const server = await startListed(t, { maxEntries: 3 })
  await scenario(server, CAST, async ({ admin, boss }) => {
    const late = await execute(boss, NODES.blacklist)
    await run(admin, NODES.blacklist, { [BLACK]: ['a.lit', 'b.lit', 'c.lit'] })
    assert.match(
      notesOf(await submit(boss, late, { [BLACK]: 'd.lit' }))[0] ?? '',
      /^error: blacklistjids: 4 entries are more than 3/
    )
    const many = Array.from({ length: 50 }, (_, i) => `${'a'.repeat(1000)}@d${i}.lit/${'b'.repeat(1000)}`)
    await setMax(server, 100)
    assert.match(
      notesOf(await run(admin, NODES.whitelist, { [WHITE]: many }))[0] ?? '',
      /more than 90000 bytes/
    )
    await run(admin, NODES.blacklist, { [BLACK]: ['a.lit', 'b.lit', 'c.lit', 'd.lit', 'e.lit'] })
    await setMax(server, 2)
    assert.equal(statusOf(await run(admin, REMOVE, { jids: 'a.lit' })), 'completed')
    assert.equal(
      statusOf(await run(admin, NODES.blacklist, { [BLACK]: ['b.lit', 'c.lit', 'd.lit'] })),
      'completed'
    )
    const more = await run(admin, NODES.blacklist, { [BLACK]: ['b.lit', 'c.lit', 'd.lit', 'e.lit'] })
    assert.match(notesOf(more)[0] ?? '', /4 entries are more than 2/)
    assert.deepEqual(await shown(admin, NODES.blacklist), ['b.lit', 'c.lit', 'd.lit'])
  })
  assert.deepEqual(server.errors(), [])
})

async function setMax(server: TestServer, maxEntries: number): Promise<void> {
  const config = parse(fs.readFileSync(server.configFile, 'utf8')) as { modules: Record<string, object> }
  config.modules.entity_lists = { maxEntries }
  server.writeConfig(config)
  const { ok, lines } = await server.server.reloadConfig()
  assert.ok(ok, lines.join('\n'))
}
