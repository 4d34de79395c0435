import assert from 'node:assert/strict'
import test from 'node:test'
import type { Element } from '../../../core/xml/element'
import { Abroad } from '../../lib/abroad'
import { startTestServer } from '../../lib/server'
import { scenario } from '../../lib/wire'
import { NODES, runs, twoHosts } from './hosts'

/** XEP-0267 §2: the command says what became of the request. */

function resultOf(answer: Element): Record<string, string> {
  const fields = [...String(answer).matchAll(/<field var="([^"]+)"[^>]*><value>([^<]*)/g)]
  return Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value]))
}

const ADMIN = 'http://jabber.org/protocol/admin'

test('XEP-0267 §2: the completion includes the processed data, and what became of the request', async t => {
  const server = await startTestServer(t, twoHosts({ autoApprove: 'never' }))
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    const ask = (peerjid: string): Promise<Element> => runs(admin, 'localhost', NODES.request, { peerjid })
    // Nobody federates here: it comes back at once
    const bounced = await ask('NOWHERE.example')
    assert.match(String(bounced), /status="completed"/)
    assert.match(
      String(bounced),
      /<note type="warn">The request did not get through: remote-server-not-found/
    )
    const form = { FORM_TYPE: ADMIN, peerjid: 'nowhere.example' }
    assert.deepEqual(resultOf(bounced), {
      ...form,
      'x-result': 'bounced',
      'x-reason': 'remote-server-not-found'
    })

    const refused = await ask('channels.localhost')
    assert.match(String(refused), /<note type="warn">channels.localhost has refused/)
    assert.equal(resultOf(refused)['x-result'], 'refused')

    const abroad = new Abroad(server)
    const sent = await ask('nowhere.example')
    assert.deepEqual(resultOf(sent), { ...form, 'x-result': 'sent' })
    abroad.hears(`<presence from='localhost' to='nowhere.example' type='subscribe'/>`)
    await abroad.says(`<presence from='nowhere.example' to='localhost' type='subscribed'/>`)
    assert.deepEqual(resultOf(await ask('nowhere.example')), { ...form, 'x-result': 'approved' })
    // Approved is approved: nothing more is sent
    abroad.hears()
    const acts = server.log.filter(({ command }) => command === 'server-buddy')
    assert.deepEqual(
      acts.map(({ on, detail }) => [on, detail]),
      [
        ['nowhere.example', 'bounced: remote-server-not-found'],
        ['channels.localhost', 'refused: refused by the peer'],
        ['nowhere.example', 'sent'],
        ['nowhere.example', 'approved']
      ]
    )
  })
  assert.deepEqual(server.errors(), [])
})

test('a bounce of something else, or of an older request, is not taken for that of the request', async t => {
  const server = await startTestServer(t, twoHosts())
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    const abroad = new Abroad(server)
    await runs(admin, 'localhost', NODES.request, { peerjid: 'peer.example' })
    const old = await abroad.finds(`<presence to='peer.example' type='subscribe'/>`)
    await runs(admin, 'localhost', NODES.request, { peerjid: 'peer.example' })
    const current = await abroad.finds(`<presence to='peer.example' type='subscribe'/>`)
    for (const [id, problem] of [
      [old.attrs.id, false],
      ['other', false],
      [current.attrs.id, true]
    ] as const) {
      await abroad.says(
        `<presence id='${id}' from='peer.example' to='localhost' type='error'><error type='cancel'>` +
          `<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
      )
      const list = String(await runs(admin, 'localhost', NODES.list))
      assert.equal(list.includes('problem: gone'), problem, id)
    }
  })
})

test('a request that did not get through is returned when the peer’s own is approved', async t => {
  const server = await startTestServer(t, twoHosts())
  await scenario(server, { admin: 'admin@localhost/y' }, async ({ admin }) => {
    await runs(admin, 'localhost', NODES.request, { peerjid: 'peer.example' })
    const abroad = new Abroad(server)
    await abroad.says(`<presence from='peer.example' to='localhost' type='subscribe'/>`)
    abroad.hears(
      `<presence to='peer.example' type='subscribed'/>`,
      `<presence to='peer.example' type='!'/>`,
      `<presence to='peer.example' type='subscribe'/>`
    )
  })
})
