import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { childOf, childrenOf, type Element } from '../../core/xml/element'
import { IM_HOST } from '../lib/config'
import { startTestServer, type TestServer } from '../lib/server'
import { PASSWORD, scenario, type Player } from '../lib/wire'
import { ADMIN, notesOf, run } from '../modules/mod_adhoc_admin/helpers'
import { command, COMMANDS, form, outcome, sessionOf } from '../modules/mod_adhoc/commands'

/** XEP-0050, clause by clause. What is said here is said over the wire; the examples' command is a module of the test. */

const DISCO = 'http://jabber.org/protocol/disco'
const CAST = { op: 'op@localhost/desk', juliet: 'juliet@localhost/balcony' }

/** The command of the examples, and some with a difficulty each. `stages` is for another version of it. */
function source(stages = 2, note = 'has been configured'): string {
  return `
import { defineModule, FormError, z } from '#core'

const service = {
  form: () => ({
    formType: 'urn:example:service',
    title: 'Configure Service',
    instructions: 'Please select the service to configure.',
    fields: [
      { var: 'service', type: 'list-single', label: 'Service', required: true, options: ['httpd', 'jabberd', 'postgresql'].map(value => ({ value, label: value })) },
      { var: 'owner', type: 'jid-single', label: 'Owner' }
    ]
  }),
  check(said) { if (said.owner === 'mallory@localhost') throw new FormError('is not trusted', 'owner') }
}
const modes = {
  form: said => ({
    title: 'Configure Service',
    instructions: "Please select the run modes and state for '" + said.service + "'.",
    fields: [
      {
        var: 'runlevel', type: 'list-multi', label: 'Run Modes', minValues: 1, maxValues: 2,
        options: [
          { label: 'Single-User', value: '1' },
          { label: 'Non-Networked Multi-User', value: '2' },
          { label: 'Full Multi-User', value: '3' },
          { label: 'X-Window', value: '5' }
        ]
      },
      { var: 'state', type: 'list-single', label: 'Run State', options: [{ label: 'Active', value: 'off' }, { label: 'Inactive', value: 'on' }] }
    ],
    values: { runlevel: ['3', '5'], state: 'off' }
  })
}

export default defineModule({
  name: 'examples',
  description: 'The command of the examples',
  on: ['virtual'],
  config: z.object({}),
  setup(ctx) {
    ctx.adhoc({
      node: 'config', name: 'Configure Service', access: 'admin', onAccount: true,
      stages: [service, modes, modes].slice(0, ${stages}),
      finish: (said, run) => ({
        notes: [{ type: 'info', text: "Service '" + said.service + "' ${note}, " + [said.runlevel, said.state, run.lang, run.role].join(' ') + '.' }]
      })
    })
    ctx.adhoc({ node: 'list', name: 'List Services', access: 'any', stages: [], finish: () => undefined })
    ctx.adhoc({
      node: 'restart', name: 'Restart Service', access: 'operator', stages: [],
      finish: () => ({ notes: [{ type: 'error', text: 'It does not start.' }, { type: 'warn', text: 'It is down.' }] })
    })
    ctx.adhoc({
      node: 'typed', name: 'Types', access: 'any',
      stages: [{
        form: () => ({
          fields: [
            { var: 'number', datatype: 'xs:integer', min: 1, max: 10 },
            { var: 'when', datatype: 'xs:dateTime', min: '2026-01-01T00:00:00Z' },
            { var: 'number-of-old', datatype: 'xs:string', regex: '([0-9]{3})-([0-9]{2})-([0-9]{4})' },
            { var: 'kind', type: 'list-single', open: true, options: ['holiday', 'reminder'] },
            { var: 'by', type: 'list-multi', options: ['e-mail', 'jabber/xmpp', 'phone'], minValues: 1, maxValues: 2 },
            { var: 'secret', type: 'text-private', required: true },
            { var: 'who', type: 'jid-single' },
            { var: 'yes', type: 'boolean' },
            { var: 'lines', type: 'text-multi' }
          ]
        })
      }],
      // Only here is it known
      finish(said) { if (said.number === '7') throw new FormError('is taken', 'number') }
    })
  }
})
`
}

interface Started {
  server: TestServer
  write(source: string): void
}

async function start(t: TestContext, sessionsPerUser = 20): Promise<Started> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-xep0050-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, 'mod_examples', 'index.ts')
  fs.mkdirSync(path.dirname(file))
  const write = (text: string): void => fs.writeFileSync(file, text)
  write(source())
  const server = await startTestServer(t, {
    hosts: {
      localhost: { modules: { ...(IM_HOST.modules as object), adhoc_admin: {}, examples: {}, audit: {} } }
    },
    modules: { adhoc: { sessionsPerUser } },
    config: { moduleFolders: [folder], operators: ['op@localhost'] }
  })
  await server.server.accounts.setPassword('op', 'localhost', PASSWORD)
  return { server, write }
}

/** Makes juliet an administrator of the host, or nobody. */
async function administers(op: Player, ...jids: string[]): Promise<void> {
  assert.equal(outcome(await run(op, `${ADMIN}#edit-admin`, { adminjids: jids })), 'completed')
}

const SERVICE = form({ FORM_TYPE: 'urn:example:service', service: 'httpd' })

function title(answer: Element): string {
  return childOf(answer, 'command')?.getChild('x')?.getChildText('instructions') ?? ''
}

/** The allowed actions, the one that `execute` stands for in front. */
function actions(answer: Element): string {
  const found = childOf(childOf(answer, 'command') as Element, 'actions')
  return found ? [found.attrs.execute, ...childrenOf(found).map(({ name }) => name)].join(' ') : 'none'
}

function asks(player: Player, kind: 'info' | 'items', node: string, to = 'localhost'): Promise<Element> {
  return player.request(
    `<iq type='get' to='${to}'><query xmlns='${DISCO}#${kind}' ${node && `node='${node}'`}/></iq>`
  )
}

test('XEP-0050 §2.1, §2.2, §5: what there is, for whoever may run it, with the own address alone', async t => {
  const { server } = await start(t)
  await scenario(server, CAST, async ({ op, juliet }) => {
    assert.match(String(await asks(juliet, 'info', '')), new RegExp(`<feature var="${COMMANDS}"/>`))
    juliet.unread.push(await asks(juliet, 'items', COMMANDS))
    await juliet.receives(
      `<iq type='result' from='localhost'><query xmlns='${DISCO}#items' node='${COMMANDS}' t:exact='yes' xmlns:t='t'>
         <item jid='localhost' node='list' name='List Services'/>
         <item jid='localhost' node='typed' name='Types'/>
       </query></iq>`
    )
    const all = String(await asks(op, 'items', COMMANDS))
    for (const [, jid] of all.matchAll(/<item jid="([^"]*)"/g)) assert.equal(jid, 'localhost')
    for (const node of ['config', 'list', 'restart', 'typed']) assert.match(all, new RegExp(`node="${node}"`))
    op.unread.push(await asks(op, 'info', COMMANDS))
    await op.receives(
      `<iq type='result'><query xmlns='${DISCO}#info' node='${COMMANDS}'><identity category='automation' type='command-list'/></query></iq>`
    )
    // Example 6
    op.unread.push(await asks(op, 'info', 'config'))
    await op.receives(
      `<iq type='result' from='localhost' to='{op}'><query xmlns='${DISCO}#info' node='config' t:exact='yes' xmlns:t='t'>
         <identity name='Configure Service' category='automation' type='command-node'/>
         <feature var='${COMMANDS}'/>
         <feature var='jabber:x:data'/>
       </query></iq>`
    )
    assert.match(String(await asks(juliet, 'info', 'config')), /<forbidden/)
    // At the own account only what is about administration, with that address
    for (const [, jid] of String(await asks(op, 'items', COMMANDS, 'op@localhost')).matchAll(
      /<item jid="([^"]*)"/g
    ))
      assert.equal(jid, 'op@localhost')
    // §4.4: without the module there is nobody who knows what a command is
    for (const name of ['adhoc_admin', 'adhoc'])
      assert.equal((await server.server.manager.unload(name)).ok, true)
    assert.equal(outcome(await command(op, { node: 'list' })), 'cancel service-unavailable')
    assert.doesNotMatch(String(await asks(juliet, 'info', '')), new RegExp(COMMANDS))
  })
})

test('XEP-0050 §2.4.2, examples 10 to 17: two stages, forth, back, and to the end', async t => {
  const { server } = await start(t)
  await scenario(server, CAST, async ({ op }) => {
    const first = `<iq type='result' from='localhost' to='{op}'>
       <command xmlns='${COMMANDS}' sessionid='*' node='config' status='executing' xml:lang='en' t:exact='yes' xmlns:t='t'>
         <actions execute='next'><next/></actions>
         <x xmlns='jabber:x:data' type='form'>
           <title>Configure Service</title>
           <instructions>Please select the service to configure.</instructions>
           <field var='FORM_TYPE' type='hidden'><value>urn:example:service</value></field>
           <field var='service' label='Service' type='list-single'><required/>VALUE
             <option label='httpd'><value>httpd</value></option><option label='jabberd'><value>jabberd</value></option><option label='postgresql'><value>postgresql</value></option>
           </field>
           <field var='owner' label='Owner' type='jid-single'/>
         </x>
       </command></iq>`
    const begun = await command(op, { node: 'config', action: 'execute' })
    const sessionid = sessionOf(begun)
    op.unread.push(begun)
    await op.receives(first.replace('VALUE', ''))
    op.unread.push(await command(op, { node: 'config', sessionid }, SERVICE))
    await op.receives(
      `<iq type='result'><command xmlns='${COMMANDS}' sessionid='${sessionid}' node='config' status='executing'>
         <actions execute='complete' t:exact='yes' xmlns:t='t'><prev/><complete/></actions>
         <x xmlns='jabber:x:data' type='form'>
           <instructions>Please select the run modes and state for 'httpd'.</instructions>
           <field var='runlevel' label='Run Modes' type='list-multi'><value>3</value><value>5</value></field>
           <field var='state' label='Run State' type='list-single'><value>off</value></field>
         </x></command></iq>`
    )
    // Back, with what was said; what was typed here is there again, too
    const typed = form({ runlevel: '1', state: 'on' })
    op.unread.push(await command(op, { node: 'config', sessionid, action: 'prev' }, typed))
    await op.receives(first.replace('VALUE', '<value>httpd</value>'))
    const again = await command(
      op,
      { node: 'config', sessionid, action: 'next' },
      SERVICE.replace('httpd', 'jabberd')
    )
    assert.equal(title(again), "Please select the run modes and state for 'jabberd'.")
    assert.match(String(again), /<value>1<\/value>.*<value>on<\/value>/)
    op.unread.push(await command(op, { node: 'config', sessionid, action: 'complete' }, typed))
    await op.receives(
      `<iq type='result'><command xmlns='${COMMANDS}' sessionid='${sessionid}' node='config' status='completed' xml:lang='en' t:exact='yes' xmlns:t='t'>
         <note type='info'>Service 'jabberd' has been configured, 1 on  operator.</note>
       </command></iq>`
    )
  })
})

test('XEP-0050 §2.4.3, §3.4: cancel is answered at every stage, by whoever they have become, and frees', async t => {
  const { server } = await start(t, 1)
  await scenario(server, CAST, async ({ op, juliet }) => {
    await administers(op, 'juliet@localhost')
    for (const submits of [0, 1]) {
      const sessionid = sessionOf(await command(juliet, { node: 'config' }))
      if (submits) await command(juliet, { node: 'config', sessionid }, SERVICE)
      assert.equal(outcome(await command(juliet, { node: 'config' })), 'wait resource-constraint')
      juliet.unread.push(await command(juliet, { node: 'config', sessionid, action: 'cancel' }))
      await juliet.receives(
        `<iq type='result'><command xmlns='${COMMANDS}' sessionid='${sessionid}' node='config' status='canceled' xml:lang='en' t:exact='yes' xmlns:t='t'/></iq>`
      )
    }
    const sessionid = sessionOf(await command(juliet, { node: 'config' }))
    await administers(op)
    assert.equal(outcome(await command(juliet, { node: 'config', sessionid, action: 'cancel' })), 'canceled')
  })
})

test('XEP-0050 §3.2, §4.1: the node is what the list has, to the letter; there is one in each request', async t => {
  const { server } = await start(t)
  await scenario(server, CAST, async ({ op }) => {
    for (const node of ['Config', 'config ', 'con', '__proto__', ''])
      assert.match(
        outcome(await command(op, { node })),
        node ? /^cancel item-not-found$/ : /^modify bad-request$/,
        node
      )
    assert.equal(outcome(await command(op, {})), 'modify bad-request')
  })
})

test('XEP-0050 §3.3: ids are unique and of one requester, address and command; several at a time are possible', async t => {
  const { server } = await start(t)
  const cast = { ...CAST, chamber: 'op@localhost/chamber' }
  await scenario(server, cast, async ({ op, chamber, juliet }) => {
    const ids = new Set<string>()
    for (let i = 0; i < 5; i++) ids.add(sessionOf(await command(op, { node: 'config' })))
    for (let i = 0; i < 5; i++) ids.add(sessionOf(await command(op, { node: 'list' })))
    assert.equal(ids.size, 10)
    const [sessionid = '', other = ''] = ids
    const lost = 'cancel not-allowed +session-expired'
    assert.equal(outcome(await command(chamber, { node: 'config', sessionid }, SERVICE)), lost)
    assert.equal(outcome(await command(op, { node: 'typed', sessionid }, SERVICE)), lost)
    assert.equal(outcome(await command(op, { node: 'config', sessionid }, SERVICE, 'op@localhost')), lost)
    assert.equal(outcome(await command(juliet, { node: 'config', sessionid }, SERVICE)), 'cancel forbidden')
    assert.equal(
      outcome(await command(juliet, { node: 'config', sessionid, action: 'cancel' })),
      'cancel forbidden'
    )
    // Each goes its own way
    assert.match(title(await command(op, { node: 'config', sessionid }, SERVICE)), /run modes/)
    assert.match(
      title(await command(op, { node: 'config', sessionid: other }, form({ service: '' }))),
      /select the service/
    )
    const done = await command(op, { node: 'config', sessionid }, form({ runlevel: '3' }))
    assert.equal(outcome(done), 'completed')
    assert.equal(outcome(await command(op, { node: 'config', sessionid }, form({ runlevel: '3' }))), lost)
    assert.equal(outcome(await command(op, { node: 'config', sessionid, action: 'cancel' })), lost)
  })
})

test('XEP-0050 §3.3: two who complete the same session at once complete it once', async t => {
  const { server } = await start(t)
  await scenario(server, CAST, async ({ op }) => {
    const sessionid = sessionOf(await command(op, { node: 'config' }))
    await command(op, { node: 'config', sessionid }, SERVICE)
    const answers = await Promise.all(
      [1, 2, 3].map(() => command(op, { node: 'config', sessionid }, form({ runlevel: '3' })))
    )
    const lost = 'cancel not-allowed +session-expired'
    assert.deepEqual(answers.map(outcome).sort(), [lost, lost, 'completed'])
  })
})

test('XEP-0050 §3.3: the responder ends sessions: with the module of the command, and when the role is lost', async t => {
  const { server, write } = await start(t, 2)
  await scenario(server, CAST, async ({ op, juliet }) => {
    const lost = 'cancel not-allowed +session-expired'
    const begin = async (): Promise<string> => sessionOf(await command(juliet, { node: 'config' }))
    const goes = (sessionid: string, xml = SERVICE): Promise<Element> =>
      command(juliet, { node: 'config', sessionid }, xml)
    await administers(op, 'juliet@localhost')
    // An unload ends it, also for whoever comes when it is there again; the place is free
    const unloaded = [await begin(), await begin()] as const
    await server.server.manager.unload('examples')
    assert.equal(outcome(await goes(unloaded[0])), 'cancel item-not-found')
    await server.server.manager.load('examples')
    for (const id of unloaded) assert.equal(outcome(await goes(id)), lost)

    // A new version goes on where the old one was (a reload loses nobody's work), and checks what was said
    const carried = await begin()
    await goes(carried)
    write(source(2, 'is set'))
    assert.equal((await server.server.manager.reload('examples')).ok, true)
    assert.equal(
      notesOf(await goes(carried, form({ runlevel: '3' })))[0],
      "info: Service 'httpd' is set, 3   admin."
    )
    // where it still takes it
    const refused = await begin()
    await goes(refused)
    write(source(2, 'is set').replace("'httpd', 'jabberd', 'postgresql'", "'jabberd', 'postgresql'"))
    await server.server.manager.reload('examples')
    const shown = await goes(refused, form({ runlevel: '3' }))
    assert.deepEqual(notesOf(shown), ['error: service: must be one of jabberd, postgresql'])
    assert.match(title(shown), /select the service/)
    assert.match(title(await goes(refused, SERVICE.replace('httpd', 'jabberd'))), /run modes/)
    assert.equal(outcome(await goes(refused, form({ runlevel: '3' }))), 'completed')
    // One of another shape ends it
    const reshaped = await begin()
    write(source(3))
    await server.server.manager.reload('examples')
    assert.equal(outcome(await goes(reshaped)), lost)

    // The role is asked at each stage, and what was begun is gone
    const begun = await begin()
    await administers(op)
    assert.equal(outcome(await goes(begun)), 'cancel forbidden')
    await administers(op, 'juliet@localhost')
    assert.equal(outcome(await goes(begun)), lost)
  })
  const denied = server.log.find(({ msg }) => msg?.startsWith('command refused'))
  assert.deepEqual([denied?.has, denied?.needs, denied?.node], ['member', 'admin', 'config'])
})

test('XEP-0050 §3.4, §4.2: each form tells its actions; execute is one of them, and what it stands for', async t => {
  const { server, write } = await start(t)
  write(source(3))
  await server.server.manager.reload('examples')
  await scenario(server, CAST, async ({ op }) => {
    const begun = await command(op, { node: 'config' })
    const sessionid = sessionOf(begun)
    assert.equal(actions(begun), 'next next')
    const second = await command(op, { node: 'config', sessionid, action: 'execute' }, SERVICE)
    assert.equal(actions(second), 'next prev next')
    const third = await command(op, { node: 'config', sessionid }, form({ runlevel: '1' }))
    assert.equal(actions(third), 'complete prev complete')
    assert.equal(
      outcome(await command(op, { node: 'config', sessionid, action: 'execute' }, form({ runlevel: '1' }))),
      'completed'
    )
    assert.equal(actions(await command(op, { node: 'typed' })), 'complete complete')
    assert.equal(actions(await command(op, { node: 'list' })), 'none')
  })
})

test('XEP-0050 §3.5.1: a form of type cancel is one of type submit; others are not taken', async t => {
  const { server } = await start(t)
  await scenario(server, CAST, async ({ op }) => {
    const sessionid = sessionOf(await command(op, { node: 'config' }))
    for (const type of ['form', 'result', 'x', ''])
      assert.match(
        title(await command(op, { node: 'config', sessionid }, SERVICE.replace('submit', type))),
        /select the service/,
        type
      )
    assert.match(
      title(await command(op, { node: 'config', sessionid }, SERVICE.replace('submit', 'cancel'))),
      /run modes/
    )
  })
})

test('XEP-0050 §3.6, §4.3: what failed is completed, and a note of type error says so', async t => {
  const { server } = await start(t)
  await scenario(server, CAST, async ({ op }) => {
    const failed = await command(op, { node: 'restart' })
    assert.equal(outcome(failed), 'completed')
    assert.deepEqual(notesOf(failed), ['error: It does not start.', 'warn: It is down.'])
  })
})

test('XEP-0050 §3.7: one language for a session, that of its beginning; answers say theirs', async t => {
  const { server } = await start(t)
  await scenario(server, CAST, async ({ op }) => {
    const lang = (answer: Element): unknown => childOf(answer, 'command')?.attrs['xml:lang']
    // As the examples have it: what the client speaks. It is answered, in English
    const begun = await op.request(
      `<iq type='set' to='localhost' xml:lang='fr-ca'><command xmlns='${COMMANDS}' node='config'/></iq>`
    )
    assert.equal(lang(begun), 'en')
    const sessionid = sessionOf(begun)
    assert.equal(lang(await command(op, { node: 'config', sessionid, 'xml:lang': 'de' }, SERVICE)), 'en')
    const done = await command(
      op,
      { node: 'config', sessionid, 'xml:lang': 'it' },
      form({ runlevel: '1', state: 'on' })
    )
    assert.equal(lang(done), 'en')
    assert.match(notesOf(done)[0] ?? '', /fr-ca/)
    // A language that is asked of this command is another matter
    for (const [asked, wanted] of [
      ['fr-ca', 'modify bad-request +bad-locale'],
      ['english', 'modify bad-request +bad-locale'],
      ['en-GB', 'completed'],
      ['EN', 'completed'],
      ['', 'completed']
    ] as const)
      assert.equal(outcome(await command(op, { node: 'list', 'xml:lang': asked })), wanted, asked)
  })
})

test('XEP-0050 §4.4: the errors, each with its type; §4.1: what the requester must not say is not heard', async t => {
  const { server } = await start(t)
  await scenario(server, CAST, async ({ op, juliet }) => {
    const sessionid = sessionOf(await command(op, { node: 'config' }))
    const node = 'config'
    for (const [wanted, attrs, xml] of [
      ['modify bad-request +malformed-action', { node, action: 'dance' }, ''],
      ['modify bad-request +malformed-action', { node, sessionid, action: 'EXECUTE' }, SERVICE],
      ['modify bad-request +bad-action', { node, action: 'next' }, ''],
      ['modify bad-request +bad-action', { node, action: 'cancel' }, ''],
      ['modify bad-request +bad-action', { node, sessionid, action: 'prev' }, ''],
      ['modify bad-request +bad-action', { node, sessionid, action: 'complete' }, SERVICE],
      ['modify bad-request +bad-locale', { node, 'xml:lang': 'tlh' }, ''],
      ['modify bad-request +bad-payload', { node, sessionid }, ''],
      [
        'modify bad-request +bad-payload',
        { node, sessionid },
        `<x xmlns='jabber:x:oob'><url>http://localhost</url></x>`
      ],
      ['modify bad-request +bad-sessionid', { node, sessionid: '' }, SERVICE],
      ['cancel not-allowed +session-expired', { node, sessionid: 'what' }, SERVICE],
      ['cancel item-not-found', { node: 'nothing' }, '']
    ] as const)
      assert.equal(outcome(await command(op, attrs, xml)), wanted, JSON.stringify(attrs))
    // As in the examples: the command is repeated, without what was typed
    op.unread.push(await command(op, { node, sessionid, action: 'prev' }, SERVICE))
    await op.receives(
      `<iq type='error'>
         <command xmlns='${COMMANDS}' node='config' sessionid='${sessionid}' action='prev' t:exact='yes' xmlns:t='t'/>
         <error type='modify'/>
       </iq>`
    )
    op.unread.push(await command(op, { node: 'nothing' }))
    await op.receives(`<iq type='error'><command xmlns='${COMMANDS}' node='nothing'/></iq>`)
    for (const attrs of [{ node }, { node: 'restart' }])
      assert.equal(outcome(await command(juliet, attrs)), 'cancel forbidden')
    // None of it was the end; a status means nothing
    const next = await command(
      op,
      { node, sessionid, status: 'canceled' },
      `<actions execute='prev'><prev/></actions>${SERVICE}`
    )
    assert.match(title(next), /run modes/)
  })
})

test('XEP-0050 §3.5, XEP-0004 §3.2: what is wrong is named, in the form that is there again with what was typed', async t => {
  const { server } = await start(t)
  await scenario(server, CAST, async ({ op }) => {
    const begun = await command(op, { node: 'typed' })
    const sessionid = sessionOf(begun)
    // XEP-0122
    op.unread.push(begun)
    const validate = (inner: string, type = 'xs:string'): string =>
      `<validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='${type}' t:exact='yes' xmlns:t='t'>${inner}</validate>`
    await op.receives(
      `<iq type='result'><command xmlns='${COMMANDS}'><x xmlns='jabber:x:data' type='form'>
         <field var='number'>${validate(`<range min='1' max='10'/>`, 'xs:integer')}</field>
         <field var='when'>${validate(`<range min='2026-01-01T00:00:00Z'/>`, 'xs:dateTime')}</field>
         <field var='number-of-old'>${validate('<regex>([0-9]{3})-([0-9]{2})-([0-9]{4})</regex>')}</field>
         <field var='kind'>${validate('<open/>')}</field>
         <field var='by'>${validate(`<basic/><list-range min='1' max='2'/>`)}</field>
       </x></command></iq>`
    )
    const field = (name: string, ...values: string[]): string =>
      `<field var='${name}'>${values.map(value => `<value>${value}</value>`).join('')}</field>`
    const good: Record<string, string[]> = {
      number: ['3'],
      when: ['2026-11-20T12:00:00+01:00'],
      'number-of-old': ['123-12-1234'],
      kind: ['appointment'],
      by: ['phone'],
      secret: ['of-nobody'],
      who: ['romeo@localhost'],
      yes: ['1'],
      lines: ['one', 'two']
    }
    const says = (fields: Record<string, string[]>, more = ''): Promise<Element> => {
      const xml = Object.entries({ ...good, ...fields }).map(([name, values]) => field(name, ...values))
      return command(
        op,
        { node: 'typed', sessionid },
        `<x xmlns='jabber:x:data' type='submit'>${xml.join('')}${more}</x>`
      )
    }
    for (const [fields, fault] of [
      [{ number: ['0'] }, 'number: must be at least 1'],
      [{ number: ['11'] }, 'number: must be at most 10'],
      [{ number: ['three'] }, 'number: must be a whole number'],
      [{ number: ['1', '2', '3', '4', '5'] }, 'number: one value is expected, not several'],
      [{ when: ['2026-02-30T00:00:00Z'] }, 'when: must be a time like 2026-12-31T23:59:59Z'],
      [{ when: ['2025-12-31T23:59:59Z'] }, 'when: must be at least 2026-01-01T00:00:00Z'],
      [{ 'number-of-old': ['x123-12-1234'] }, 'number-of-old: must match ([0-9]{3})-([0-9]{2})-([0-9]{4})'],
      [{ by: [] }, 'by: at least 1 values are expected'],
      [{ by: ['phone', 'e-mail', 'jabber/xmpp'] }, 'by: more than 2 values'],
      [{ by: ['pigeon'] }, 'by: must be one of e-mail, jabber/xmpp, phone'],
      [{ secret: [''] }, 'secret: a value is required'],
      [{ who: ['@'] }, 'who: '],
      [{ yes: ['maybe'] }, 'yes: must be 0, 1, true or false'],
      // Known at the end only: it is still no end
      [{ number: ['7'] }, 'number: is taken']
    ] as const) {
      const answer = await says(fields as unknown as Record<string, string[]>)
      assert.equal(outcome(answer), 'executing', fault)
      assert.ok(notesOf(answer)[0]?.startsWith(`error: ${fault}`), `${notesOf(answer)[0]} for ${fault}`)
      const again = String(childOf(answer, 'command')?.getChild('x'))
      for (const values of Object.values({ ...good, ...(fields as object), secret: [], yes: [] }))
        for (const value of (values as string[]).slice(0, 1))
          assert.ok(again.includes(`<value>${value}</value>`), `${value} for ${fault}`)
      assert.equal(again.includes('of-nobody'), false, 'what is hidden is not sent back')
    }
    const twice = await says({}, field('number', '4'))
    assert.deepEqual(notesOf(twice), ['error: number: the field is there twice'])
    // XEP-0004 §3.1: fields that nobody knows are ignored
    const strange =
      field('__proto__', 'x') + field('marlowe.lit', 'y') + field('FORM_TYPE', 'urn:example:other')
    assert.equal(outcome(await says({}, strange)), 'completed')
  })
})

test('XEP-0068 §3.1: a form without FORM_TYPE is taken, one with another is not', async t => {
  const { server } = await start(t)
  await scenario(server, CAST, async ({ op }) => {
    const sessionid = sessionOf(await command(op, { node: 'config' }))
    const other = await command(
      op,
      { node: 'config', sessionid },
      SERVICE.replace('urn:example:service', ADMIN)
    )
    assert.deepEqual(notesOf(other), ['error: FORM_TYPE: must be urn:example:service'])
    assert.match(
      title(await command(op, { node: 'config', sessionid }, form({ service: 'httpd' }))),
      /run modes/
    )
  })
})
