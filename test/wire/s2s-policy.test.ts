import assert from 'node:assert/strict'
import fs from 'node:fs'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { isStanzaError } from '../../core/errors'
import type { FederationEvent } from '../../core/routing/events'
import { Abroad } from '../lib/abroad'
import { IM_HOST, testConfig } from '../lib/config'
import type { Options, TestServerOptions } from '../lib/config'
import { startTestServer } from '../lib/server'
import type { TestServer } from '../lib/server'
import { scenario } from '../lib/wire'
import type { Player } from '../lib/wire'
import { NODES, runs } from '../modules/mod_server_buddy/hosts'

/** Who may federate with a host; other servers are spoken for behind the policy (test/lib/abroad.ts). */

const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const POLICY = 'urn:balcony:admin#federation-policy'
const INFO = `<query xmlns='http://jabber.org/protocol/disco#info'/>`

function policyServer(policy: Options, more: Options = {}): TestServerOptions {
  return {
    hosts: {
      localhost: {
        admins: ['admin@localhost', 'remote@far.example'],
        modules: { ...(IM_HOST.modules as object), server_buddy: {}, s2s_policy: policy, ...more }
      }
    }
  }
}

interface Stage {
  server: TestServer
  abroad: Abroad
  juliet: Player
  admin: Player
}

async function stage(
  t: TestContext,
  options: TestServerOptions,
  script: (stage: Stage) => Promise<void>
): Promise<void> {
  const server = await startTestServer(t, options)
  const cast = { juliet: 'juliet@localhost/balcony', admin: 'admin@localhost/y' }
  await scenario(server, cast, async ({ juliet, admin }) => {
    await juliet.sends('<presence/>')
    await juliet.forgets()
    await script({ server, abroad: new Abroad(server), juliet, admin })
  })
  assert.deepEqual(server.errors(), [])
}

/** A message each way between a local user and one of that domain: what becomes of them. */
async function exchange({ juliet, abroad }: Stage, domain: string): Promise<'passes' | 'refused'> {
  await juliet.sends(`<message to='romeo@${domain}' id='out' type='chat'><body>out</body></message>`)
  await abroad.says(
    `<message from='romeo@${domain}/x' to='juliet@localhost' id='in' type='chat'><body>in</body></message>`
  )
  await juliet.fence()
  const [first, second] = [abroad.heard.shift(), abroad.heard.shift()]
  assert.deepEqual(abroad.heard, [], domain)
  if (first?.attrs.id === 'out') {
    assert.equal(second, undefined, `${domain}: nothing is refused`)
    await juliet.finds(`<message from='romeo@${domain}/x' id='in'><body>in</body></message>`)
    assert.deepEqual(juliet.unread, [])
    return 'passes'
  }
  await juliet.finds(
    `<message from='romeo@${domain}' id='out' type='error'><error type='cancel'><not-allowed xmlns='${STANZAS}'/></error></message>`
  )
  assert.deepEqual(juliet.unread, [], `${domain}: nothing comes in`)
  assert.equal(first?.attrs.id, 'in')
  assert.equal(first?.attrs.to, `romeo@${domain}/x`)
  assert.match(
    String(first),
    /<error type="modify"><policy-violation xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/
  )
  assert.equal(second, undefined)
  return 'refused'
}

/** Whether a stream with that domain may be opened or accepted. */
async function check({ server }: Stage, domain: string): Promise<'accepted' | string> {
  const hooks = server.server.domains.get('localhost')?.hooks
  try {
    await hooks?.run<FederationEvent>('federation/check', { domain })
    return 'accepted'
  } catch (error) {
    assert.ok(isStanzaError(error))
    return error.condition
  }
}

async function reconfigures(server: TestServer, options: TestServerOptions): Promise<void> {
  server.writeConfig(await testConfig(options, `${server.folder}/data`))
  const report = await server.server.api.config.reload()
  assert.equal(report.ok, true, report.lines.join('\n'))
}

function listens(server: TestServer): string[] {
  const changed: string[] = []
  server.server.bus.on('federation/changed', host => void changed.push(host))
  return changed
}

test('open: everybody but who is blocked; a wildcard blocks what is below it, a domain itself alone', async t => {
  const block = ['evil.example', '*.spam.example', 'BÜCHER.example']
  await stage(t, policyServer({ block }), async all => {
    for (const domain of ['far.example', 'sub.evil.example', 'spam.example', 'notspam.example']) {
      assert.equal(await exchange(all, domain), 'passes', domain)
      assert.equal(await check(all, domain), 'accepted', domain)
    }
    for (const domain of ['evil.example', 'a.spam.example', 'a.b.spam.example', 'bücher.example']) {
      assert.equal(await exchange(all, domain), 'refused', domain)
      assert.equal(await check(all, domain), 'policy-violation', domain)
    }
  })
})

test('listed: the allowed ones alone; a block wins', async t => {
  const policy = { policy: 'listed', allow: ['far.example', '*.good.example'], block: ['bad.good.example'] }
  await stage(t, policyServer(policy), async all => {
    for (const domain of ['far.example', 'a.good.example', 'a.b.good.example'])
      assert.equal(await exchange(all, domain), 'passes', domain)
    for (const domain of ['else.example', 'good.example', 'bad.good.example', 'a.far.example'])
      assert.equal(await exchange(all, domain), 'refused', domain)
    assert.equal(await check(all, 'else.example'), 'policy-violation')
  })
})

test('every kind of stanza is refused both ways, and no error is ever answered', async t => {
  await stage(t, policyServer({ policy: 'listed' }), async all => {
    const { juliet, abroad } = all
    const far = 'romeo@far.example/x'
    await juliet.sends(`<presence to='${far}'/>`)
    await juliet.receives(
      `<presence from='${far}' type='error'><error type='cancel'><not-allowed xmlns='${STANZAS}'/></error></presence>`
    )
    const answer = await juliet.request(`<iq type='get' to='${far}'><ping xmlns='urn:xmpp:ping'/></iq>`)
    assert.match(String(answer), /<not-allowed/)
    for (const stanza of [
      `<message to='${far}' type='error' id='1'><error type='cancel'><gone xmlns='${STANZAS}'/></error></message>`,
      `<iq to='${far}' type='result' id='2'/>`,
      `<iq to='${far}' type='error' id='3'><error type='cancel'><gone xmlns='${STANZAS}'/></error></iq>`
    ])
      await juliet.sends(stanza)
    await juliet.receivesNothing()
    abroad.hears()

    const to = `from='${far}' to='juliet@localhost/balcony'`
    await abroad.says(`<presence ${to} type='probe' id='p'/>`)
    await abroad.says(`<iq ${to} type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>`)
    await abroad.says(`<message ${to} type='headline' id='h'><body>news</body></message>`)
    abroad.hears(
      ...['presence', 'iq', 'message'].map(
        kind =>
          `<${kind} from='juliet@localhost/balcony' to='${far}' type='error'><error type='modify'><policy-violation xmlns='${STANZAS}'/></error></${kind}>`
      )
    )
    await abroad.says(`<iq ${to} type='result' id='r'/>`)
    for (const kind of ['message', 'presence', 'iq'])
      await abroad.says(
        `<${kind} ${to} type='error' id='e'><error type='cancel'><gone xmlns='${STANZAS}'/></error></${kind}>`
      )
    abroad.hears()
    await juliet.receivesNothing()
  })
})

test('what comes through the server that the host is attached to is held as well', async t => {
  await stage(t, policyServer({ block: ['evil.example'] }), async ({ abroad, juliet }) => {
    await abroad.says(
      `<message from='x@evil.example' to='juliet@localhost' id='in'><body>hark</body></message>`,
      'upstream',
      'localhost'
    )
    await juliet.receivesNothing()
    abroad.hears(
      `<message to='x@evil.example' id='in' type='error'><error type='modify'><policy-violation xmlns='${STANZAS}'/></error></message>`
    )
  })
})

/** Makes far.example a buddy, by the commands and what the peer says. */
async function befriends({ admin, abroad }: Stage, domain: string): Promise<void> {
  await runs(admin, 'localhost', NODES.request, { peerjid: domain })
  await abroad.finds(`<presence from='localhost' to='${domain}' type='subscribe'/>`)
  await abroad.says(`<presence from='${domain}' to='localhost' type='subscribed'/>`)
  await abroad.says(`<presence from='${domain}' to='localhost' type='subscribe'/>`)
  await abroad.finds(`<presence from='localhost' to='${domain}' type='subscribed'/>`)
  abroad.heard.length = 0
}

test('buddies: users are refused until both subscriptions are there, and again when one has gone', async t => {
  await stage(t, policyServer({ policy: 'buddies', allow: ['prosody.example'] }), async all => {
    const { abroad, server } = all
    const changed = listens(server)
    assert.equal(await exchange(all, 'far.example'), 'refused')
    assert.equal(await exchange(all, 'prosody.example'), 'passes')

    // XEP-0267 §1, examples 1 to 4, in which the peer begins
    await abroad.says(`<presence from='far.example' to='localhost' type='subscribe'/>`)
    assert.equal(await exchange(all, 'far.example'), 'refused', 'a request makes no buddy')
    await runs(all.admin, 'localhost', NODES.pending, { peers: ['far.example'], decision: 'approve' })
    await abroad.finds(`<presence from='localhost' to='far.example' type='subscribed'/>`)
    await abroad.finds(`<presence from='localhost' to='far.example' type='subscribe'/>`)
    // What the one that is trusted may see does not stop at the policy
    await abroad.finds(`<presence from='localhost' to='far.example' type='!'/>`)
    assert.equal(await exchange(all, 'far.example'), 'refused', 'from alone is not mutual')
    await abroad.says(`<presence from='far.example' to='localhost' type='subscribed'/>`)
    assert.equal(await exchange(all, 'far.example'), 'passes')
    assert.equal(await exchange(all, 'sub.far.example'), 'refused', 'another server')
    assert.ok(changed.length > 0)

    changed.length = 0
    await abroad.says(`<presence from='far.example' to='localhost' type='unsubscribed'/>`)
    assert.equal(await exchange(all, 'far.example'), 'refused')
    await all.juliet.fence()
    assert.deepEqual(changed, ['localhost'], 'live streams are asked about')
  })
})

test('buddies: a buddy that is removed is told so, and is a stranger at once', async t => {
  await stage(t, policyServer({ policy: 'buddies' }), async all => {
    const { abroad } = all
    await befriends(all, 'far.example')
    assert.equal(await exchange(all, 'far.example'), 'passes')
    await runs(all.admin, 'localhost', NODES.remove, { peers: ['far.example'] })
    abroad.hears(
      `<presence from='localhost' to='far.example' type='unsubscribe'/>`,
      `<presence from='localhost' to='far.example' type='unavailable'/>`,
      `<presence from='localhost' to='far.example' type='unsubscribed'/>`
    )
    assert.equal(await exchange(all, 'far.example'), 'refused')
  })
})

test('buddies: strangers may ask to be one, from their bare domain, and nothing more', async t => {
  await stage(t, policyServer({ policy: 'buddies' }), async all => {
    const { abroad, juliet, admin } = all
    assert.equal(await check(all, 'far.example'), 'accepted')
    // XEP-0267 §3
    await abroad.says(`<iq from='far.example' to='localhost' type='get' id='d'>${INFO}</iq>`)
    await abroad.finds(`<iq to='far.example' type='result' id='d'/>`)
    await abroad.says(`<presence from='far.example' to='localhost' type='subscribe'/>`)
    abroad.hears()
    assert.match(String(await runs(admin, 'localhost', NODES.list)), /far\.example/)

    const refused = [
      `<presence from='user@far.example' to='localhost' type='subscribe' id='1'/>`,
      `<presence from='far.example/x' to='localhost' type='subscribe' id='2'/>`,
      `<presence from='other.example' to='juliet@localhost' type='subscribe' id='3'/>`,
      `<presence from='other.example' to='localhost/x' type='subscribe' id='4'/>`,
      `<presence from='other.example' to='localhost' id='5'/>`,
      `<presence from='other.example' to='localhost' type='probe' id='6'/>`,
      `<iq from='user@far.example' to='localhost' type='get' id='7'>${INFO}</iq>`,
      `<iq from='far.example' to='juliet@localhost' type='get' id='8'>${INFO}</iq>`,
      `<iq from='far.example' to='localhost' type='get' id='9'><query xmlns='http://jabber.org/protocol/disco#info' node='n'/></iq>`,
      `<iq from='far.example' to='localhost' type='get' id='10'><ping xmlns='urn:xmpp:ping'/></iq>`,
      `<message from='far.example' to='localhost' id='11'><body>psst</body></message>`
    ]
    for (const stanza of refused) {
      await abroad.says(stanza)
      const [answer, ...more] = abroad.heard.splice(0)
      assert.match(String(answer), /<policy-violation/, stanza)
      assert.deepEqual(more, [])
    }
    // Once it has asked, it may tell its presence as well
    await abroad.says(`<presence from='far.example' to='localhost'/>`)
    abroad.hears()
    // Of ours, the host alone speaks to it
    await juliet.sends(`<presence to='far.example' type='subscribe'/>`)
    await juliet.receives(
      `<presence from='far.example' type='error'><error><not-allowed xmlns='${STANZAS}'/></error></presence>`
    )
    await juliet.receivesNothing()
    abroad.hears()
  })
})

test('buddies without requests: nobody but whom an administrator asked may even connect', async t => {
  await stage(t, policyServer({ policy: 'buddies', requests: false }), async all => {
    const { abroad, admin } = all
    assert.equal(await check(all, 'far.example'), 'policy-violation')
    await abroad.says(`<presence from='far.example' to='localhost' type='subscribe'/>`)
    abroad.hears(`<presence from='localhost' to='far.example' type='error'><error/></presence>`)
    assert.doesNotMatch(String(await runs(admin, 'localhost', NODES.list)), /far\.example/)
    await befriends(all, 'far.example')
    assert.equal(await check(all, 'far.example'), 'accepted')
    assert.equal(await exchange(all, 'far.example'), 'passes')
  })
})

test('buddies: a blocked one is none; without mod_server_buddy nobody is', async t => {
  await stage(t, policyServer({ policy: 'buddies' }), async all => {
    await befriends(all, 'far.example')
    await reconfigures(all.server, policyServer({ policy: 'buddies', block: ['far.example'] }))
    assert.equal(await exchange(all, 'far.example'), 'refused')
    assert.equal(await check(all, 'far.example'), 'policy-violation')
    await reconfigures(all.server, policyServer({ policy: 'buddies' }))
    assert.equal(await exchange(all, 'far.example'), 'passes')

    const { modules } = all.server.server.api
    assert.equal((await modules.reload('server_buddy')).ok, true)
    assert.equal(await exchange(all, 'far.example'), 'passes', 'a swap changes nothing')
    assert.equal((await modules.unload('server_buddy')).ok, true)
    await all.abroad.finds(`<presence from='localhost' to='far.example' type='unavailable'/>`)
    assert.equal(await exchange(all, 'far.example'), 'refused')
    assert.equal(await check(all, 'stranger.example'), 'policy-violation')
    assert.equal((await modules.load('server_buddy')).ok, true)
    await all.abroad.finds(`<presence from='localhost' to='far.example' type='!'/>`)
    await all.abroad.finds(`<presence from='localhost' to='far.example' type='probe'/>`)
    assert.equal(await exchange(all, 'far.example'), 'passes')
  })
})

test('it is a guard: a version that does not start leaves the host closed, an operator’s unload opens it', async t => {
  const broken = fs.mkdtempSync('/tmp/balcony-policy-')
  t.after(() => fs.rmSync(broken, { recursive: true, force: true }))
  const options = policyServer({})
  await stage(t, { ...options, config: { moduleFolders: [broken] } }, async all => {
    const { server, juliet, abroad } = all
    const { modules } = server.server.api
    assert.equal(await exchange(all, 'far.example'), 'passes')
    // A faulty new version: the one before goes on
    fs.mkdirSync(`${broken}/mod_s2s_policy`)
    const write = (setup: string): void =>
      fs.writeFileSync(
        `${broken}/mod_s2s_policy/index.ts`,
        `import { defineModule, z } from '#core'\n` +
          `export default defineModule({ name: 's2s_policy', description: 'broken', on: ['virtual'],\n` +
          `guards: ['federation/check', 'route/incoming', 'route/remote'], config: z.object({}), setup() { ${setup} } })\n`
      )
    write(`throw new Error('broken')`)
    assert.equal((await modules.unload('s2s_policy')).ok, true)
    assert.equal(await exchange(all, 'far.example'), 'passes', 'an operator took it away')
    assert.equal((await modules.load('s2s_policy')).ok, false)
    await juliet.sends(`<message to='romeo@far.example' id='out'><body>out</body></message>`)
    await juliet.receives(
      `<message id='out' type='error'><error><service-unavailable xmlns='${STANZAS}'/></error></message>`
    )
    await abroad.says(
      `<message from='romeo@far.example' to='juliet@localhost' id='in'><body>in</body></message>`
    )
    await juliet.receivesNothing()
    assert.equal(await check(all, 'far.example'), 'service-unavailable')
    server.log.length = 0 // the fault was told as an error
  })
})

test('the command: seen, changed, reset; it outlives a restart and beats the file', async t => {
  const server = await startTestServer(t, policyServer({ policy: 'listed', allow: ['far.example'] }))
  const changed = listens(server)
  const cast = { juliet: 'juliet@localhost/balcony', admin: 'admin@localhost/y' }
  const open = async (script: (all: Stage) => Promise<void>): Promise<void> =>
    scenario(server, cast, async players => {
      await players.juliet.sends('<presence/>')
      await players.juliet.forgets()
      await script({ server, abroad: new Abroad(server), ...players })
    })
  await open(async all => {
    const form = String(await runs(all.admin, 'localhost', POLICY))
    assert.match(form, /The config file decides/)
    assert.match(form, /<field var="policy"[^>]*><required\/><value>file<\/value>/)
    assert.match(form, /<field var="allow"[^>]*><value>far\.example<\/value>/)

    const faulty = String(
      await runs(all.admin, 'localhost', POLICY, { policy: 'open', block: ['evil.example', 'a b'] })
    )
    assert.match(faulty, /status="executing"/)
    assert.match(faulty, /<note type="error">block: expected a domain like example\.org/)

    const done = String(
      await runs(all.admin, 'localhost', POLICY, {
        policy: 'open',
        block: ['EVIL.example', ' *.Spam.example ']
      })
    )
    assert.match(done, /status="completed"/)
    assert.match(done, /<value>evil\.example<\/value><value>\*\.spam\.example<\/value>/)
    assert.equal(await exchange(all, 'else.example'), 'passes')
    assert.deepEqual(changed, ['localhost'])
    assert.equal(await exchange(all, 'evil.example'), 'refused')
    const audit = server.log.find(
      ({ command, result }) => command === 'federation-policy' && result === 'done'
    )
    assert.equal(audit?.by, 'admin@localhost')
    assert.equal(audit?.on, 'localhost')
  })
  await server.restart()
  await open(async all => {
    assert.equal(await exchange(all, 'else.example'), 'passes')
    assert.match(String(await runs(all.admin, 'localhost', POLICY)), /Set by admin@localhost on /)
    assert.match(
      String(await runs(all.admin, 'localhost', POLICY, { policy: 'file' })),
      /The config file decides/
    )
    assert.equal(await exchange(all, 'else.example'), 'refused')
    assert.equal(await exchange(all, 'far.example'), 'passes')
  })
  assert.deepEqual(server.errors(), [])
})

test('the command is the administrators’, who cannot shut out themselves from another server', async t => {
  await stage(t, policyServer({}), async all => {
    const { abroad, juliet, server } = all
    assert.match(String(await runs(juliet, 'localhost', POLICY)), /<forbidden/)
    const COMMANDS = 'http://jabber.org/protocol/commands'
    const from = `from='remote@far.example/x' to='localhost' type='set'`
    await abroad.says(`<iq ${from} id='1'><command xmlns='${COMMANDS}' node='${POLICY}'/></iq>`)
    const first = await abroad.finds(`<iq id='1' type='result'/>`)
    const session = /sessionid="([^"]+)"/.exec(String(first))?.[1]
    const submit = (id: string, block: string): string =>
      `<iq ${from} id='${id}'><command xmlns='${COMMANDS}' node='${POLICY}' sessionid='${session}'>` +
      `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:balcony:admin</value></field>` +
      `<field var='policy'><value>open</value></field><field var='block'><value>${block}</value></field></x></command></iq>`
    await abroad.says(submit('2', 'far.example'))
    assert.match(String(await abroad.finds(`<iq id='2'/>`)), /far\.example, where you are, would be refused/)
    assert.equal(await exchange(all, 'far.example'), 'passes')
    await abroad.says(submit('3', 'evil.example'))
    assert.match(String(await abroad.finds(`<iq id='3'/>`)), /status="completed"/)
    assert.equal(await exchange(all, 'evil.example'), 'refused')
    assert.ok(
      server.log.some(({ command, by }) => command === 'federation-policy' && by === 'remote@far.example')
    )
  })
})

test('what is no domain in the lists is a fault of the config, with its place', async t => {
  for (const domain of ['user@far.example', 'a b', '', '*', '*.', 'a.*.example', 'far.example/x'])
    await assert.rejects(
      startTestServer(t, policyServer({ block: [domain] })),
      /s2s_policy\.block\[0\]/,
      domain
    )
})
