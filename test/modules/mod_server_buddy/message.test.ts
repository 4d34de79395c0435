import assert from 'node:assert/strict'
import test from 'node:test'
import { childOf, childrenOf, childText, type Element } from '../../../core/xml/element'
import { Abroad } from '../../lib/abroad'
import { IM_HOST, testConfig, type TestServerOptions } from '../../lib/config'
import { forEachDatabase } from '../../lib/databases'
import { startTestServer, type TestServer } from '../../lib/server'
import { scenario, type Player } from '../../lib/wire'
import { agrees, NODES, rosterOf, runs } from './hosts'

/** XEP-0267 §1: the administrators are prompted, and decide by the form in the message that they get. */

const REQUEST = 'urn:balcony:admin#server-buddy-request'
const CAST = { admin: 'admin@localhost/a', nurse: 'nurse@localhost/n' }

/** Two administrators; without mod_offline nothing but the module itself keeps anything for those who are away. */
function twoAdmins(admins = ['admin@localhost', 'nurse@localhost']): TestServerOptions {
  const { offline: _, ...modules } = IM_HOST.modules as Record<string, object>
  return { hosts: { localhost: { admins, modules: { ...modules, server_buddy: {} } } } }
}

const request = (peer: string, type = 'subscribe'): string =>
  `<presence from='${peer}' to='localhost' type='${type}'/>`

/** The message about that peer. */
async function prompted(player: Player, peer: string): Promise<Element> {
  return player.finds(
    `<message from='localhost' type='normal'><subject>Buddy request</subject>
      <x xmlns='jabber:x:data' type='form'>
        <field var='FORM_TYPE' type='hidden'><value>${REQUEST}</value></field>
        <field var='peerjid' type='hidden'><value>${peer}</value></field>
        <field var='decision' type='list-single'><required/>
          <option><value>approve</value></option><option><value>refuse</value></option></field>
        <field var='note' type='text-single'/>
      </x></message>`
  )
}

function field(name: string, ...values: string[]): string {
  return `<field var='${name}'>${values.map(value => `<value>${value}</value>`).join('')}</field>`
}

function received(message: Element): string {
  const form = childOf(message, 'x', 'jabber:x:data') as Element
  const found = childrenOf(form, 'field').find(({ attrs }) => attrs.var === 'received') as Element
  return childText(found, 'value') ?? ''
}

/** The form as it is filled in. */
function filled(message: Element, peer: string, decision: string, more = ''): string {
  return field('peerjid', peer) + field('received', received(message)) + field('decision', decision) + more
}

async function submits(player: Player, fields: string, type = 'submit', formType = REQUEST): Promise<void> {
  await player.sends(
    `<message to='localhost' type='normal'><thread>t1</thread><x xmlns='jabber:x:data' type='${type}'>` +
      `${formType && field('FORM_TYPE', formType)}${fields}</x></message>`
  )
}

/** What the server answers to a form. */
async function answered(player: Player): Promise<string> {
  const message = await player.finds(
    `<message from='localhost' to='${player.jid}' type='normal'><thread>t1</thread><body/></message>`
  )
  return childText(message, 'body') ?? ''
}

/** Who administers the host from now on. */
async function withAdmins(server: TestServer, admins: string[]): Promise<void> {
  server.writeConfig(await testConfig(twoAdmins(admins), `${server.folder}/data`))
  const { ok, lines } = await server.server.reloadConfig()
  assert.ok(ok, lines.join('\n'))
}

function acts(server: TestServer): unknown[] {
  return server.log
    .filter(({ msg }) => String(msg).startsWith('administration'))
    .map(({ by, command, on, result }) => [by, command, on, result])
}

forEachDatabase(database => {
  test(`who is online is asked at once, who is away at the next login, each once (${database})`, async t => {
    const server = await startTestServer(t, { ...twoAdmins(), database })
    await scenario(server, { admin: CAST.admin }, async ({ admin }) => {
      const abroad = new Abroad(server)
      await admin.sends('<presence/>')
      await admin.forgets()
      await abroad.says(request('bücher.example'))
      const message = await prompted(admin, 'bücher.example')
      // Readable by itself; a name in another script is told in letters that look like no others
      assert.match(childText(message, 'body') ?? '', /bücher\.example \(xn--bcher-kva\.example\).*localhost/)
      const warnings = server.log.filter(({ msg }) => String(msg).startsWith('a server asks to be a buddy'))
      assert.deepEqual(
        warnings.map(({ peer }) => peer),
        ['bücher.example']
      )
      // The same request, in other letters
      await abroad.says(request('xn--bcher-kva.example'))
      await abroad.says(request('BÜCHER.example'))
      await admin.sends('<presence type="unavailable"/>')
      await admin.sends('<presence/>')
      await admin.fence()
      assert.doesNotMatch(admin.unread.join(''), /<message/, 'the administrator was told already')
      assert.deepEqual(await rosterOf(admin, 'localhost'), { 'bücher.example': 'none in' })
    })
    await server.restart()
    await scenario(server, { nurse: CAST.nurse }, async ({ nurse }) => {
      await nurse.sends('<presence><priority>-1</priority></presence>')
      await nurse.fence()
      assert.doesNotMatch(nurse.unread.join(''), /<message/, 'this resource wants no messages')
      await nurse.sends('<presence/>')
      const message = await prompted(nurse, 'bücher.example')
      await nurse.sends('<presence><priority>-1</priority></presence>')
      await nurse.sends('<presence/>')
      await nurse.fence()
      assert.doesNotMatch(nurse.unread.join(''), /<message/)
      const abroad = new Abroad(server)
      await submits(nurse, filled(message, 'bücher.example', 'approve'))
      assert.equal(await answered(nurse), 'bücher.example was approved.')
      await abroad.finds(`<presence to='bücher.example' type='subscribed'/>`)
      await nurse.fence()
      assert.doesNotMatch(nurse.unread.join(''), /<message/)
    })
    assert.deepEqual(server.errors(), [])
  })
})

test('the form approves with the same checks and the same entry in the audit as the command', async t => {
  const server = await startTestServer(t, twoAdmins())
  await scenario(server, CAST, async ({ admin, nurse }) => {
    const abroad = new Abroad(server)
    for (const player of [admin, nurse]) await player.sends('<presence/>')
    await admin.fence()
    for (const peer of ['a.example', 'b.example', 'c.example']) await abroad.says(request(peer))
    abroad.hears()
    const first = await prompted(admin, 'a.example')
    await submits(admin, filled(first, 'a.example', 'approve', field('note', 'we know them')))
    assert.equal(await answered(admin), 'a.example was approved.')
    // §1, examples 2 and 3
    abroad.hears(
      `<presence from='localhost' to='a.example' type='subscribed'/>`,
      `<presence from='localhost' to='a.example' type='!'/>`,
      `<presence from='localhost' to='a.example' type='subscribe'/>`
    )
    assert.match(
      String(await runs(admin, 'localhost', NODES.list)),
      /approved by admin@localhost \d.*we know them/
    )

    const second = await prompted(nurse, 'b.example')
    await submits(nurse, filled(second, 'B.EXAMPLE', 'refuse'))
    assert.equal(await answered(nurse), 'b.example was refused.')
    abroad.hears(`<presence from='localhost' to='b.example' type='unsubscribed'/>`)

    await runs(nurse, 'localhost', NODES.pending, { peers: ['c.example'], decision: 'refuse' })
    // Another administrator has decided, by whatever way
    for (const [player, peer, why] of [
      [nurse, 'a.example', 'it was approved by admin@localhost'],
      [admin, 'b.example', 'it was decided on already, or withdrawn'],
      [admin, 'c.example', 'it was decided on already, or withdrawn']
    ] as const) {
      abroad.heard.length = 0
      await submits(player, filled(await prompted(player, peer), peer, 'approve'))
      assert.equal(
        await answered(player),
        `Nothing was decided: the request of ${peer} does not wait any more: ${why}.`
      )
      abroad.hears()
    }
    assert.deepEqual(acts(server), [
      ['admin@localhost', 'server-buddy-approve', 'a.example', 'done'],
      ['nurse@localhost', 'server-buddy-refuse', 'b.example', 'done'],
      ['nurse@localhost', 'server-buddy-refuse', 'c.example', 'done'],
      ['nurse@localhost', 'server-buddy-approve', 'a.example', 'item-not-found'],
      ['admin@localhost', 'server-buddy-approve', 'b.example', 'item-not-found'],
      ['admin@localhost', 'server-buddy-approve', 'c.example', 'item-not-found']
    ])
    await agrees(admin, 'localhost', { 'a.example': 'from out' })
  })
})

test('two who decide at the same moment: one wins, the other is told', async t => {
  const server = await startTestServer(t, twoAdmins())
  await scenario(server, CAST, async ({ admin, nurse }) => {
    const abroad = new Abroad(server)
    for (const player of [admin, nurse]) await player.sends('<presence/>')
    for (const player of [admin, nurse]) await player.fence()
    for (let i = 0; i < 5; i++) {
      const peer = `p${i}.example`
      await abroad.says(request(peer))
      const forms = [await prompted(admin, peer), await prompted(nurse, peer)] as const
      abroad.heard.length = 0
      await Promise.all([
        submits(admin, filled(forms[0], peer, 'approve')),
        submits(nurse, filled(forms[1], peer, 'refuse'))
      ])
      const answers = [await answered(admin), await answered(nurse)]
      assert.equal(
        answers.filter(answer => /was (?:approved|refused)\.$/.test(answer)).length,
        1,
        answers.join('\n')
      )
      assert.equal(answers.filter(answer => answer.startsWith('Nothing was decided')).length, 1)
      const said = abroad.heard
        .map(({ attrs }) => attrs.type)
        .filter(type => type === 'subscribed' || type === 'unsubscribed')
      assert.equal(said.length, 1, 'the peer hears one decision')
    }
  })
})

test('a request that was withdrawn is not approved by its form, nor the next one of that peer', async t => {
  const server = await startTestServer(t, twoAdmins())
  await scenario(server, { admin: CAST.admin }, async ({ admin }) => {
    const abroad = new Abroad(server)
    await admin.sends('<presence/>')
    await admin.fence()
    await abroad.says(request('a.example'))
    const old = await prompted(admin, 'a.example')
    await abroad.says(request('a.example', 'unsubscribe'))
    abroad.hears(`<presence to='a.example' type='unsubscribed'/>`)
    await submits(admin, filled(old, 'a.example', 'approve'))
    assert.match(await answered(admin), /^Nothing was decided: .* or withdrawn\.$/)
    await abroad.says(request('a.example'))
    const next = await prompted(admin, 'a.example')
    assert.notEqual(received(old), received(next))
    await submits(admin, filled(old, 'a.example', 'approve'))
    assert.match(await answered(admin), /^Nothing was decided/)
    abroad.hears()
    await submits(admin, filled(next, 'a.example', 'approve'))
    assert.equal(await answered(admin), 'a.example was approved.')
  })
})

test('who has lost the role, or never had it, decides nothing and is told so; the denial is in the log', async t => {
  const server = await startTestServer(t, twoAdmins())
  await scenario(server, { ...CAST, mallory: 'mallory@localhost/m' }, async ({ admin, nurse, mallory }) => {
    const abroad = new Abroad(server)
    for (const player of [admin, nurse]) await player.sends('<presence/>')
    for (const player of [admin, nurse]) await player.fence()
    await abroad.says(request('a.example'))
    const message = await prompted(nurse, 'a.example')
    const pending = await runs(nurse, 'localhost', NODES.pending)
    await withAdmins(server, ['admin@localhost'])
    for (const player of [nurse, mallory]) {
      await submits(player, filled(message, 'a.example', 'approve'))
      const refused = await player.finds(
        `<message from='localhost' type='error'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
      )
      assert.match(String(refused), /nothing was decided: \w+@localhost does not administer localhost/)
      assert.ok(
        server.log.some(
          ({ msg, from }) => String(msg).includes('the role does not allow it') && from === player.jid
        )
      )
    }
    // In the middle of the dialogue of the command
    const { node, sessionid } = (childOf(pending, 'command') as Element).attrs
    const late = await nurse.request(
      `<iq type='set' to='localhost'><command xmlns='http://jabber.org/protocol/commands' node='${node}' sessionid='${sessionid}'>` +
        `<x xmlns='jabber:x:data' type='submit'>${field('peers', 'a.example')}${field('decision', 'approve')}</x></command></iq>`
    )
    assert.match(String(late), /<forbidden/)
    abroad.hears()
    await agrees(admin, 'localhost', { 'a.example': 'none in' })
  })
})

test('a form that is wrong is answered with the reason, and the request goes on waiting', async t => {
  const server = await startTestServer(t, twoAdmins())
  await scenario(server, { admin: CAST.admin }, async ({ admin }) => {
    const abroad = new Abroad(server)
    await admin.sends('<presence/>')
    await admin.fence()
    await abroad.says(request('a.example'))
    const message = await prompted(admin, 'a.example')
    const at = received(message)
    for (const [fields, wrong] of [
      [field('peerjid', 'a.example') + field('received', at), 'decision'],
      [filled(message, 'a.example', 'maybe'), 'decision'],
      [
        field('peerjid', 'a.example') + field('received', at) + field('decision', 'approve', 'refuse'),
        'decision'
      ],
      [field('peerjid', 'user@a.example') + field('received', at) + field('decision', 'approve'), 'peerjid'],
      [field('peerjid', '') + field('received', at) + field('decision', 'approve'), 'peerjid'],
      [field('peerjid', 'a.example') + field('received', 'soon') + field('decision', 'approve'), 'received'],
      [field('peerjid', 'a.example') + field('decision', 'approve'), 'received'],
      [filled(message, 'a.example', 'approve', field('note', 'x'.repeat(1001))), 'note'],
      [filled(message, 'a.example', 'approve') + field('decision', 'refuse'), 'decision']
    ] as const) {
      await submits(admin, fields)
      assert.match(await answered(admin), new RegExp(`^Nothing was decided: ${wrong}: `), fields)
    }
    // Unknown fields are ignored (XEP-0004 §3.1), a peer as their name too; cancelled, it goes on waiting
    await submits(admin, '', 'cancel')
    await submits(admin, filled(message, 'b.example', 'approve', field('a.example', 'approve')))
    assert.match(await answered(admin), /the request of b\.example does not wait/)
    abroad.hears()
    await agrees(admin, 'localhost', { 'a.example': 'none in' })
    // Forms of others, and without FORM_TYPE, are nobody's here
    for (const type of ['', 'urn:example:other']) {
      await submits(admin, filled(message, 'a.example', 'approve'), 'submit', type)
      await admin.finds(`<message from='localhost' type='error'><error/></message>`)
    }
    await submits(admin, filled(message, 'a.example', 'approve', field('a.example', 'refuse')))
    assert.equal(await answered(admin), 'a.example was approved.')
  })
})

test('an administrator on another server is asked, and answers, from there', async t => {
  const server = await startTestServer(t, twoAdmins(['remote@far.example']))
  const abroad = new Abroad(server)
  await abroad.says(request('a.example'))
  const message = await abroad.finds(
    `<message from='localhost' to='remote@far.example' type='normal'><body/></message>`
  )
  const form =
    `<x xmlns='jabber:x:data' type='submit'>${field('FORM_TYPE', REQUEST)}` +
    `${filled(message, 'a.example', 'refuse')}</x>`
  const says = (from: string, s2s: string): Promise<void> =>
    abroad.says(`<message from='${from}' to='localhost' id='1'>${form}</message>`, 's2s', s2s)
  await says('remote@evil.example/r', 'evil.example')
  await abroad.finds(`<message to='remote@evil.example/r' type='error'><error type='auth'/></message>`)
  await says('remote@far.example/r', 'far.example')
  await abroad.finds(`<presence to='a.example' type='unsubscribed'/>`)
  await abroad.finds(`<message to='remote@far.example/r'><body>a.example was refused.</body></message>`)
  // What could not be delivered, and what somebody else says of it
  await abroad.says(request('b.example'))
  const { id } = (await abroad.finds(`<message to='remote@far.example'/>`)).attrs
  await abroad.says(
    `<message from='remote@far.example' to='localhost' id='${id}' type='error'><error type='cancel'>` +
      `<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
  )
  abroad.hears()
  assert.deepEqual(server.errors(), [])
})

test('a thousand requests: as many wait as may, few are prompted, and the others are told why not', async t => {
  const server = await startTestServer(t, twoAdmins())
  await scenario(server, CAST, async ({ admin, nurse }) => {
    const abroad = new Abroad(server)
    await admin.sends('<presence/>')
    await admin.fence()
    for (let i = 0; i < 1000; i++) await abroad.says(request(`p${i}.example`))
    assert.equal(Object.keys(await rosterOf(admin, 'localhost')).length, 200)
    const refused = abroad.heard.splice(0)
    assert.equal(refused.length, 800)
    for (const stanza of refused) assert.match(String(stanza), /type="error".*<resource-constraint/)
    await admin.fence()
    assert.equal(admin.unread.filter(({ name }) => name === 'message').length, 20)
    await nurse.sends('<presence/>')
    for (let i = 0; i < 20; i++)
      await nurse.finds(`<message from='localhost'><subject>Buddy request</subject></message>`)
    await runs(nurse, 'localhost', NODES.list)
    assert.doesNotMatch(nurse.unread.join(''), /<message/)
    const metrics = await server.server.metrics.text()
    assert.match(metrics, /balcony_server_buddy_pending\{host="localhost"\} 200/)
    assert.match(metrics, /balcony_server_buddy_requests_total\{host="localhost",result="asked"\} 200/)
    assert.match(metrics, /balcony_server_buddy_requests_total\{host="localhost",result="dropped"\} 800/)
    const lines = server.log.filter(({ msg }) => String(msg).startsWith('buddy requests refused'))
    assert.ok(lines.length < 10, `${lines.length} lines`)
  })
})
